//! The pods and the `PodGroup` that training-operator v1.9.3 makes of a `PyTorchJob`
//! (`pkg/controller.v1/common/pod.go`, `pkg/controller.v1/pytorch`, `pkg/apis/kubeflow.org/v1/pytorch_defaults.go`).

mod environment;

use serde_json::{Value, json};

use super::pod_group;
use crate::api::meta::{
    MASTER, V1_CONTAINER, V1_DEFAULT_PORT, V1_LABEL_JOB_NAME, V1_LABEL_JOB_ROLE, V1_LABEL_OPERATOR,
    V1_LABEL_REPLICA_INDEX, V1_LABEL_REPLICA_TYPE, V1_OPERATOR, V1_PORT_NAME, WORKER,
};
use crate::api::pod::{Container, ContainerPort, PodSpec};
use crate::api::pytorchjob::{PyTorchJob, ReplicaSpec};
use crate::convert::target::GangScheduler;
use crate::parity::V1Objects;

/// A job after v1's defaulting.
struct Defaulted<'a> {
    job: &'a PyTorchJob,
    name: String,
    master: Option<ReplicaSpec>,
    worker: Option<ReplicaSpec>,
}

/// Predicts what v1 makes of `job`.
pub(super) fn objects(job: &PyTorchJob, gang: GangScheduler) -> V1Objects {
    let value = super::named(serde_json::to_value(job).unwrap_or_default());
    let defaulted = Defaulted {
        job,
        name: super::name(&value["metadata"]),
        master: replica_spec(job, MASTER),
        worker: replica_spec(job, WORKER),
    };
    let roles = [(MASTER, &defaulted.master), (WORKER, &defaulted.worker)];
    let pods = roles.into_iter().flat_map(|(role, spec)| {
        let pod = |spec| (0..replicas(spec)).map(|index| defaulted.pod(role, spec, index, gang));
        spec.iter().flat_map(pod).collect::<Vec<_>>()
    });
    V1Objects {
        pods: pods.collect(),
        pod_group: pod_group::of_v1(job, &defaulted.name, defaulted.total(), gang),
        job: value,
    }
}

/// The spec of a role, whatever case its key is in, with v1's defaults.
fn replica_spec(job: &PyTorchJob, role: &str) -> Option<ReplicaSpec> {
    let mut specs = job.spec.pytorch_replica_specs.iter();
    let (_, spec) = specs.find(|(key, _)| key.eq_ignore_ascii_case(role))?;
    let mut spec = spec.clone()?;
    let containers = &mut spec.template.spec.containers;
    let index = containers.iter().position(is_trainer).unwrap_or_default();
    if let Some(container) = containers.get_mut(index) {
        let is_master_port = |port: &ContainerPort| port.name.as_deref() == Some(V1_PORT_NAME);
        if !container.ports.iter().any(is_master_port) {
            container.ports.push(ContainerPort {
                name: Some(V1_PORT_NAME.to_owned()),
                container_port: V1_DEFAULT_PORT,
                ..ContainerPort::default()
            });
        }
    }
    Some(spec)
}

fn is_trainer(container: &Container) -> bool {
    container.name == V1_CONTAINER
}

fn replicas(spec: &ReplicaSpec) -> i32 {
    spec.replicas.unwrap_or(1)
}

/// The port that v1 finds by its name.
fn port(spec: &ReplicaSpec) -> i32 {
    let trainers = spec
        .template
        .spec
        .containers
        .iter()
        .filter(|container| is_trainer(container));
    let mut ports = trainers.flat_map(|container| &container.ports);
    ports
        .find(|port| port.name.as_deref() == Some(V1_PORT_NAME))
        .map_or(V1_DEFAULT_PORT, |port| port.container_port)
}

impl Defaulted<'_> {
    fn total(&self) -> i32 {
        let specs = [&self.master, &self.worker];
        specs.into_iter().flatten().map(replicas).sum()
    }

    /// `<job>-<role>-<index>`, which is a pod's address as well.
    fn replica_name(&self, role: &str, index: i32) -> String {
        format!("{}-{}-{index}", self.name, role.to_lowercase())
    }

    fn pod(&self, role: &str, spec: &ReplicaSpec, index: i32, gang: GangScheduler) -> Value {
        let mut template = spec.template.clone();
        let replica_type = role.to_lowercase();
        let mut labels = vec![
            (V1_LABEL_OPERATOR, V1_OPERATOR.to_owned()),
            (V1_LABEL_JOB_NAME, self.name.clone()),
            (V1_LABEL_REPLICA_TYPE, replica_type.clone()),
            (V1_LABEL_REPLICA_INDEX, index.to_string()),
        ];
        if role == MASTER || (self.master.is_none() && index == 0) {
            labels.push((V1_LABEL_JOB_ROLE, MASTER.to_lowercase()));
        }
        let labels = labels
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value));
        template.metadata.labels.extend(labels);
        let added = self.environment(role, index);
        for container in &mut template.spec.containers {
            container.env.extend(added.iter().cloned());
        }
        template.spec.restart_policy = Some(match spec.restart_policy.as_deref() {
            Some("ExitCode") => "Never".to_owned(),
            None | Some("") => "OnFailure".to_owned(),
            Some(policy) => policy.to_owned(),
        });
        pod_group::mark_v1(&mut template, &self.name, &replica_type, gang);
        let mut metadata = json!({
            "name": self.replica_name(role, index),
            "labels": template.metadata.labels,
        });
        if !template.metadata.annotations.is_empty() {
            metadata["annotations"] = json!(template.metadata.annotations);
        }
        if let Some(finalizers) = template.metadata.rest.get("finalizers") {
            metadata["finalizers"] = finalizers.clone();
        }
        if let Some(namespace) = &self.job.metadata.namespace {
            metadata["namespace"] = json!(namespace);
        }
        let mut spec = spec_value(&template.spec);
        if role == WORKER && self.master.is_some() {
            let waiting = init_pytorch(&self.replica_name(MASTER, 0));
            match spec.get_mut("initContainers").and_then(Value::as_array_mut) {
                Some(containers) => containers.push(waiting),
                None => spec["initContainers"] = json!([waiting]),
            }
        }
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    }
}

fn spec_value(spec: &PodSpec) -> Value {
    serde_json::to_value(spec).unwrap_or_default()
}

/// What v1 puts into each worker to wait for the Master, with its defaults
/// (`pkg/controller.v1/pytorch/initcontainer.go`, `pkg/config/config.go`).
fn init_pytorch(master: &str) -> Value {
    let wait = format!(
        "err=1;for i in $(seq 100); do if nslookup {master}; then err=0 && break; fi;echo waiting for master; sleep 2; done; exit $err"
    );
    json!({
        "name": "init-pytorch",
        "image": "alpine:3.10",
        "imagePullPolicy": "IfNotPresent",
        "resources": {
            "limits": {"cpu": "100m", "memory": "20Mi"},
            "requests": {"cpu": "50m", "memory": "10Mi"},
        },
        "command": ["sh", "-c", wait],
    })
}
