//! The objects of a side: paths in, each object with the place where it stands out.

use std::path::Path;

use serde_json::Value;

use crate::api::meta::{CLUSTER_TRAINING_RUNTIME, TRAINER_API_VERSION, TRAINING_RUNTIME, TRAINJOB};
use crate::cli::input::files;
use crate::cli::input::{self, Object, Problem, split};

/// Where an object stands, and what it is called.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    /// The file.
    pub file: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace, if it says one.
    pub namespace: Option<String>,
    /// Its name, or the beginning of it.
    pub name: String,
}

impl Place {
    pub(super) fn of(file: &str, kind: &'static str, object: &Value) -> Self {
        let text = |key: &str| object["metadata"][key].as_str().map(str::to_owned);
        let made_up = || text("generateName").map(|prefix| format!("{prefix}*"));
        Self {
            file: file.to_owned(),
            kind,
            namespace: text("namespace"),
            name: text("name")
                .or_else(made_up)
                .unwrap_or_else(|| "(no name)".to_owned()),
        }
    }

    /// `namespace/name`.
    pub(super) fn full_name(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// A `TrainJob` or a runtime as it stood there.
pub(super) struct Found {
    /// Where.
    pub place: Place,
    /// The object.
    pub value: Value,
}

/// The objects of all files below `path`, each with its file.
pub(super) fn objects(path: &Path, problems: &mut Vec<Problem>) -> Vec<(String, Object<'static>)> {
    let (sources, unreadable) = files::sources(&[path.to_owned()], None);
    problems.extend(unreadable);
    let mut found = Vec::new();
    for source in &sources {
        let text = match source.read() {
            Ok(text) => text,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let documents = split::documents(&text);
        for (index, document) in documents.iter().enumerate() {
            let number = (documents.len() > 1).then_some(index + 1);
            for object in input::objects(&source.label, document, number) {
                match object {
                    Ok(Object::Job(job, value)) => {
                        found.push((source.label.clone(), Object::Job(job, value)));
                    }
                    Ok(Object::Other { what, value, .. }) => {
                        found.push((
                            source.label.clone(),
                            Object::Other {
                                what,
                                value,
                                text: None,
                            },
                        ));
                    }
                    Err(problem) => problems.push(problem),
                }
            }
        }
    }
    found
}

/// The TrainJobs and the runtimes of a side.
pub(super) fn trainer_objects(
    path: &Path,
    problems: &mut Vec<Problem>,
) -> (Vec<Found>, Vec<Found>) {
    let (mut trainjobs, mut runtimes) = (Vec::new(), Vec::new());
    for (file, object) in objects(path, problems) {
        let Object::Other { value, .. } = object else {
            continue;
        };
        for value in items(value) {
            if value["apiVersion"] != TRAINER_API_VERSION {
                continue;
            }
            let found = |kind| Found {
                place: Place::of(&file, kind, &value),
                value: value.clone(),
            };
            match value["kind"].as_str() {
                Some(TRAINJOB) => trainjobs.push(found(TRAINJOB)),
                Some(TRAINING_RUNTIME) => runtimes.push(found(TRAINING_RUNTIME)),
                Some(CLUSTER_TRAINING_RUNTIME) => runtimes.push(found(CLUSTER_TRAINING_RUNTIME)),
                _ => {}
            }
        }
    }
    (trainjobs, runtimes)
}

/// The items of a List; anything else is itself.
fn items(mut value: Value) -> Vec<Value> {
    if value["kind"] == "List"
        && let Some(Value::Array(items)) = value.get_mut("items")
    {
        return std::mem::take(items);
    }
    vec![value]
}
