//! What Job and JobSet write on a pod to tell it its place, worked out from the pods' hostnames and their order.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Scene;
use crate::api::meta::{
    JOB_COMPLETION_INDEX, JOB_LABELS, JOBSET_GLOBAL_INDEX, JOBSET_NAME, REPLICATED_JOB_NAME,
};
use crate::parity::Facts;
use crate::parity::facts::{HOSTNAME, NAME};

/// Of these labels and annotations nobody else knows the value: uids, what is hashed of names, and what counts up
/// (jobset v0.12.0 `pkg/controllers/jobset_controller.go`, `labelAndAnnotateObject`).
const MADE_UP: [&str; 7] = [
    "batch.kubernetes.io/controller-uid",
    "controller-uid",
    "jobset.sigs.k8s.io/job-key",
    "jobset.sigs.k8s.io/job-restart-attempt",
    "jobset.sigs.k8s.io/jobset-uid",
    "jobset.sigs.k8s.io/restart-attempt",
    GROUP_NAME,
];
const GROUP_NAME: &str = "jobset.sigs.k8s.io/group-name";
/// The group of replicated jobs that name none.
const DEFAULT_GROUP: &str = "default";

/// Whether Job or JobSet write the label or annotation `key` with this value on the pod.
pub fn is_theirs(scene: &Scene, key: &str, value: &Value) -> bool {
    if MADE_UP.contains(&key) {
        return value.as_str().is_some_and(|value| !value.is_empty());
    }
    expected(scene, key).is_some_and(|expected| expected == *value)
}

/// A pod's place by its hostname: `JOBSET-REPLICATED-2-7`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Place<'f> {
    /// The Job: `JOBSET-REPLICATED-2`.
    job: &'f str,
    replicated: &'f str,
    job_index: &'f str,
    index: &'f str,
}

fn place<'f>(jobset: &str, pod: &'f Facts) -> Option<Place<'f>> {
    let (job, index) = pod.get(HOSTNAME)?.as_str()?.rsplit_once('-')?;
    let (replicated, job_index) = job
        .strip_prefix(jobset)?
        .strip_prefix('-')?
        .rsplit_once('-')?;
    Some(Place {
        job,
        replicated,
        job_index,
        index,
    })
}

fn expected(scene: &Scene, key: &str) -> Option<String> {
    let jobset = scene.case.v2.job.get(NAME)?.as_str()?;
    let own = place(jobset, scene.v2)?;
    let earlier = scene.case.v2.pods.get(..scene.rank?)?;
    let earlier: Vec<_> = earlier
        .iter()
        .filter_map(|pod| place(jobset, pod))
        .collect();
    let all = scene.case.v2.pods.iter();
    let jobs: BTreeSet<_> = all
        .filter_map(|pod| place(jobset, pod))
        .map(|pod| (pod.job, pod.replicated))
        .collect();
    let job_index = || {
        let jobs = earlier.iter().map(|pod| pod.job);
        let jobs: BTreeSet<_> = jobs.filter(|job| *job != own.job).collect();
        jobs.len().to_string()
    };
    if key == JOB_COMPLETION_INDEX {
        let index = earlier.iter().filter(|pod| pod.job == own.job).count();
        return Some(index.to_string()).filter(|index| index == own.index);
    }
    if JOB_LABELS.contains(&key) {
        return Some(own.job.to_owned());
    }
    if key == JOBSET_NAME {
        return Some(jobset.to_owned());
    }
    if key == JOBSET_GLOBAL_INDEX {
        return Some(job_index());
    }
    if key == REPLICATED_JOB_NAME {
        return Some(own.replicated.to_owned());
    }
    let group = scene.v2.get(&format!("labels[{GROUP_NAME}]"));
    let is_alone = group.is_none_or(|group| group == DEFAULT_GROUP);
    match key.strip_prefix("jobset.sigs.k8s.io/")? {
        "job-index" => Some(own.job_index.to_owned()),
        "global-replicas" => Some(jobs.len().to_string()),
        "group-replicas" if is_alone => Some(jobs.len().to_string()),
        "job-group-index" if is_alone => Some(job_index()),
        "replicatedjob-replicas" => {
            let same = jobs.iter().filter(|(_, name)| *name == own.replicated);
            Some(same.count().to_string())
        }
        // What the API server made of the pod's class.
        "priority" => Some(
            scene
                .v2
                .get("priority")
                .map_or_else(|| "0".to_owned(), ToString::to_string),
        ),
        _ => None,
    }
}
