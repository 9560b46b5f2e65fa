//! The `JobSet` and the `PodGroup` that Kubeflow Trainer makes of a `TrainJob` and its runtime.
//!
//! ```text
//! runtime's template -> overrides of the TrainJob -> ML policy -> spec.trainer -> gang scheduling
//! ```
//!
//! Source: trainer v2.0.1, v2.1.0, v2.2.1, v2.3.0 `pkg/runtime/core/trainingruntime.go` and
//! `pkg/runtime/framework/plugins/{jobset,plainml,coscheduling,volcano}`. MPI and JAX are not predicted.

use serde_json::{Value, json};

use super::list::{Same, by_mount_path, by_name, by_port_or_name, upsert};
use super::overrides::{replicated_jobs_mut, template};
use super::value::{field_mut, list, list_mut, number, path_mut, text};
use super::{name, patch, pod_group, torch};
use crate::api::meta::{ANCESTOR_TRAINER, LABEL_ANCESTOR, NODE, VOLCANO_QUEUE};
use crate::convert::dialect::Dialect;
use crate::convert::target::GangScheduler;

/// Seconds that a group of the coscheduling plugin waits, by the CRD of the runtimes.
const DEFAULT_SCHEDULE_TIMEOUT: i64 = 60;

/// The `JobSet`, before its own defaults.
pub(super) fn jobset(trainjob: &Value, runtime: &Value, dialect: Dialect) -> Value {
    let mut template = template(trainjob, runtime, dialect);
    let counts = counts(&template, trainjob, runtime);
    let name = name(&trainjob["metadata"]);
    let gang = gang(runtime, dialect);
    let trainer = trainjob
        .pointer("/spec/trainer")
        .filter(|trainer| trainer.is_object());
    for (job, count) in replicated_jobs_mut(&mut template).zip(&counts) {
        let is_trainer = is_trainer(job);
        if is_trainer {
            job["replicas"] = json!(1);
        }
        let spec = path_mut(job, &["template", "spec"]);
        *field_mut(spec, "parallelism") = json!(count);
        *field_mut(spec, "completions") = json!(count);
        let pods = field_mut(spec, "template");
        for container in containers_mut(pods, "containers") {
            let is_node = is_trainer && container["name"] == NODE;
            let trainer = trainer.filter(|_| is_node);
            if let Some(trainer) = trainer.filter(|_| dialect >= Dialect::V2_3) {
                merge_resources(container, trainer);
            }
            let (mut env, mut ports) = (
                list(container, "env").to_vec(),
                list(container, "ports").to_vec(),
            );
            if let Some(trainer) = trainer {
                upsert(&mut env, list(trainer, "env"), by_name);
                if let Some(policy) = torch_policy(runtime) {
                    let processes =
                        torch::processes(trainer, policy, &container["resources"], dialect);
                    let command = list(trainer, "command");
                    upsert(
                        &mut env,
                        &torch::environment(&name, *count, &processes, command),
                        by_name,
                    );
                    upsert(
                        &mut ports,
                        &[json!({"containerPort": torch::PORT})],
                        by_port_or_name,
                    );
                }
            }
            put_back(container, &env, &ports);
            if let Some(trainer) = trainer {
                set_trainer(container, trainer, dialect);
            }
        }
        if dialect >= Dialect::V2_3 {
            for container in containers_mut(pods, "initContainers") {
                let (env, ports) = (
                    list(container, "env").to_vec(),
                    list(container, "ports").to_vec(),
                );
                put_back(container, &env, &ports);
            }
        }
        mark(pods, &name, gang);
    }
    let mut spec = template.get("spec").cloned().unwrap_or_else(|| json!({}));
    if let Some(suspend) = trainjob
        .pointer("/spec/suspend")
        .filter(|suspend| !suspend.is_null())
    {
        *field_mut(&mut spec, "suspend") = suspend.clone();
    }
    let mut metadata = metadata(trainjob);
    for key in ["labels", "annotations"] {
        if let Some(map) = template["metadata"].get(key).filter(|map| !map.is_null()) {
            metadata[key] = map.clone();
        }
    }
    json!({"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": metadata, "spec": spec})
}

/// Name and namespace of the `TrainJob`, which are those of everything that Trainer makes for it.
fn metadata(trainjob: &Value) -> Value {
    let mut metadata = json!({"name": name(&trainjob["metadata"])});
    if let Some(namespace) = trainjob.pointer("/metadata/namespace") {
        metadata["namespace"] = namespace.clone();
    }
    metadata
}

/// Pods of each replicated job.
fn counts(template: &Value, trainjob: &Value, runtime: &Value) -> Vec<i64> {
    let policy = &runtime["spec"]["mlPolicy"];
    let of_job = |job: &Value| {
        if is_trainer(job) && !policy.is_null() {
            let of_runtime = || number(policy, "/numNodes").unwrap_or(1).max(1);
            number(trainjob, "/spec/trainer/numNodes").unwrap_or_else(of_runtime)
        } else {
            number(job, "/template/spec/parallelism")
                .unwrap_or(1)
                .max(1)
        }
    };
    list(&template["spec"], "replicatedJobs")
        .iter()
        .map(of_job)
        .collect()
}

