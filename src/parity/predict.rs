//! What the operators would make of a job: written from their sources, and checked against what they really make.
//!
//! ```text
//! PyTorchJob -> v1 -> pods, PodGroup
//! TrainJob + runtime -> trainer -> JobSet -> jobset -> Jobs -> job -> pods
//! ```
//!
//! Of the v1 side nothing is taken from the converter: the two are each other's proof. Not predicted is what only the API
//! server knows: uids, hashes of them, times, defaults, and what admission adds. Pods of a suspended job are those that it
//! has once it is resumed.

pub mod runtimes;

mod caveat;
mod job;
mod jobset;
mod known;
mod list;
mod overrides;
mod patch;
mod pod_group;
mod torch;
mod trainer;
mod v1;
mod value;

use serde::Serialize;
use serde_json::Value;

use super::{V1Objects, V2Objects};
use crate::api::pytorchjob::PyTorchJob;
use crate::convert::dialect::Dialect;
use crate::convert::target::GangScheduler;

pub use caveat::{Caveat, caveats};

/// What the API server makes up after a `generateName`, for which any text will do as long as it is the same everywhere.
const MADE_UP: &str = "xxxxx";

/// What training-operator v1.9.3 makes of `job`, run with this `--gang-scheduler-name`.
#[must_use]
pub fn v1(job: &PyTorchJob, gang: GangScheduler) -> V1Objects {
    v1::objects(job, gang)
}

/// What Trainer of this version, `JobSet` and Kubernetes make of `trainjob` on `runtime`: of trainshift's own types, or JSON
/// as somebody wrote it. What `caveats` tells of is left out.
#[must_use]
pub fn v2(trainjob: &impl Serialize, runtime: &impl Serialize, dialect: Dialect) -> V2Objects {
    let mut trainjob = named(serde_json::to_value(trainjob).unwrap_or_default());
    known::prune(&mut trainjob, dialect);
    let runtime = serde_json::to_value(runtime).unwrap_or_default();
    let jobset = jobset::defaulted(trainer::jobset(&trainjob, &runtime, dialect));
    let pod_group = trainer::pod_group(&trainjob, &runtime, dialect);
    let jobs = jobset::jobs(&jobset, dialect);
    let pods = jobs.iter().flat_map(job::pods).collect();
    V2Objects {
        job: trainjob,
        jobset,
        jobs,
        pods,
        pod_group,
    }
}

/// The object with a name, as the API server has it.
fn named(mut object: Value) -> Value {
    let name = name(&object["metadata"]);
    *value::path_mut(&mut object, &["metadata", "name"]) = Value::String(name);
    object
}

/// An object's name, made up where the API server would make it up.
fn name(metadata: &Value) -> String {
    let of = |key: &str| {
        metadata
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    match (of("name"), of("generateName")) {
        (Some(name), _) => name.to_owned(),
        (None, prefix) => format!("{}{MADE_UP}", prefix.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests;
