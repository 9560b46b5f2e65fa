//! Objects in, facts out: what is the case for a job and for each of its pods, by names that mean the same under v1 and v2.
//!
//! A pod is flattened as a whole, so that a field that nobody here has heard of is a fact too. Variables and commands are
//! facts as the kubelet would resolve them. When pods are restarted and when a job ends is said in words that both sides
//! share, worked out from the `PyTorchJob` on one side and from `TrainJob`, `JobSet` and Jobs on the other.

mod defaults;
mod ending;
pub mod env;
mod flatten;
mod gang;
mod metadata;
mod pod;
pub(crate) mod ranks;
mod selector;
pub mod words;

use serde_json::{Value, json};

use super::{Facts, Shape, V1Objects, V2Objects};
use crate::api::meta::{
    JOB_COMPLETION_INDEX, JOBSET_GLOBAL_INDEX, MASTER, NODE, V1_CONTAINER, V1_LABEL_JOB_NAME,
    V1_LABEL_REPLICA_INDEX, V1_LABEL_REPLICA_TYPE,
};

/// The training container, in the names of facts.
pub const TRAINER: &str = "trainer";
/// Fact of a pod that there is one: its name.
pub const NAME: &str = "name";
/// Fact of a pod: the name that it has for itself.
pub const HOSTNAME: &str = "hostname";
/// Fact of a pod: the headless service that its hostname is under.
pub const SUBDOMAIN: &str = "subdomain";
/// Fact of a v2 job: the runtime that it was made from.
pub const RUNTIME: &str = "runtime";

/// What the API server, or whoever creates the objects, makes up for each object by itself: no fact.
pub const DROPPED: [(&str, &str); 13] = [
    ("apiVersion", "the kind of object is what is compared"),
    ("kind", "the kind of object is what is compared"),
    ("status", "what became of the object, not what it is"),
    ("metadata.creationTimestamp", "made up by the API server"),
    (
        "metadata.deletionGracePeriodSeconds",
        "made up by the API server",
    ),
    ("metadata.deletionTimestamp", "made up by the API server"),
    ("metadata.generateName", "how the API server came by a name"),
    ("metadata.generation", "made up by the API server"),
    ("metadata.managedFields", "who wrote which field"),
    ("metadata.namespace", "chosen by whoever creates the job"),
    (
        "metadata.ownerReferences",
        "the owner is another kind of object by nature",
    ),
    ("metadata.resourceVersion", "made up by the API server"),
    ("metadata.uid", "made up by the API server"),
];

/// Whose objects are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Side {
    V1,
    V2,
}

impl Side {
    /// What this side calls the container that trains.
    fn training_container(self) -> &'static str {
        match self {
            Self::V1 => V1_CONTAINER,
            Self::V2 => NODE,
        }
    }
}

/// What v1 makes of a job.
#[must_use]
pub fn of_v1(objects: &V1Objects) -> Shape {
    let mut shape = ending::of_v1(objects);
    let first = objects.pods.first().unwrap_or(&Value::Null);
    let made = &first["metadata"]["labels"][V1_LABEL_JOB_NAME];
    metadata::add(&objects.job, made, &mut shape.job);
    gang::add(objects.pod_group.as_ref(), &mut shape.job);
    pod::add(&objects.pods, Side::V1, &mut shape.pods);
    shape.written = pod::written(&objects.pods, Side::V1);
    shape
}

/// What v2 makes of a job.
#[must_use]
pub fn of_v2(objects: &V2Objects) -> Shape {
    let mut shape = ending::of_v2(objects);
    metadata::add(
        &objects.job,
        &objects.jobset["metadata"]["name"],
        &mut shape.job,
    );
    gang::add(objects.pod_group.as_ref(), &mut shape.job);
    pod::add(&objects.pods, Side::V2, &mut shape.pods);
    shape.written = pod::written(&objects.pods, Side::V2);
    shape
}

/// What a pod of v2 has where nothing is said but the image.
pub(super) fn of_unsaid(image: Option<&Value>) -> Facts {
    let pod = json!({"spec": {"containers": [{"name": NODE, "image": image}]}});
    let mut pods = Vec::new();
    pod::add(&[pod], Side::V2, &mut pods);
    pods.pop().unwrap_or_default()
}

/// Sorts pods of v1 by rank: the Master, then the Workers by index
/// (training-operator v1.9.3 `pkg/controller.v1/pytorch/envvar.go`).
pub fn sort_v1(pods: &mut [Value]) {
    pods.sort_by_key(|pod| {
        let is_worker =
            label(pod, V1_LABEL_REPLICA_TYPE).is_none_or(|role| !role.eq_ignore_ascii_case(MASTER));
        (is_worker, number(label(pod, V1_LABEL_REPLICA_INDEX)))
    });
}

/// Sorts pods of v2 by rank: by the index of their Job in the `JobSet`, then by their index in the Job.
pub fn sort_v2(pods: &mut [Value]) {
    let annotation = |pod: &Value, key: &str| number(pod["metadata"]["annotations"][key].as_str());
    pods.sort_by_key(|pod| {
        (
            annotation(pod, JOBSET_GLOBAL_INDEX),
            annotation(pod, JOB_COMPLETION_INDEX),
        )
    });
}

/// Sorts the Jobs of a `JobSet` by their index in it.
pub fn sort_jobs(jobs: &mut [Value]) {
    jobs.sort_by_key(|job| number(label(job, JOBSET_GLOBAL_INDEX)));
}

fn label<'o>(object: &'o Value, key: &str) -> Option<&'o str> {
    object["metadata"]["labels"][key].as_str()
}

fn number(text: Option<&str>) -> usize {
    text.and_then(|text| text.parse().ok())
        .unwrap_or(usize::MAX)
}
