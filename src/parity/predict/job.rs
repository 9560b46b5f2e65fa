//! The pods of a Job (kubernetes v1.36.3 `pkg/controller/job/{job_controller,indexed_job_utils}.go`,
//! `pkg/registry/batch/job/strategy.go`), without the random end of their names.

use serde_json::{Value, json};

use super::value::{field_mut, list_mut, number, path_mut, text};
use crate::api::meta::JOB_COMPLETION_INDEX;

/// The variable with a pod's index, which the Job controller adds to every container.
const INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";
/// Labels with the Job's name.
const NAME_LABELS: [&str; 2] = ["job-name", "batch.kubernetes.io/job-name"];

/// The pods that run at a time, by completion index.
pub(super) fn pods(job: &Value) -> Vec<Value> {
    let of_spec = |key| number(job, key).unwrap_or(1);
    let count = of_spec("/spec/parallelism").min(of_spec("/spec/completions"));
    let pod = template(job);
    (0..count)
        .map(|index| at_index(pod.clone(), job, index))
        .collect()
}

/// What all pods have alike.
fn template(job: &Value) -> Value {
    let template = &job["spec"]["template"];
    let mut pod =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": template["spec"]});
    for key in ["labels", "annotations", "finalizers"] {
        if let Some(value) = template["metadata"]
            .get(key)
            .filter(|value| !value.is_null())
        {
            pod["metadata"][key] = value.clone();
        }
    }
    if let Some(namespace) = job.pointer("/metadata/namespace") {
        pod["metadata"]["namespace"] = namespace.clone();
    }
    for label in NAME_LABELS {
        *path_mut(&mut pod, &["metadata", "labels", label]) = job["metadata"]["name"].clone();
    }
    let finalizers = list_mut(field_mut(&mut pod, "metadata"), "finalizers");
    if let Some(finalizers) = finalizers {
        finalizers.push(json!("batch.kubernetes.io/job-tracking"));
    }
    pod
}

fn at_index(mut pod: Value, job: &Value, index: i64) -> Value {
    let name = format!("{}-{index}", text(job, "/metadata/name"));
    *path_mut(&mut pod, &["metadata", "name"]) = json!(name);
    if job["spec"]["completionMode"] != "Indexed" {
        return pod;
    }
    for key in ["labels", "annotations"] {
        *path_mut(&mut pod, &["metadata", key, JOB_COMPLETION_INDEX]) = json!(index.to_string());
    }
    if !job["spec"]["backoffLimitPerIndex"].is_null() {
        let failures = "batch.kubernetes.io/job-index-failure-count";
        *path_mut(&mut pod, &["metadata", "annotations", failures]) = json!("0");
    }
    let spec = field_mut(&mut pod, "spec");
    *field_mut(spec, "hostname") = json!(name);
    for key in ["initContainers", "containers"] {
        let containers = spec.get_mut(key).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            add_index(container);
        }
    }
    pod
}

fn add_index(container: &mut Value) {
    let Some(env) = list_mut(container, "env") else {
        return;
    };
    if !env
        .iter()
        .any(|variable| variable["name"] == INDEX_VARIABLE)
    {
        let field_path = format!("metadata.labels['{JOB_COMPLETION_INDEX}']");
        env.push(
            json!({"name": INDEX_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": field_path}}}),
        );
    }
}
