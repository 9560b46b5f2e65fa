//! Jobs and namespaces that questions are about.

use std::path::PathBuf;

use anyhow::bail;
use serde_json::Value;

use crate::cli::generate::review::placed;
use crate::cli::input::files::sources;
use crate::cli::input::strict::{self, Fault};
use crate::cli::input::{Object, objects, split};

/// A job and its file.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) file: String,
    pub(super) value: Value,
}

impl Job {
    fn text(&self, field: &str) -> &str {
        self.value["metadata"][field].as_str().unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> &str {
        self.text("namespace")
    }

    /// Its name, or `mnist-*` where the API server makes it up.
    pub(super) fn name(&self) -> String {
        match (self.text("name"), self.text("generateName")) {
            ("", prefix) => format!("{prefix}*"),
            (name, _) => name.to_owned(),
        }
    }

    /// The same in a namespace, if it names none.
    pub(super) fn placed(mut self, namespace: &str) -> Self {
        let own = self.namespace().to_owned();
        let namespace = if own.is_empty() { namespace } else { &own };
        self.value = placed(self.value, Some(namespace));
        self
    }

    /// The job of its name among `old`.
    pub(super) fn before(&self, old: &[Self], namespace: &str) -> anyhow::Result<Value> {
        let mut old = old.iter().map(|job| job.clone().placed(namespace));
        let same = |job: &Self| job.name() == self.name() && job.namespace() == self.namespace();
        match old.find(same) {
            Some(job) => Ok(job.value),
            None => bail!(
                "{}: there is no {}/{} in --old",
                self.file,
                self.namespace(),
                self.name()
            ),
        }
    }
}

/// The PyTorchJobs in files and directories, and the Namespaces among them.
pub(super) fn read(paths: &[PathBuf], faults: &mut Vec<Fault>) -> (Vec<Job>, Vec<Value>) {
    let (mut jobs, mut namespaces) = (Vec::new(), Vec::new());
    if paths.is_empty() {
        return (jobs, namespaces);
    }
    let (sources, problems) = sources(paths, None);
    faults.extend(problems.into_iter().map(Fault::from));
    for source in sources {
        let text = match source.read() {
            Ok(text) => text,
            Err(problem) => {
                faults.push(problem.into());
                continue;
            }
        };
        let before = jobs.len();
        for document in split::documents(&text) {
            for object in objects(&source.label, &document, None) {
                match object {
                    Ok(Object::Job(_, value)) => jobs.push(Job {
                        file: source.label.clone(),
                        value,
                    }),
                    Ok(Object::Other { value, .. }) if value["kind"] == "Namespace" => {
                        namespaces.push(value);
                    }
                    Ok(Object::Other { .. }) => {}
                    Err(problem) => faults.push(problem.into()),
                }
            }
        }
        let is_named = paths.iter().any(|path| Some(path) == source.path.as_ref());
        if is_named && jobs.len() == before && faults.is_empty() && namespaces.is_empty() {
            faults.push(Fault::of_file(
                &source.label,
                "there is no PyTorchJob in it",
            ));
        }
    }
    (jobs, namespaces)
}

/// The Namespaces in files and directories.
pub(super) fn namespaces(paths: &[PathBuf], faults: &mut Vec<Fault>) -> Vec<Value> {
    let mut found = Vec::new();
    if paths.is_empty() {
        return found;
    }
    let (sources, problems) = sources(paths, None);
    faults.extend(problems.into_iter().map(Fault::from));
    for source in sources {
        match source.read() {
            Ok(text) => {
                let (objects, wrong) = strict::objects(&source.label, &text);
                let is_named = paths.iter().any(|path| Some(path) == source.path.as_ref());
                let has_none = objects.iter().all(|object| object.kind() != "Namespace");
                if is_named && has_none && wrong.is_empty() {
                    let message = "there is no Namespace in it";
                    faults.push(Fault::of_file(&source.label, message));
                }
                faults.extend(wrong);
                found.extend(objects.into_iter().map(|object| object.value));
            }
            Err(problem) => faults.push(problem.into()),
        }
    }
    found
}
