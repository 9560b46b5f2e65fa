//! One side of the comparison: a job and all that the operators make of it.
//!
//! In: an object as a user would send it. Out: the objects that the API server has when all pods are there, or why they
//! never come. Nothing runs: without a kubelet, pods stay Pending.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use serde_json::{Value, json};
use trainshift::convert::Output;
use trainshift::parity::{V1Objects, V2Objects, facts};

use super::api::{self, Api, Refusal, Unknown};
use super::place::Place;

/// Generous, for a loaded machine; what can't come is known by its event long before.
const TIMEOUT: Duration = Duration::from_secs(90);
/// How long a controller may go on trying after it has said that it failed: it may have been too early.
const SECOND_CHANCE: Duration = Duration::from_secs(4);
const INTERVAL: Duration = Duration::from_millis(60);

/// What controllers say when the API server refuses what they create.
const FAILURES: [&str; 6] = [
    "FailedCreate",
    "FailedCreatePod",
    "FailedCreateService",
    "JobCreationFailed",
    "TrainJobResourcesCreationFailed",
    "PodGroupCreationFailed",
];

/// What came of a job.
pub(super) enum Made<T> {
    /// It is there, with every pod.
    Whole(T),
    /// The API server or a controller says no, in these words.
    Refused(String),
}

impl<T> Made<T> {
    /// The same of what is there.
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Made<U> {
        match self {
            Self::Whole(made) => Made::Whole(change(made)),
            Self::Refused(why) => Made::Refused(why),
        }
    }
}

/// What a conversion put out, as it is sent.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) runtime: Option<Value>,
    pub(super) trainjob: Value,
}

impl Sent {
    pub(super) fn of(output: &Output) -> Result<Self> {
        let runtime = output.runtime.as_ref().map(serde_json::to_value);
        Ok(Self {
            runtime: runtime.transpose()?,
            trainjob: serde_json::to_value(&output.trainjob)?,
        })
    }
}

/// The job's state that is waited for.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum State {
    /// No pods, and the operator says so.
    Suspended,
    /// This many pods.
    Pods(usize),
}

/// Creates a `PyTorchJob` and gives what v1 makes of it in each of `states`, one after the other.
pub(super) fn v1(place: Place, job: &Value, states: &[State]) -> Result<Made<Vec<V1Objects>>> {
    let Place { api, namespace, .. } = place;
    let stored = match api.create(api::PYTORCHJOBS, namespace, job, Unknown::Dropped)? {
        Ok(stored) => stored,
        Err(refusal) => return Ok(Made::Refused(refusal.message)),
    };
    let name = name_of(&stored);
    let resume = || {
        let resumed = json!({ "spec": { "runPolicy": { "suspend": false } } });
        api.patch(api::PYTORCHJOBS, namespace, &name, &resumed)
    };
    one_after_the_other(states, resume, |state| v1_made(place, &name, state))
}

/// Waits for what v1 makes of a job that is there.
fn v1_made(place: Place, name: &str, state: State) -> Result<Made<V1Objects>> {
    let Place { api, namespace, .. } = place;
    wait(api, namespace, || {
        let Some(job) = api.get(api::PYTORCHJOBS, namespace, name)? else {
            bail!("PyTorchJob {name} is gone");
        };
        let mut pods = alive(api.list(api::PODS, namespace)?);
        facts::sort_v1(&mut pods);
        let group = place.pod_group()?;
        let has_group = !group.is_missing() || state == State::Suspended;
        if !has_group || !is_reached(state, &job, pods.len()) {
            return Ok(Err(format!(
                "v1 has {} pods: {}",
                pods.len(),
                job["status"]
            )));
        }
        Ok(Ok(V1Objects {
            job,
            pods,
            pod_group: group.object(),
        }))
    })
}

/// Creates what a job was converted to, as strictly as the API server can judge it, and gives what v2 makes of it in each
/// of `states`, one after the other.
pub(super) fn v2(place: Place, output: &Sent, states: &[State]) -> Result<Made<Vec<V2Objects>>> {
    let Place { api, namespace, .. } = place;
    if let Some(runtime) = &output.runtime {
        let mut runtime = runtime.clone();
        runtime["metadata"]["namespace"] = json!(namespace);
        let kind = api::TRAINING_RUNTIMES;
        if let Err(refusal) = api.create(kind, namespace, &runtime, Unknown::Refused)? {
            return Ok(Made::Refused(format!("the runtime: {}", refusal.message)));
        }
    }
    let mut job = output.trainjob.clone();
    job["metadata"]["namespace"] = json!(namespace);
    let stored = match create_behind_its_runtime(api, namespace, &job)? {
        Ok(stored) => stored,
        Err(refusal) => return Ok(Made::Refused(refusal.message)),
    };
    let name = name_of(&stored);
    let resume = || {
        let resumed = json!({ "spec": { "suspend": false } });
        api.patch(api::TRAINJOBS, namespace, &name, &resumed)
    };
    one_after_the_other(states, resume, |state| v2_made(place, &name, state))
}

