//! A `JobSet`'s defaults, and the Jobs that its controller makes
//! (jobset v0.12.0 `pkg/webhooks/jobset_webhook.go`, `pkg/controllers/jobset_controller.go`; v0.8.2 knows no groups).
//!
//! Not predicted: uids and what is hashed of names (`job-key`), coordinators, exclusive placement, and claims for volumes.

use serde_json::{Map, Value, json};

use super::value::{field_mut, list, number, path_mut, text};
use crate::api::meta::{JOBSET_GLOBAL_INDEX, JOBSET_NAME};
use crate::convert::dialect::Dialect;

/// Prefix of the labels and annotations that tell a pod its place.
const PREFIX: &str = "jobset.sigs.k8s.io/";
/// Group of a replicated job that names none, by the CRD.
const DEFAULT_GROUP: &str = "default";

/// The `JobSet` as its webhook leaves it.
pub(super) fn defaulted(mut jobset: Value) -> Value {
    let spec = field_mut(&mut jobset, "spec");
    default(spec, "successPolicy", || json!({"operator": "All"}));
    default(
        spec,
        "startupPolicy",
        || json!({"startupPolicyOrder": "AnyOrder"}),
    );
    let network = field_mut(spec, "network");
    default(network, "enableDNSHostnames", || json!(true));
    default(network, "publishNotReadyAddresses", || json!(true));
    let jobs = spec.get_mut("replicatedJobs").and_then(Value::as_array_mut);
    for job in jobs.into_iter().flatten() {
        default(job, "replicas", || json!(1));
        let template = path_mut(job, &["template", "spec"]);
        default(template, "completionMode", || json!("Indexed"));
        let pods = path_mut(template, &["template", "spec"]);
        default(pods, "restartPolicy", || json!("OnFailure"));
    }
    jobset
}

fn default(object: &mut Value, key: &str, value: impl Fn() -> Value) {
    let field = field_mut(object, key);
    if field.is_null() {
        *field = value();
    }
}

/// The Jobs, in the order of their global index.
pub(super) fn jobs(jobset: &Value, dialect: Dialect) -> Vec<Value> {
    let replicated = list(&jobset["spec"], "replicatedJobs");
    let of = |replicated| {
        (0..replicas(replicated)).map(move |index| job(jobset, replicated, index, dialect))
    };
    replicated.iter().flat_map(of).collect()
}

fn replicas(replicated: &Value) -> i64 {
    number(replicated, "/replicas").unwrap_or(1)
}

fn group(replicated: &Value) -> &str {
    match text(replicated, "/groupName") {
        "" => DEFAULT_GROUP,
        group => group,
    }
}

fn job(jobset: &Value, replicated: &Value, index: i64, dialect: Dialect) -> Value {
    let jobset_name = text(jobset, "/metadata/name");
    let name = format!("{jobset_name}-{}-{index}", text(replicated, "/name"));
    let marks = marks(jobset, replicated, index, dialect);
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job"});
    job["metadata"] = replicated["template"]["metadata"].clone();
    job["spec"] = replicated["template"]["spec"].clone();
    mark(&mut job, &marks);
    let metadata = field_mut(&mut job, "metadata");
    metadata["name"] = json!(name);
    if let Some(namespace) = jobset.pointer("/metadata/namespace") {
        metadata["namespace"] = namespace.clone();
    }
    let spec = field_mut(&mut job, "spec");
    let suspend = jobset.pointer("/spec/suspend").and_then(Value::as_bool);
    *field_mut(spec, "suspend") = json!(suspend.unwrap_or_default());
    let template = field_mut(spec, "template");
    mark(template, &marks);
    let network = &jobset["spec"]["network"];
    if network["enableDNSHostnames"] == true {
        let subdomain = match text(network, "/subdomain") {
            "" => jobset_name,
            subdomain => subdomain,
        };
        *path_mut(template, &["spec", "subdomain"]) = json!(subdomain);
    }
    job
}

/// What labels and annotations alike say about a Job's place.
fn marks(jobset: &Value, replicated: &Value, index: i64, dialect: Dialect) -> Map<String, Value> {
    let all = list(&jobset["spec"], "replicatedJobs");
    let name = text(replicated, "/name");
    let place = |jobs: &[&Value]| -> i64 {
        let earlier = jobs.iter().take_while(|job| text(job, "/name") != name);
        earlier.map(|job| replicas(job)).sum::<i64>() + index
    };
    let total = |jobs: &[&Value]| -> i64 { jobs.iter().map(|job| replicas(job)).sum() };
    let everyone: Vec<&Value> = all.iter().collect();
    let mut marks = Map::new();
    let mut set = |key: &str, value: String| marks.insert(key.to_owned(), Value::String(value));
    set(JOBSET_NAME, text(jobset, "/metadata/name").to_owned());
    set(JOBSET_GLOBAL_INDEX, place(&everyone).to_string());
    let mut own = vec![
        ("replicatedjob-name", name.to_owned()),
        ("restart-attempt", "0".to_owned()),
        ("replicatedjob-replicas", replicas(replicated).to_string()),
        ("global-replicas", total(&everyone).to_string()),
        ("job-index", index.to_string()),
    ];
    if dialect > Dialect::V2_0 {
        let group = group(replicated);
        let members: Vec<&Value> = all.iter().filter(|job| self::group(job) == group).collect();
        own.push(("group-name", group.to_owned()));
        own.push(("group-replicas", total(&members).to_string()));
        own.push(("job-group-index", place(&members).to_string()));
    }
    for (key, value) in own {
        set(&format!("{PREFIX}{key}"), value);
    }
    marks
}

fn mark(object: &mut Value, marks: &Map<String, Value>) {
    for key in ["labels", "annotations"] {
        let map = path_mut(object, &["metadata", key]);
        for (key, value) in marks {
            *field_mut(map, key) = value.clone();
        }
    }
}