/// Trainer writes every container's lists into themselves, which changes those that name something twice.
fn put_back(container: &mut Value, env: &[Value], ports: &[Value]) {
    let mounts = list(container, "volumeMounts").to_vec();
    let lists: [(&str, &[Value], Same); 3] = [
        ("env", env, by_name),
        ("ports", ports, by_port_or_name),
        ("volumeMounts", &mounts, by_mount_path),
    ];
    for (key, items, same) in lists {
        if !items.is_empty()
            && let Some(into) = list_mut(container, key)
        {
            upsert(into, items, same);
        }
    }
}

fn set_trainer(container: &mut Value, trainer: &Value, dialect: Dialect) {
    for key in ["image", "command", "args"] {
        if let Some(value) = trainer.get(key).filter(|value| !value.is_null()) {
            container[key] = value.clone();
        }
    }
    let resources = trainer.get("resourcesPerNode").filter(|resources| {
        ["limits", "requests"]
            .iter()
            .any(|key| resources.get(key).is_some_and(Value::is_object))
    });
    if dialect < Dialect::V2_3
        && let Some(resources) = resources
    {
        container["resources"] = limits_and_requests(resources);
    }
    if !list(trainer, "env").is_empty()
        && let Some(env) = list_mut(container, "env")
    {
        upsert(env, list(trainer, "env"), by_name);
    }
}

/// From 2.3 on, each resource by itself.
fn merge_resources(container: &mut Value, trainer: &Value) {
    if let Some(resources) = trainer
        .get("resourcesPerNode")
        .filter(|resources| resources.is_object())
    {
        let mut merged = container
            .get("resources")
            .cloned()
            .unwrap_or_else(|| json!({}));
        patch::merge(&mut merged, resources);
        container["resources"] = limits_and_requests(&merged);
    }
}

/// Claims get lost.
fn limits_and_requests(resources: &Value) -> Value {
    let mut only = resources.clone();
    if let Some(fields) = only.as_object_mut() {
        fields.retain(|key, _| key == "limits" || key == "requests");
    }
    only
}

/// What schedules the gang, by the runtime. Trainer 2.0 knows no Volcano.
fn gang(runtime: &Value, dialect: Dialect) -> GangScheduler {
    let policy = &runtime["spec"]["podGroupPolicy"];
    if policy
        .get("coscheduling")
        .is_some_and(|policy| !policy.is_null())
    {
        GangScheduler::SchedulerPlugins
    } else if dialect > Dialect::V2_0
        && policy
            .get("volcano")
            .is_some_and(|policy| !policy.is_null())
    {
        GangScheduler::Volcano
    } else {
        GangScheduler::None
    }
}

fn mark(pods: &mut Value, job: &str, gang: GangScheduler) {
    match gang {
        GangScheduler::None => {}
        GangScheduler::Volcano => {
            *path_mut(pods, &["metadata", "annotations", pod_group::VOLCANO_GROUP]) = json!(job);
        }
        GangScheduler::SchedulerPlugins => {
            *path_mut(pods, &["metadata", "labels", pod_group::COSCHEDULING_GROUP]) = json!(job);
        }
    }
}

/// The group that Trainer makes, if the runtime asks for one. It counts each replicated job once, whatever its replicas.
pub(super) fn pod_group(trainjob: &Value, runtime: &Value, dialect: Dialect) -> Option<Value> {
    let template = template(trainjob, runtime, dialect);
    let gang = gang(runtime, dialect);
    let members: i64 = counts(&template, trainjob, runtime).iter().sum();
    let mut spec = json!({"minMember": members});
    if gang == GangScheduler::Volcano {
        if let Some(queue) = template["metadata"]["annotations"].get(VOLCANO_QUEUE) {
            spec["queue"] = queue.clone();
        }
        for job in list(&template["spec"], "replicatedJobs") {
            let class = text(job, "/template/spec/template/spec/priorityClassName");
            if !class.is_empty() {
                spec["priorityClassName"] = json!(class);
            }
        }
    } else {
        let policy = &runtime["spec"]["podGroupPolicy"]["coscheduling"];
        let asked = number(policy, "/scheduleTimeoutSeconds");
        spec["scheduleTimeoutSeconds"] = json!(asked.unwrap_or(DEFAULT_SCHEDULE_TIMEOUT));
    }
    pod_group::group(gang, &metadata(trainjob), &spec)
}

fn torch_policy(runtime: &Value) -> Option<&Value> {
    runtime["spec"]["mlPolicy"]
        .get("torch")
        .filter(|policy| !policy.is_null())
}

fn is_trainer(job: &Value) -> bool {
    job["template"]["metadata"]["labels"][LABEL_ANCESTOR] == ANCESTOR_TRAINER
}

fn containers_mut<'a>(pods: &'a mut Value, key: &str) -> impl Iterator<Item = &'a mut Value> {
    let containers = pods
        .get_mut("spec")
        .and_then(|spec| spec.get_mut(key)?.as_array_mut());
    containers
        .into_iter()
        .flatten()
        .filter(|container| container.is_object())
}
