//! `PodGroups` of both sides, for Volcano and for the coscheduling plugin, and what marks the pods as members.
//!
//! `minResources` is left out unless the job says it: v1 sums the requests by the value of each role's `PriorityClass`, which
//! only the cluster knows.

use serde_json::{Value, json};

use crate::api::pod::PodTemplate;
use crate::api::pytorchjob::PyTorchJob;
use crate::convert::target::GangScheduler;

const VOLCANO_API: &str = "scheduling.volcano.sh/v1beta1";
const COSCHEDULING_API: &str = "scheduling.x-k8s.io/v1alpha1";
/// Pod annotation by which Volcano knows a member.
pub(super) const VOLCANO_GROUP: &str = "scheduling.k8s.io/group-name";
/// Pod annotation of v1 with the role, for Volcano.
const VOLCANO_TASK: &str = "volcano.sh/task-spec";
/// Pod label by which the coscheduling plugin knows a member.
pub(super) const COSCHEDULING_GROUP: &str = "scheduling.x-k8s.io/pod-group";

/// A group of the pods of one job.
pub(super) fn group(gang: GangScheduler, metadata: &Value, spec: &Value) -> Option<Value> {
    let api_version = match gang {
        GangScheduler::None => return None,
        GangScheduler::Volcano => VOLCANO_API,
        GangScheduler::SchedulerPlugins => COSCHEDULING_API,
    };
    Some(json!({"apiVersion": api_version, "kind": "PodGroup", "metadata": metadata, "spec": spec}))
}

/// v1's group (training-operator v1.9.3 `pkg/controller.v1/common/{job,scheduling}.go`).
pub(super) fn of_v1(
    job: &PyTorchJob,
    name: &str,
    total: i32,
    gang: GangScheduler,
) -> Option<Value> {
    let policy = job
        .spec
        .run_policy
        .scheduling_policy
        .clone()
        .unwrap_or_default();
    let mut metadata = json!({"name": name});
    if let Some(namespace) = &job.metadata.namespace {
        metadata["namespace"] = json!(namespace);
    }
    if !job.metadata.annotations.is_empty() {
        metadata["annotations"] = json!(job.metadata.annotations);
    }
    let mut spec = json!({"minMember": policy.min_available.unwrap_or(total)});
    if let Some(resources) = policy.min_resources {
        spec["minResources"] = resources;
    }
    if gang == GangScheduler::Volcano {
        let queue = policy.queue.filter(|queue| !queue.is_empty());
        spec["queue"] = json!(queue.as_deref().unwrap_or("default"));
        if let Some(class) = policy.priority_class.filter(|class| !class.is_empty()) {
            spec["priorityClassName"] = json!(class);
        }
    } else if let Some(seconds) = policy.schedule_timeout_seconds {
        spec["scheduleTimeoutSeconds"] = json!(seconds);
    }
    group(gang, &metadata, &spec)
}

/// Makes a pod of v1 a member (training-operator v1.9.3 `pkg/controller.v1/control/podgroup_control.go`).
pub(super) fn mark_v1(
    template: &mut PodTemplate,
    job: &str,
    replica_type: &str,
    gang: GangScheduler,
) {
    let metadata = &mut template.metadata;
    let scheduler = match gang {
        GangScheduler::None => return,
        GangScheduler::Volcano => {
            let marks = [(VOLCANO_GROUP, job), (VOLCANO_TASK, replica_type)];
            let marks = marks.map(|(key, value)| (key.to_owned(), value.to_owned()));
            metadata.annotations.extend(marks);
            "volcano"
        }
        GangScheduler::SchedulerPlugins => {
            let (key, value) = (COSCHEDULING_GROUP.to_owned(), job.to_owned());
            metadata.labels.insert(key, value);
            "scheduler-plugins-scheduler"
        }
    };
    let named = template
        .spec
        .scheduler_name
        .take()
        .filter(|name| !name.is_empty());
    template.spec.scheduler_name = Some(named.unwrap_or_else(|| scheduler.to_owned()));
}