/// What comes of a job in each of `states`; it is resumed between two of them.
fn one_after_the_other<T>(
    states: &[State],
    resume: impl Fn() -> Result<()>,
    made: impl Fn(State) -> Result<Made<T>>,
) -> Result<Made<Vec<T>>> {
    let mut seen = Vec::new();
    for state in states {
        if !seen.is_empty() {
            resume()?;
        }
        match made(*state)? {
            Made::Whole(stage) => seen.push(stage),
            Made::Refused(why) => return Ok(Made::Refused(why)),
        }
    }
    Ok(Made::Whole(seen))
}

/// Trainer's webhook learns of a new runtime by watching.
fn create_behind_its_runtime(
    api: &Api,
    namespace: &str,
    job: &Value,
) -> Result<Result<Value, Refusal>> {
    let start = Instant::now();
    loop {
        match api.create(api::TRAINJOBS, namespace, job, Unknown::Refused)? {
            Err(refusal)
                if refusal.message.contains("not found") && start.elapsed() < SECOND_CHANCE =>
            {
                thread::sleep(INTERVAL);
            }
            answer => return Ok(answer),
        }
    }
}

/// Waits for what v2 makes of a job that is there.
fn v2_made(place: Place, name: &str, state: State) -> Result<Made<V2Objects>> {
    let Place { api, namespace, .. } = place;
    wait(api, namespace, || {
        let Some(job) = api.get(api::TRAINJOBS, namespace, name)? else {
            bail!("TrainJob {name} is gone");
        };
        let Some(jobset) = api.get(api::JOBSETS, namespace, name)? else {
            return Ok(Err(format!("no JobSet: {}", job["status"])));
        };
        let mut jobs = api.list(api::JOBS, namespace)?;
        facts::sort_jobs(&mut jobs);
        let wanted: u64 = jobset["spec"]["replicatedJobs"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|job| job["replicas"].as_u64().unwrap_or(1))
            .sum();
        let mut pods = alive(api.list(api::PODS, namespace)?);
        facts::sort_v2(&mut pods);
        let group = place.pod_group()?;
        // They were read one after the other, so that a job that is being resumed may be half there.
        let is_suspended = |object: &Value| object["spec"]["suspend"] == true;
        let any_suspended = jobs.iter().chain([&jobset]).any(is_suspended);
        let is_between = any_suspended != is_suspended(&job);
        if is_between
            || group.is_missing()
            || jobs.len() as u64 != wanted
            || !is_reached(state, &job, pods.len())
        {
            return Ok(Err(format!(
                "v2 has {} of {wanted} Jobs and {} pods: {}",
                jobs.len(),
                pods.len(),
                job["status"]
            )));
        }
        Ok(Ok(V2Objects {
            job,
            jobset,
            jobs,
            pods,
            pod_group: group.object(),
        }))
    })
}

/// Looks until `poll` has it; gives up early when an event says that it can't come.
fn wait<T>(
    api: &Api,
    namespace: &str,
    mut poll: impl FnMut() -> Result<Result<T, String>>,
) -> Result<Made<T>> {
    let start = Instant::now();
    let mut failed: Option<Instant> = None;
    loop {
        let seen = match poll()? {
            Ok(made) => return Ok(Made::Whole(made)),
            Err(seen) => seen,
        };
        thread::sleep(INTERVAL);
        let Some(failure) = failure(api, namespace)? else {
            if start.elapsed() > TIMEOUT {
                return Err(anyhow!("not within {} s: {seen}", TIMEOUT.as_secs()));
            }
            continue;
        };
        if failed.get_or_insert_with(Instant::now).elapsed() > SECOND_CHANCE {
            return Ok(Made::Refused(failure));
        }
    }
}

fn failure(api: &Api, namespace: &str) -> Result<Option<String>> {
    let events = api.list(api::EVENTS, namespace)?;
    let failure = events.iter().find(|event| {
        event["type"] == "Warning"
            && FAILURES.contains(&event["reason"].as_str().unwrap_or_default())
    });
    Ok(failure.map(|event| {
        format!(
            "{}: {}",
            event["reason"].as_str().unwrap_or_default(),
            event["message"].as_str().unwrap_or_default()
        )
    }))
}

fn is_reached(state: State, job: &Value, pods: usize) -> bool {
    let suspended = job["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Suspended" && condition["status"] == "True");
    match state {
        State::Suspended => suspended && pods == 0,
        State::Pods(count) => pods == count,
    }
}

/// Pods that aren't on their way out.
fn alive(mut pods: Vec<Value>) -> Vec<Value> {
    pods.retain(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    pods
}

fn name_of(object: &Value) -> String {
    object["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}
