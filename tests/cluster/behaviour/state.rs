//! How a job and its pods stand, read from what the API server has of them.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::kubelet;

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct State {
    /// `Active`, `Suspended`, `Succeeded` or `Failed`; `gone` when there is no such object any more.
    pub(super) job: String,
    /// By rank, the pods that this rank has had, oldest first: the phase of each, or `gone`; `none` if it never had one.
    pub(super) pods: Vec<String>,
}

impl State {
    /// Whether `seen` is this state. A rank that is to have had its pods deleted may have a new one by now, where v1
    /// fails a job at its limit: it deletes the pods, and what it then does first, noting the failure or making the
    /// pods anew, is chance.
    pub(super) fn is_met_by(&self, seen: &Self, by_chance: bool) -> bool {
        let pod = |seen: &String| match seen.strip_suffix(", Pending") {
            Some(before) if by_chance => before.to_owned(),
            _ => seen.clone(),
        };
        self.job == seen.job && self.pods == seen.pods.iter().map(pod).collect::<Vec<_>>()
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.job, self.pods.join(" | "))
    }
}

/// The phase of the pod with this uid, or `gone`.
pub(super) fn phase<'p>(pods: &'p [Value], uid: &str) -> &'p str {
    let pod = pods.iter().find(|pod| pod["metadata"]["uid"] == uid);
    pod.map_or("gone", |pod| {
        pod["status"]["phase"].as_str().unwrap_or("without a phase")
    })
}

/// The state of a job by its conditions, which v1 and v2 call alike but for one.
pub(super) fn word(job: &Value) -> &'static str {
    let conditions = job["status"]["conditions"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let holds = |name: &str| {
        conditions
            .iter()
            .any(|condition| condition["type"] == name && condition["status"] == "True")
    };
    [
        ("Failed", "Failed"),
        ("Succeeded", "Succeeded"),
        ("Complete", "Succeeded"),
        ("Suspended", "Suspended"),
    ]
    .into_iter()
    .find_map(|(condition, word)| holds(condition).then_some(word))
    .unwrap_or("Active")
}

/// v1's rank, or what the pod of v2 stands for: a place in its Job, or a Job's place among several.
pub(super) fn rank(pod: &Value, has_master: bool) -> Option<usize> {
    let labels = &pod["metadata"]["labels"];
    let annotations = &pod["metadata"]["annotations"];
    let number = |value: &Value| value.as_str()?.parse::<usize>().ok();
    if let Some(job) = number(&annotations["jobset.sigs.k8s.io/job-global-index"]) {
        return Some(job + number(&annotations["batch.kubernetes.io/job-completion-index"])?);
    }
    let index = number(&labels["training.kubeflow.org/replica-index"])?;
    let is_worker = labels["training.kubeflow.org/replica-type"] == "worker";
    Some(index + usize::from(is_worker && has_master))
}

/// Whether v1's status of the job, over all roles, tells of its pods as they are.
pub(super) fn v1_has_counted(job: &Value, pods: &[Value]) -> bool {
    let roles = || {
        job["status"]["replicaStatuses"]
            .as_object()
            .into_iter()
            .flatten()
    };
    let counted = |field: &str| {
        roles()
            .filter_map(|(_, role)| role[field].as_u64())
            .sum::<u64>()
    };
    let count = |phase: &str| {
        pods.iter()
            .filter(|pod| pod["status"]["phase"] == phase)
            .count() as u64
    };
    [
        ("active", "Running"),
        ("succeeded", "Succeeded"),
        ("failed", "Failed"),
    ]
    .into_iter()
    .all(|(field, phase)| counted(field) == count(phase))
}

/// Whether the Job is over, or on its way there.
pub(super) fn is_over(job: &Value) -> bool {
    let mut conditions = job["status"]["conditions"].as_array().into_iter().flatten();
    conditions.any(|condition| {
        let ends = ["Failed", "Complete", "FailureTarget", "SuccessCriteriaMet"];
        condition["status"] == "True" && ends.iter().any(|end| condition["type"] == *end)
    })
}

/// Whether the Job's status tells of its pods as they are.
pub(super) fn has_counted(job: &Value, pods: &[Value]) -> bool {
    let own = || {
        pods.iter()
            .filter(|pod| pod["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"])
    };
    let count = |is: &dyn Fn(&Value) -> bool| own().filter(|pod| is(pod)).count();
    let counted = |field: &str| job["status"][field].as_u64().unwrap_or_default();
    counted("ready") == count(&kubelet::is_ready) as u64
        && counted("succeeded") == count(&|pod| pod["status"]["phase"] == "Succeeded") as u64
}
