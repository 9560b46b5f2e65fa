//! PyTorchJobs that exist in, entries out: who made them, what they do, and what they would be as TrainJobs.

use jiff::Timestamp;
use serde_json::Value;

use super::count::Count;
use super::span::By;
use super::tally::{Entry, Field};
use crate::api::pytorchjob::PyTorchJob;
use crate::convert::target::Target;
use crate::convert::{Verdict, convert};

/// The sections of a report of jobs, by name.
pub(super) const SECTIONS: &[(&str, &[Field])] = &[
    ("users", &[Field::User]),
    ("namespaces", &[Field::Namespace]),
    ("clients", &[Field::Client]),
    ("owners", &[Field::Owner]),
    ("findings", &[Field::Finding]),
    ("periods", &[Field::Period]),
    (
        "detail",
        &[
            Field::Period,
            Field::Namespace,
            Field::User,
            Field::Owner,
            Field::Client,
        ],
    ),
];

/// How jobs are looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// The step of time.
    pub(super) by: By,
    /// The label or annotation that names who made a job.
    pub(super) creator: Option<String>,
    /// What jobs are converted for.
    pub(super) target: Target,
}

impl View {
    /// What there is to count of a job; `value` is the same job as it stood there.
    pub(super) fn entry(&self, job: &PyTorchJob, value: &Value) -> Entry {
        let metadata = &value["metadata"];
        let text = |key: &str| metadata[key].as_str().unwrap_or_default();
        let created: Option<Timestamp> = text("creationTimestamp").parse().ok();
        let mut entry = Entry::new(created);
        entry.set(Field::Namespace, text("namespace"));
        entry.set(Field::Client, manager(metadata).unwrap_or_default());
        entry.set(Field::Owner, owner(metadata).unwrap_or_default());
        if let Some(key) = &self.creator {
            let meta = &job.metadata;
            let name = meta.labels.get(key).or_else(|| meta.annotations.get(key));
            entry.set(Field::User, name.map_or("", String::as_str));
        }
        if let Some(at) = created {
            entry.set(Field::Period, &self.by.period(at));
        }
        let conversion = convert(job, &self.target);
        let verdict = match conversion.verdict {
            Verdict::Exact => Count::Exact,
            Verdict::Adapted => Count::Adapted,
            Verdict::Lossy => Count::Lossy,
            Verdict::Refused => Count::Unconvertible,
        };
        entry.counts = vec![Count::Jobs, state(job), verdict];
        let codes = conversion.notable().map(|finding| finding.code.as_str());
        entry.codes = codes.map(str::to_owned).collect();
        entry.codes.sort_unstable();
        entry.codes.dedup();
        entry
    }
}

/// Who wrote the job's own fields first: what somebody else edited later has a later time.
fn manager(metadata: &Value) -> Option<&str> {
    let managers = metadata["managedFields"].as_array()?;
    let own = managers
        .iter()
        .filter(|manager| manager["subresource"].as_str().is_none_or(str::is_empty));
    let first = own.min_by_key(|manager| manager["time"].as_str())?;
    first["manager"].as_str()
}

/// The kind of the controller that made it.
fn owner(metadata: &Value) -> Option<&str> {
    let owners = metadata["ownerReferences"].as_array()?;
    let is_controller = |owner: &&Value| owner["controller"] == true;
    let owner = owners.iter().find(is_controller).or(owners.first())?;
    owner["kind"].as_str()
}

/// What v1's controller has reported last (training-operator v1.9.3 `common_types.go`, `JobConditionType`).
fn state(job: &PyTorchJob) -> Count {
    let conditions = job
        .status
        .as_ref()
        .and_then(|status| status["conditions"].as_array());
    let is = |kind: &str| {
        let mut conditions = conditions.into_iter().flatten();
        conditions.any(|condition| condition["type"] == kind && condition["status"] == "True")
    };
    if is("Succeeded") {
        Count::Succeeded
    } else if is("Failed") {
        Count::JobFailed
    } else if is("Suspended") || job.spec.run_policy.suspend == Some(true) {
        Count::Suspended
    } else if is("Running") || is("Restarting") {
        Count::Running
    } else {
        Count::Waiting
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(view: &View, value: &Value) -> Entry {
        let job = serde_json::from_value(value.clone()).expect("a job");
        view.entry(&job, value)
    }

    #[test]
    fn the_first_manager_of_the_spec_made_the_job() {
        let job = json!({"metadata": {
            "labels": {"team": "vision"},
            "ownerReferences": [{"kind": "Note"}, {"kind": "Trial", "controller": true}],
            "managedFields": [
                {"manager": "training-operator.v1", "subresource": "status", "time": "2026-01-01T00:00:00Z"},
                {"manager": "kubectl-edit", "time": "2026-01-03T00:00:00Z"},
                {"manager": "katib-controller", "time": "2026-01-02T00:00:00Z"},
            ],
        }});
        let view = View {
            creator: Some("team".to_owned()),
            ..View::default()
        };
        let entry = entry(&view, &job);
        assert_eq!(entry.get(Field::Client), "katib-controller");
        assert_eq!(entry.get(Field::Owner), "Trial");
        assert_eq!(entry.get(Field::User), "vision");
    }

    #[test]
    fn the_last_condition_that_holds_is_the_state() {
        let of = |conditions: &[(&str, &str)], suspend: bool| {
            let conditions: Vec<_> = conditions
                .iter()
                .map(|(kind, status)| json!({"type": kind, "status": status}))
                .collect();
            let job = json!({
                "spec": {"runPolicy": {"suspend": suspend}},
                "status": {"conditions": conditions},
            });
            entry(&View::default(), &job).counts[1]
        };
        assert_eq!(of(&[("Created", "True")], false), Count::Waiting);
        let running = ("Running", "True");
        assert_eq!(of(&[running], false), Count::Running);
        assert_eq!(
            of(&[("Running", "False"), ("Succeeded", "True")], false),
            Count::Succeeded
        );
        assert_eq!(of(&[running, ("Failed", "True")], false), Count::JobFailed);
        assert_eq!(of(&[("Suspended", "True")], false), Count::Suspended);
        assert_eq!(of(&[], true), Count::Suspended);
        assert_eq!(of(&[("Restarting", "True")], false), Count::Running);
    }
}
