//! v2's rules, from `TrainJob`, `JobSet` and Jobs (jobset v0.12.0 `pkg/controllers`, trainer v2.3.0 `pkg/controller`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::Success;
use super::jobs::{Job, ranked};
use crate::api::meta::{CLUSTER_TRAINING_RUNTIME, REPLICATED_JOB_NAME, TRAINER_CONTROLLER};
use crate::parity::facts::{RUNTIME, flatten, words};
use crate::parity::{Facts, Shape, V2Objects};

/// Fields of a `JobSet`'s spec that are told in the words that v1 shares, or by its Jobs.
const TOLD: [&str; 6] = [
    "managedBy",
    "network",
    "replicatedJobs",
    "successPolicy",
    "suspend",
    "ttlSecondsAfterFinished",
];

pub fn shape(objects: &V2Objects) -> Shape {
    let jobs = ranked(&objects.jobs);
    let pods = jobs.iter().flat_map(|job| {
        let facts = job.facts();
        job.ranks.iter().map(move |_| facts.clone())
    });
    Shape {
        job: of_job(objects, &jobs),
        pods: pods.collect(),
        ..Shape::default()
    }
}

fn of_job(objects: &V2Objects, jobs: &[Job]) -> Facts {
    let (spec, jobset) = (&objects.job["spec"], &objects.jobset["spec"]);
    let total = jobs.iter().map(|job| job.ranks.len()).sum::<usize>();
    let mut facts = Facts::new();
    let mut set = |name: &str, value: Value| facts.insert(name.to_owned(), value);
    set(
        words::SUCCEEDS,
        Value::from(success(&jobset["successPolicy"], jobs).words(total)),
    );
    set(words::PODS, Value::from(total.to_string()));
    set(
        words::SUSPENDED,
        Value::from(spec["suspend"] == true || jobset["suspend"] == true),
    );
    // A Job ends its active pods when it is finished, a JobSet the Jobs that are still active.
    set(words::CLEAN_UP, Value::from(words::RUNNING_PODS));
    let manager = spec["managedBy"]
        .as_str()
        .filter(|manager| *manager != TRAINER_CONTROLLER);
    set(
        words::MANAGED_BY,
        Value::from(manager.unwrap_or(words::OWN_CONTROLLER)),
    );
    let published = jobset["network"]["publishNotReadyAddresses"] != false;
    let resolve = if published {
        words::WHEN_ADDRESSED
    } else {
        words::WHEN_READY
    };
    set(words::ADDRESSES, Value::from(resolve));
    let deadlines = jobs.iter().map(|job| &job.spec["activeDeadlineSeconds"]);
    if let Some(seconds) = first(&spec["activeDeadlineSeconds"], deadlines) {
        set(words::DEADLINE, seconds);
    }
    let lives = jobs.iter().map(|job| &job.spec["ttlSecondsAfterFinished"]);
    if let Some(seconds) = first(&jobset["ttlSecondsAfterFinished"], lives) {
        set(words::TIME_TO_LIVE, seconds);
    }
    let runtime = &spec["runtimeRef"];
    let kind = runtime["kind"].as_str().unwrap_or(CLUSTER_TRAINING_RUNTIME);
    let name = runtime["name"].as_str().unwrap_or_default();
    set(RUNTIME, Value::from(format!("{kind} {name}")));
    let mut rest = jobset.as_object().cloned().unwrap_or_default();
    rest.retain(|key, value| {
        let any_order = key == "startupPolicy" && value["startupPolicyOrder"] == "AnyOrder";
        !TOLD.contains(&key.as_str()) && !any_order
    });
    flatten::fields("jobset", &rest, &mut facts);
    facts
}

/// The job's own value; else that of its Jobs, if there is any, all of them where they differ.
fn first<'v>(own: &Value, jobs: impl Iterator<Item = &'v Value>) -> Option<Value> {
    if !own.is_null() {
        return Some(own.clone());
    }
    let values: Vec<&Value> = jobs.collect();
    match values.split_first()? {
        (first, others) if others.iter().all(|other| other == first) => {
            Some((*first).clone()).filter(|first| !first.is_null())
        }
        _ => Some(values.into_iter().cloned().collect()),
    }
}

/// A `JobSet` succeeds when all of the Jobs that its policy names have, or any; and a Job by its own policy.
fn success(policy: &Value, jobs: &[Job]) -> Success {
    let targets = policy["targetReplicatedJobs"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let named = jobs
        .iter()
        .filter(|job| targets.is_empty() || targets.contains(&job.labels[REPLICATED_JOB_NAME]));
    let mut rules: Vec<Success> = named.map(Job::success).collect();
    if rules.len() == 1 {
        return rules.remove(0);
    }
    let any = policy["operator"] == "Any";
    let mut all = BTreeSet::new();
    for rule in &rules {
        match rule {
            Success::All(ranks) if !any || ranks.len() == 1 => all.extend(ranks),
            _ => return Success::Other(format!("by a policy of the JobSet: {policy}, {rules:?}")),
        }
    }
    if any {
        Success::Some(1, all)
    } else {
        Success::All(all)
    }
}
