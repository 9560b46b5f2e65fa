//! Which pods there are: Master and Worker of v1, in one pod set or two roles of v2.

use serde_json::Value;

use crate::api::meta::{
    MASTER, V1_CONTAINER, V1_DEFAULT_PORT, V1_LABEL_JOB_ROLE, V1_LABEL_REPLICA_TYPE, V1_PORT_NAME,
    WORKER,
};
use crate::api::pod::{Container, EnvVar, Named, PodSpec, PodTemplate};
use crate::api::pytorchjob::{PyTorchJob, ReplicaSpec};

use super::finding::{Code, Finding, Outcome};
use super::ledger::Ledger;
use super::target::Layout;

/// One replica type of v1.
#[derive(Clone, Copy, Debug)]
pub struct Role<'a> {
    /// The key as the user wrote it.
    pub key: &'a str,
    /// Its spec.
    pub spec: &'a ReplicaSpec,
    /// Number of pods.
    pub replicas: i32,
}

impl Role<'_> {
    /// Path of the role in the `PyTorchJob`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("spec.pytorchReplicaSpecs.{}", self.key)
    }

    /// `restartPolicy` as v1's controller defaults it (training-operator v1.9.3 `pytorch_types.go`).
    #[must_use]
    pub fn restart_policy(&self) -> &str {
        self.spec
            .restart_policy
            .as_deref()
            .filter(|policy| !policy.is_empty())
            .unwrap_or("OnFailure")
    }
}

/// The pods of a job.
#[derive(Clone, Copy, Debug)]
pub struct Topology<'a> {
    /// The Master, which v1 may do without.
    pub master: Option<Role<'a>>,
    /// The Workers, which v1 may do without.
    pub worker: Option<Role<'a>>,
    /// Whether Master and Worker have a replicated job each.
    pub roles: bool,
}

impl<'a> Topology<'a> {
    /// Reads the replica types of a valid job and lays them out.
    ///
    /// # Errors
    /// A finding, when `layout` asks for one pod set and Master and Worker differ.
    pub fn read(job: &'a PyTorchJob, layout: Layout, ledger: &mut Ledger) -> Result<Self, Finding> {
        let role = |kind: &str| {
            job.spec
                .pytorch_replica_specs
                .iter()
                .find_map(|(key, spec)| {
                    let spec = spec.as_ref().filter(|_| key.eq_ignore_ascii_case(kind))?;
                    Some(Role {
                        key,
                        spec,
                        replicas: spec.replicas.unwrap_or(1),
                    })
                })
        };
        let (master, worker) = (role(MASTER), role(WORKER));
        for (role, kind) in [(master, MASTER), (worker, WORKER)] {
            if let Some(role) = role.filter(|role| role.key != kind) {
                let about = Finding::about(Code::ReplicaKeyCase, Outcome::Adapted, role.path());
                ledger.find(about.change(role.key, kind));
            }
        }
        let roles = match (&master, &worker) {
            (Some(master), Some(worker)) => {
                let difference = difference(master, worker);
                if let Some(difference) = difference.filter(|_| layout == Layout::One) {
                    let at = "spec.pytorchReplicaSpecs";
                    return Err(Finding::new(Code::LayoutImpossible, Outcome::Refused, at)
                        .note(format!("one pod set was asked for, but {difference}")));
                }
                if let Some(difference) = difference {
                    let about = Finding::about(
                        Code::TwoRoles,
                        Outcome::Adapted,
                        "spec.pytorchReplicaSpecs",
                    );
                    ledger.find(
                        about
                            .change("Master, Worker", "replicated jobs node, worker")
                            .note(difference),
                    );
                }
                layout == Layout::Roles || difference.is_some()
            }
            _ => false,
        };
        Ok(Self {
            master,
            worker,
            roles,
        })
    }

    /// Number of pods.
    #[must_use]
    pub fn total(&self) -> i32 {
        let count = |role: &Option<Role>| role.as_ref().map_or(0, |role| role.replicas);
        count(&self.master).saturating_add(count(&self.worker))
    }

