//! What a request does to a job: makes it, leaves it be, or makes it another job.
//!
//! An update that only looks harmless would otherwise be the way round a denial: a job is parked suspended, or tiny,
//! while it is allowed, and started or grown later.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::api::meta::{V1_CONTROLLER, WORKER};
use crate::api::pod::{PodSpec, PodTemplate};
use crate::api::pytorchjob::{PyTorchJob, PyTorchJobSpec, ReplicaSpec};

/// Pod fields by which a queue places a job, and that say nothing of what it runs.
pub(super) const PLACEMENT: [&str; 3] = ["nodeSelector", "schedulingGates", "tolerations"];

/// What a request does to a job.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// A job that wasn't there.
    Created,
    /// The spec is the same: labels, finalizers, status.
    Untouched,
    /// The spec differs, but what runs is the same, or less of it.
    Harmless,
    /// A job that never started is let go, and nothing else.
    Started,
    /// What runs is another job, because of these fields.
    AnotherJob(Vec<String>),
}

impl Change {
    /// What an update from `old` to `new` does.
    #[must_use]
    pub fn of(old: &PyTorchJob, new: &PyTorchJob) -> Self {
        if old.spec == new.spec {
            return Self::Untouched;
        }
        let mut fields = Vec::new();
        let keys: BTreeSet<_> = new.spec.pytorch_replica_specs.keys().collect();
        for key in keys {
            let at = format!("spec.pytorchReplicaSpecs.{key}");
            let role =
                |job: &PyTorchJob| job.spec.pytorch_replica_specs.get(key).cloned().flatten();
            match (role(old), role(new)) {
                (Some(old), Some(new)) => replica(&at, &old, &new, &mut fields),
                (None, Some(_)) => fields.push(at),
                _ => {}
            }
        }
        if processes(&old.spec) != processes(&new.spec) {
            fields.push("spec.nprocPerNode".to_owned());
        }
        if most_workers(&new.spec) > most_workers(&old.spec) {
            fields.push("spec.elasticPolicy.maxReplicas".to_owned());
        }
        if is_foreign(&old.spec) && !is_foreign(&new.spec) {
            fields.push("spec.runPolicy.managedBy".to_owned());
        }
        let suspended = |job: &PyTorchJob| job.spec.run_policy.suspend.unwrap_or_default();
        let started = old
            .status
            .as_ref()
            .and_then(|status| status.get("startTime"))
            .is_some_and(|time| !time.is_null());
        if !fields.is_empty() {
            Self::AnotherJob(fields)
        } else if suspended(old) && !suspended(new) && !started {
            Self::Started
        } else {
            Self::Harmless
        }
    }

    /// What a change of the scale subresource does, by the number of workers before and after.
    #[must_use]
    pub fn of_scale(old: i64, new: i64) -> Self {
        match new.cmp(&old) {
            Ordering::Greater => {
                Self::AnotherJob(vec![format!("spec.pytorchReplicaSpecs.{WORKER}.replicas")])
            }
            Ordering::Equal => Self::Untouched,
            Ordering::Less => Self::Harmless,
        }
    }

    /// Whether the request is judged like a new job.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        matches!(self, Self::Created | Self::Started | Self::AnotherJob(_))
    }
}

fn replica(at: &str, old: &ReplicaSpec, new: &ReplicaSpec, fields: &mut Vec<String>) {
    if new.replicas.unwrap_or(1) > old.replicas.unwrap_or(1) {
        fields.push(format!("{at}.replicas"));
    }
    if what_runs(&old.template) != what_runs(&new.template) {
        fields.push(format!("{at}.template"));
    }
}

/// The template without what only places the pods.
fn what_runs(template: &PodTemplate) -> PodSpec {
    let mut spec = template.spec.clone();
    spec.rest
        .retain(|key, _| !PLACEMENT.contains(&key.as_str()));
    spec
}

/// Processes on each node, in either of the two places.
fn processes(spec: &PyTorchJobSpec) -> (Option<&str>, Option<i32>) {
    let elastic = spec.elastic_policy.as_ref();
    (
        spec.nproc_per_node.as_deref(),
        elastic.and_then(|elastic| elastic.nproc_per_node),
    )
}

/// The number of workers that v1's autoscaler may go up to by itself.
fn most_workers(spec: &PyTorchJobSpec) -> i32 {
    spec.elastic_policy
        .as_ref()
        .and_then(|elastic| elastic.max_replicas)
        .unwrap_or_default()
}

