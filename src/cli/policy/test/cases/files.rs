//! Jobs of cases: from files beside the tests, each read once, with what a case changes.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::given::JobGiven;
use crate::api::pytorchjob::PyTorchJob;
use crate::cli::generate::review::built_in;
use crate::cli::input::strict::{Fault, Written};
use crate::cli::policy::test::jobs::{self, Job};

/// Files of jobs that were read.
#[derive(Default)]
pub(super) struct Files(HashMap<String, Vec<Job>>);

impl Files {
    pub(super) fn job(
        &mut self,
        given: &JobGiven,
        at: &str,
        written: &Written,
    ) -> Result<Job, Fault> {
        let mut job = match &given.file {
            None => Job {
                file: written.file.to_string(),
                value: built_in(),
            },
            Some(file) => self.of_file(file, given, at, written)?,
        };
        if let Some(patch) = &given.patch {
            json_patch::merge(&mut job.value, patch);
            let typed: Result<PyTorchJob, _> = serde_json::from_value(job.value.clone());
            if let Err(error) = typed {
                let message = format!("the job can't be read with this patch: {error}");
                return Err(written.fault(&format!("{at}.patch"), message));
            }
        }
        Ok(job)
    }

    fn of_file(
        &mut self,
        file: &str,
        given: &JobGiven,
        at: &str,
        written: &Written,
    ) -> Result<Job, Fault> {
        let beside = Path::new(&*written.file).parent();
        let path = beside.unwrap_or(Path::new("")).join(file);
        let at_file = format!("{at}.file");
        let label = path.display().to_string();
        if !self.0.contains_key(&label) {
            if let Err(error) = fs::metadata(&path) {
                return Err(written.fault(&at_file, format!("{label}: {error}")));
            }
            let mut wrong = Vec::new();
            let (jobs, _) = jobs::read(&[path], &mut wrong);
            if let Some(fault) = wrong.into_iter().next() {
                return Err(fault);
            }
            self.0.insert(label.clone(), jobs);
        }
        let jobs = self.0.get(&label).map(Vec::as_slice).unwrap_or_default();
        let names = || {
            let names: Vec<_> = jobs.iter().map(Job::name).collect();
            names.join(", ")
        };
        match (&given.name, jobs) {
            (None, [job]) => Ok(job.clone()),
            (None, _) => Err(written.fault(
                &at_file,
                format!(
                    "{label} holds several jobs; choose one by name: {}",
                    names()
                ),
            )),
            (Some(name), jobs) => {
                let found = jobs.iter().find(|job| job.name() == *name);
                found.cloned().ok_or_else(|| {
                    let message = format!("{label} has no job {name:?}; there are {}", names());
                    written.fault(&format!("{at}.name"), message)
                })
            }
        }
    }
}