    /// The role whose template the first pods have.
    #[must_use]
    pub fn first(&self) -> Option<&Role<'a>> {
        self.master.as_ref().or(self.worker.as_ref())
    }

    /// Both roles, Master first.
    pub fn each(&self) -> impl Iterator<Item = &Role<'a>> {
        self.master.iter().chain(self.worker.iter())
    }
}

/// Why Master and Worker can't share a pod set, if they can't.
fn difference(master: &Role, worker: &Role) -> Option<&'static str> {
    if master.restart_policy() != worker.restart_policy() {
        Some("Master and Worker have different restart policies")
    } else if !same_pods(&master.spec.template, &worker.spec.template) {
        Some("the templates of Master and Worker differ")
    } else if selects_role(&master.spec.template.spec) {
        Some("a selector or a variable tells Master from Worker by their labels")
    } else {
        None
    }
}

/// Whether two templates make the same pods. What v1 overwrites, ignores or adds by itself doesn't count.
fn same_pods(a: &PodTemplate, b: &PodTemplate) -> bool {
    let pods = |spec: &PodSpec| {
        let mut spec = PodSpec {
            restart_policy: None,
            ..spec.clone()
        };
        spec.containers
            .iter_mut()
            .filter(|container| has_default_port_only(container))
            .for_each(|container| container.ports.clear());
        spec
    };
    a.metadata.labels == b.metadata.labels
        && a.metadata.annotations == b.metadata.annotations
        && (a.spec == b.spec || pods(&a.spec) == pods(&b.spec))
}

/// Whether the training container lists the one port that v1 adds where it is missing, and no other
/// (training-operator v1.9.3 `pytorch_defaults.go`).
#[must_use]
pub fn has_default_port_only(container: &Container) -> bool {
    let [port] = container.ports.as_slice() else {
        return false;
    };
    container.name == V1_CONTAINER
        && port.name.as_deref() == Some(V1_PORT_NAME)
        && port.container_port == V1_DEFAULT_PORT
        && port
            .rest
            .iter()
            .all(|(key, value)| key == "protocol" && value == "TCP")
}

/// Whether affinity or spread select pods by the role that v1's labels give them, or the pods read it there.
fn selects_role(spec: &PodSpec) -> bool {
    let roles = [V1_LABEL_REPLICA_TYPE, V1_LABEL_JOB_ROLE];
    spec.affinity
        .iter()
        .chain(&spec.topology_spread_constraints)
        .any(|value| mentions(value, &roles))
        || roles.iter().any(|label| shows(spec, label).is_some())
}

/// Where in the pod a variable or a file shows its label `label` (downward API).
#[must_use]
pub fn shows(spec: &PodSpec, label: &str) -> Option<String> {
    let path = [format!("metadata.labels['{label}']")];
    let path = path.each_ref().map(String::as_str);
    for (list, containers) in [
        ("containers", &spec.containers),
        ("initContainers", &spec.init_containers),
    ] {
        for (index, container) in containers.iter().enumerate() {
            let source = |variable: &EnvVar| {
                let source = variable.value_from.as_ref();
                source.is_some_and(|source| mentions(source, &path))
            };
            if let Some(position) = container.env.iter().position(source) {
                return Some(format!(".spec.{list}[{index}].env[{position}].valueFrom"));
            }
        }
    }
    let fields = |volume: &Named| volume.rest.values().any(|value| mentions(value, &path));
    let index = spec.volumes.iter().position(fields)?;
    Some(format!(".spec.volumes[{index}]"))
}

/// Whether one of `words` stands anywhere in `value`, as a key or as a string.
#[must_use]
pub fn mentions(value: &Value, words: &[&str]) -> bool {
    match value {
        Value::String(text) => words.contains(&text.as_str()),
        Value::Array(items) => items.iter().any(|item| mentions(item, words)),
        Value::Object(fields) => fields
            .iter()
            .any(|(key, value)| words.contains(&key.as_str()) || mentions(value, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