/// Whether v1's own controller leaves the job alone (training-operator v1.9.3 `pkg/controller.v1/common/job.go`).
fn is_foreign(spec: &PyTorchJobSpec) -> bool {
    spec.run_policy
        .managed_by
        .as_deref()
        .is_some_and(|manager| manager != V1_CONTROLLER)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn job(patch: &Value) -> PyTorchJob {
        let mut job = json!({
            "apiVersion": "kubeflow.org/v1",
            "kind": "PyTorchJob",
            "metadata": {"name": "mnist"},
            "spec": {"runPolicy": {"suspend": false}, "pytorchReplicaSpecs": {
                "Worker": {"replicas": 2, "template": {"spec": {"containers": [{"name": "pytorch", "image": "a"}]}}},
            }},
        });
        json_patch::merge(&mut job, patch);
        serde_json::from_value(job).unwrap()
    }

    fn change(old: &Value, new: &Value) -> Change {
        Change::of(&job(old), &job(new))
    }

    fn worker(patch: &Value) -> Value {
        json!({"spec": {"pytorchReplicaSpecs": {"Worker": patch}}})
    }

    fn policy(patch: &Value) -> Value {
        json!({"spec": {"runPolicy": patch}})
    }

    #[test]
    fn metadata_and_status_leave_a_job_untouched() {
        for patch in [
            json!({"metadata": {"labels": {"a": "b"}}}),
            json!({"metadata": {"finalizers": ["a/b"]}}),
            json!({"status": {"startTime": "2026-01-01T00:00:00Z"}}),
        ] {
            assert_eq!(change(&json!({}), &patch), Change::Untouched);
        }
    }

    #[test]
    fn what_runs_makes_another_job() {
        let containers =
            |container: Value| worker(&json!({"template": {"spec": {"containers": [container]}}}));
        for patch in [
            containers(json!({"name": "pytorch", "image": "b"})),
            containers(json!({"name": "pytorch", "image": "a", "command": ["sh"]})),
            containers(json!({"name": "pytorch", "image": "a", "args": ["x"]})),
            containers(
                json!({"name": "pytorch", "image": "a", "env": [{"name": "A", "value": "1"}]}),
            ),
            containers(
                json!({"name": "pytorch", "image": "a", "resources": {"limits": {"cpu": 4}}}),
            ),
            worker(&json!({"template": {"spec": {"serviceAccountName": "root"}}})),
            worker(&json!({"replicas": 3})),
            json!({"spec": {"nprocPerNode": "8"}}),
            json!({"spec": {"elasticPolicy": {"nProcPerNode": 8}}}),
            json!({"spec": {"elasticPolicy": {"maxReplicas": 64}}}),
            json!({"spec": {"pytorchReplicaSpecs": {"Master": {"replicas": 1}}}}),
        ] {
            assert!(
                matches!(change(&json!({}), &patch), Change::AnotherJob(_)),
                "{patch}"
            );
        }
    }

    #[test]
    fn less_of_the_same_is_harmless() {
        for patch in [
            worker(&json!({"replicas": 1})),
            worker(&json!({"template": {"spec": {"nodeSelector": {"zone": "a"}}}})),
            worker(&json!({"template": {"metadata": {"labels": {"a": "b"}}}})),
            policy(&json!({"ttlSecondsAfterFinished": 5})),
            policy(&json!({"suspend": true})),
        ] {
            assert_eq!(change(&json!({}), &patch), Change::Harmless, "{patch}");
        }
    }

    #[test]
    fn a_job_that_never_started_is_started_once() {
        let parked = policy(&json!({"suspend": true}));
        assert_eq!(change(&parked, &json!({})), Change::Started);
        let mut ran = parked;
        ran["status"] = json!({"startTime": "2026-01-01T00:00:00Z"});
        assert_eq!(change(&ran, &json!({})), Change::Harmless);
    }

    #[test]
    fn taking_a_job_back_from_another_controller_makes_another_job() {
        let away = policy(&json!({"managedBy": "kueue.x-k8s.io/multikueue"}));
        assert!(matches!(change(&away, &json!({})), Change::AnotherJob(_)));
        assert_eq!(change(&json!({}), &away), Change::Harmless);
    }

    #[test]
    fn only_more_workers_are_judged_by_scale() {
        assert!(Change::of_scale(1, 2).is_judged());
        assert!(!Change::of_scale(2, 2).is_judged());
        assert!(!Change::of_scale(2, 1).is_judged());
    }
}
