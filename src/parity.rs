//! The pods that a job comes to, under v1 and under v2, compared rank by rank.
//!
//! ```text
//! objects (of a cluster, or predicted) -> facts -> compare -> differences, each declared with a reason, or not
//! ```
//!
//! The objects come from the API server, where the real operators made them, or from `predict`, which says what they
//! would make; both are read by the same code. Pure, like the converter.

mod address;
pub mod compare;
pub mod declared;
pub mod facts;
pub mod predict;
mod quantity;

use std::collections::BTreeMap;

use serde_json::Value;

/// What v1 makes of a job, as the API server has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct V1Objects {
    /// The `PyTorchJob`.
    pub job: Value,
    /// Its pods by rank: the Master, then the Workers.
    pub pods: Vec<Value>,
    /// Its `PodGroup`, under gang scheduling.
    pub pod_group: Option<Value>,
}

/// What v2 makes of a job, as the API server has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct V2Objects {
    /// The `TrainJob`.
    pub job: Value,
    /// Its `JobSet`.
    pub jobset: Value,
    /// The `JobSet`'s Jobs, in the order of their global index.
    pub jobs: Vec<Value>,
    /// The pods by rank: the order of Jobs, then of completion indexes.
    pub pods: Vec<Value>,
    /// The `PodGroup`, under gang scheduling.
    pub pod_group: Option<Value>,
}

/// What is the case, by a name that means the same under v1 and v2: `containers[trainer].env[RANK]`.
pub type Facts = BTreeMap<String, Value>;

/// A job in terms that v1 and v2 share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    /// What holds for the job as a whole: success rule, deadline, suspension, gang.
    pub job: Facts,
    /// What holds for each pod, by rank; how it is restarted, too.
    pub pods: Vec<Facts>,
    /// Variables of each pod that refer to others, as they are written; by the names of the facts that they resolve to.
    /// Never compared: they say where the text of a fact comes from.
    pub written: Vec<Facts>,
}
