//! The short form: a `TrainJob` on a runtime that exists, with `spec.trainer` and one runtime patch.
//!
//! What doesn't fit is returned, not dropped: style exact then takes the long form, style idiomatic reports it as lost.

use serde_json::{Map, Value, json};

use crate::api::meta::{NODE, PATCH_MANAGER, SHIPPED_RUNTIME, V1_PORT_NAME};
use crate::api::pod::{Container, ContainerPort, PodTemplate};
use crate::api::trainjob::{RuntimePatch, RuntimeRef, TrainJob, Trainer};

use super::dialect::{Dialect, MAX_IMAGE, MAX_ITEMS};
use super::finding::{Code, Finding, Outcome};
use super::launch::{PROCESSES, RESERVED};
use super::ledger::Ledger;
use super::lifecycle::{JobPolicy, UNLIMITED};
use super::plan::{Plan, PodSet};
use super::runtime::unset_backoff_limit;
use super::trainjob;

/// A Job's `backoffLimit` when its template has none.
const JOB_BACKOFF_LIMIT: i32 = 6;
/// Where the patch of the pod template stands in a `TrainJob`.
const PATCH: &str = "spec.runtimePatches[0].trainingRuntimeSpec.template.spec.replicatedJobs[0].template.spec.template";

/// What the short form must know of the runtime that it refers to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Base<'a> {
    /// Its name; a `ClusterTrainingRuntime`.
    pub name: &'a str,
}

impl Base<'_> {
    /// Whether it is trainshift's own, which has v1's restart rules and no framework policy. Any other is taken for one
    /// like Trainer's `torch-distributed`: a torch policy, and the defaults of a Job.
    fn is_shipped(self) -> bool {
        self.name == SHIPPED_RUNTIME
    }
}

/// What the short form is made with.
struct Writer<'p, 'a> {
    plan: &'p Plan<'a>,
    base: Base<'p>,
    dialect: Dialect,
    ledger: &'p mut Ledger,
    unsaid: Vec<Finding>,
}

/// Writes `plan` as a `TrainJob` on `base`. Also returns a finding for each field that it doesn't say.
pub fn write(
    plan: &Plan,
    base: Base,
    dialect: Dialect,
    ledger: &mut Ledger,
) -> (TrainJob, Vec<Finding>) {
    let runtime_ref = RuntimeRef {
        name: base.name.to_owned(),
        ..RuntimeRef::default()
    };
    let mut job = trainjob::skeleton(plan, runtime_ref, ledger);
    let mut writer = Writer {
        plan,
        base,
        dialect,
        ledger,
        unsaid: Vec::new(),
    };
    let mut trainer = Trainer {
        num_nodes: Some(plan.topology.total()),
        ..Trainer::default()
    };
    let mut container_patch = Map::new();
    for (index, container) in plan.node.template.spec.containers.iter().enumerate() {
        if container.name == NODE {
            writer.main_container(index, container, &mut trainer, &mut container_patch);
        } else {
            writer.cannot(
                &format!(".spec.containers[{index}]"),
                format!("sidecar {}", container.name),
            );
        }
    }
    let pod_patch = writer.pod(&plan.node.template, container_patch);
    writer.ending(&plan.node.policy);
    if plan.gang.is_some() {
        let finding = Finding::about(
            Code::RuntimeCannot,
            Outcome::Lost,
            "spec.runPolicy.schedulingPolicy",
        );
        writer.unsaid.push(finding.had("the pod group"));
    }
    job.spec.trainer = Some(trainer);
    if !pod_patch.is_empty() {
        job.spec.runtime_patches.push(runtime_patch(&pod_patch));
    }
    (job, writer.unsaid)
}

fn runtime_patch(pod: &Map<String, Value>) -> RuntimePatch {
    RuntimePatch {
        manager: PATCH_MANAGER.to_owned(),
        training_runtime_spec: json!({"template": {"spec": {"replicatedJobs": [
            {"name": NODE, "template": {"spec": {"template": pod}}},
        ]}}}),
    }
}

impl Writer<'_, '_> {
    fn pods(&self) -> &PodSet {
        &self.plan.node
    }

    /// Notes that the subtree `suffix` of the template stands at `path`.
    fn moved(&mut self, suffix: &str, path: &str) {
        for source in &self.plan.node.sources {
            self.ledger.to_trainjob(format!("{source}{suffix}"), path);
        }
    }

    /// Notes that leaving out the subtree `suffix` of the template says the same.
    fn default(&mut self, suffix: &str) {
        for source in &self.plan.node.sources {
            self.ledger.is_default(format!("{source}{suffix}"));
        }
    }

    fn finding(&self, code: Code, outcome: Outcome, suffix: &str) -> Finding {
        let paths: Vec<_> = self
            .pods()
            .sources
            .iter()
            .map(|source| format!("{source}{suffix}"))
            .collect();
        Finding::new(code, outcome, paths[0].clone()).covering(paths)
    }

    /// Notes that the runtime can't carry the subtree `suffix` of the template.
    fn cannot(&mut self, suffix: &str, had: impl Into<String>) {
        let note = format!("runtime {} can't carry it", self.base.name);
        let finding = self.finding(Code::RuntimeCannot, Outcome::Lost, suffix);
        self.unsaid.push(finding.had(had).note(note));
    }

    fn main_container(
        &mut self,
        index: usize,
        from: &Container,
        to: &mut Trainer,
        patch: &mut Map<String, Value>,
    ) {
        let at = format!(".spec.containers[{index}]");
        let image = from.image.as_deref().unwrap_or_default();
        if image.len() > MAX_IMAGE {
            self.cannot(
                &format!("{at}.image"),
                format!("an image of {} characters", image.len()),
            );
        } else {
            self.moved(&format!("{at}.image"), "spec.trainer.image");
            to.image.clone_from(&from.image);
        }
        for (list, items, into) in [
            ("command", &from.command, &mut to.command),
            ("args", &from.args, &mut to.args),
        ] {
            if items.len() > MAX_ITEMS {
                self.cannot(&format!("{at}.{list}"), format!("{} items", items.len()));
            } else {
                self.moved(&format!("{at}.{list}"), &format!("spec.trainer.{list}"));
                into.clone_from(items);
            }
        }
        self.environment(&at, from, to);
        self.ports(&at, &from.ports);
        for (key, value) in &from.resources {
            if key == "limits" || key == "requests" {
                self.moved(
                    &format!("{at}.resources.{key}"),
                    &format!("spec.trainer.resourcesPerNode.{key}"),
                );
                to.resources_per_node.insert(key.clone(), value.clone());
            } else {
                self.cannot(&format!("{at}.resources.{key}"), key.as_str());
            }
        }
        self.mounts(&at, from, patch);
        for (key, value) in &from.rest {
            let suffix = format!("{at}.{key}");
            if key == "securityContext" {
                self.moved(
                    &suffix,
                    &format!("{PATCH}.spec.containers[0].securityContext"),
                );
                patch.insert(key.clone(), value.clone());
            } else if key == "imagePullPolicy" && value == default_pull_policy(image) {
                self.default(&suffix);
            } else {
                self.cannot(&suffix, text(value));
            }
        }
    }

    fn environment(&mut self, at: &str, from: &Container, to: &mut Trainer) {
        let own_torch_policy = self.base.is_shipped();
        to.env.clone_from(&from.env);
        if !own_torch_policy {
            to.env
                .retain(|variable| !RESERVED.contains(&variable.name.as_str()));
        }
        if to.env.len() > MAX_ITEMS {
            self.cannot(&format!("{at}.env"), format!("{} variables", to.env.len()));
            to.env.truncate(MAX_ITEMS);
        } else {
            self.moved(&format!("{at}.env"), "spec.trainer.env");
        }
        for (field, name) in self.plan.node.launch.carried.clone() {
            if own_torch_policy || name != PROCESSES {
                self.ledger
                    .to_trainjob(field, format!("spec.trainer.env[{name}].value"));
            }
        }
        if !own_torch_policy {
            self.torch_policy(from, to);
        }
    }

    /// What a torch policy of the runtime says instead of variables (trainer v2.3.0 `plugins/torch/torch.go`).
    fn torch_policy(&mut self, from: &Container, to: &mut Trainer) {
        let value = |name: &str| {
            from.env
                .iter()
                .rev()
                .find(|variable| variable.name == name)
                .and_then(|variable| variable.value.as_deref())
        };
        let carried = self
            .plan
            .node
            .launch
            .carried
            .iter()
            .find(|(_, name)| *name == PROCESSES);
        let field = carried
            .map_or("spec.nprocPerNode", |(field, _)| field.as_str())
            .to_owned();
        match value(PROCESSES) {
            Some(processes) if processes.parse::<i32>().is_ok() => {
                to.num_proc_per_node = processes.parse().ok();
                self.ledger
                    .to_trainjob(field, "spec.trainer.numProcPerNode");
            }
            Some("auto") => {
                let finding = Finding::new(Code::ProcPerNode, Outcome::Adapted, field);
                self.ledger
                    .find(finding.change("auto", "auto, as Trainer computes it"));
            }
            Some(other) => {
                let finding = Finding::new(Code::ProcPerNode, Outcome::Lost, field);
                self.unsaid.push(
                    finding
                        .had(other)
                        .note("a torch policy takes a number only"),
                );
            }
            None => {}
        }
        if let Some(port) = value("PET_MASTER_PORT").filter(|port| *port != "29500") {
            let about = Finding::about(Code::MasterAddress, Outcome::Adapted, "PET_MASTER_PORT");
            self.ledger.find(
                about
                    .change(port, "29500")
                    .note("torchrun's port is Trainer's own; MASTER_PORT is kept"),
            );
        }
        if let Some(range) = value("PET_NNODES").filter(|range| range.contains(':')) {
            let finding = Finding::new(
                Code::ElasticRange,
                Outcome::Lost,
                "spec.elasticPolicy.minReplicas",
            );
            let covers =
                ["minReplicas", "maxReplicas"].map(|field| format!("spec.elasticPolicy.{field}"));
            let note = "a torch policy sets PET_NNODES to the number of pods";
            self.unsaid
                .push(finding.covering(covers.to_vec()).had(range).note(note));
        }
    }

    fn ports(&mut self, at: &str, ports: &[ContainerPort]) {
        let at = format!("{at}.ports");
        let plain = |port: &ContainerPort| {
            port.name.as_deref() == Some(V1_PORT_NAME)
                && port
                    .rest
                    .iter()
                    .all(|(key, value)| key == "protocol" && value == "TCP")
        };
        if ports.is_empty() {
        } else if ports.iter().all(plain) {
            let finding = self.finding(Code::Ports, Outcome::Adapted, &at);
            let number = ports[0].container_port;
            self.ledger.find(finding.change(
                format!("{V1_PORT_NAME} {number}"),
                "left out; MASTER_PORT says it",
            ));
        } else {
            let numbers: Vec<_> = ports
                .iter()
                .map(|port| port.container_port.to_string())
                .collect();
            self.cannot(&at, numbers.join(", "));
        }
    }

    fn mounts(&mut self, at: &str, from: &Container, patch: &mut Map<String, Value>) {
        let at = format!("{at}.volumeMounts");
        let mounts = &from.volume_mounts;
        // The API keys mounts by volume, so that one volume can't be mounted twice.
        let twice = mounts
            .iter()
            .enumerate()
            .any(|(index, mount)| mounts[..index].iter().any(|m| m.name == mount.name));
        if twice || mounts.len() > MAX_ITEMS {
            self.cannot(&at, format!("{} mounts", mounts.len()));
        } else if !mounts.is_empty() {
            self.moved(&at, &format!("{PATCH}.spec.containers[0].volumeMounts"));
            patch.insert("volumeMounts".to_owned(), json!(mounts));
        }
    }

    fn pod(&mut self, template: &PodTemplate, container: Map<String, Value>) -> Map<String, Value> {
        let mut metadata = Map::new();
        for (key, entries) in [
            ("labels", &template.metadata.labels),
            ("annotations", &template.metadata.annotations),
        ] {
            self.moved(
                &format!(".metadata.{key}"),
                &format!("{PATCH}.metadata.{key}"),
            );
            if !entries.is_empty() {
                metadata.insert(key.to_owned(), json!(entries));
            }
        }
        let spec = &template.spec;
        let mut patch = Map::new();
        for (index, init) in spec.init_containers.iter().enumerate() {
            self.cannot(
                &format!(".spec.initContainers[{index}]"),
                format!("init container {}", init.name),
            );
        }
        if !spec.volumes.is_empty() {
            self.moved(".spec.volumes", &format!("{PATCH}.spec.volumes"));
            patch.insert("volumes".to_owned(), json!(spec.volumes));
        }
        if let Some(affinity) = &spec.affinity {
            self.moved(".spec.affinity", &format!("{PATCH}.spec.affinity"));
            patch.insert("affinity".to_owned(), affinity.clone());
        }
        for (key, value) in [
            ("schedulerName", &spec.scheduler_name),
            ("priorityClassName", &spec.priority_class_name),
        ] {
            if let Some(value) = value {
                self.cannot(&format!(".spec.{key}"), value);
            }
        }
        if !spec.topology_spread_constraints.is_empty() {
            self.cannot(".spec.topologySpreadConstraints", "the spread");
        }
        for (key, value) in &spec.rest {
            let suffix = format!(".spec.{key}");
            if self.dialect.can_patch(key) {
                self.moved(&suffix, &format!("{PATCH}.spec.{key}"));
                patch.insert(key.clone(), value.clone());
            } else if key == "serviceAccount"
                && spec
                    .rest
                    .get("serviceAccountName")
                    .is_none_or(|name| name == value)
            {
                self.moved(&suffix, &format!("{PATCH}.spec.serviceAccountName"));
                patch.insert("serviceAccountName".to_owned(), value.clone());
            } else {
                self.cannot(&suffix, text(value));
            }
        }
        if !container.is_empty() {
            let mut named = Map::from_iter([("name".to_owned(), Value::from(NODE))]);
            named.extend(container);
            patch.insert("containers".to_owned(), json!([named]));
        }
        let mut pod = Map::new();
        for (key, part) in [("metadata", metadata), ("spec", patch)] {
            if !part.is_empty() {
                pod.insert(key.to_owned(), Value::Object(part));
            }
        }
        pod
    }

    /// How the runtime's pods end, beside how the job's should.
    fn ending(&mut self, wanted: &JobPolicy) {
        let base_limit = if self.base.is_shipped() {
            UNLIMITED
        } else {
            JOB_BACKOFF_LIMIT
        };
        for role in self.plan.topology.each() {
            let at = format!("{}.restartPolicy", role.path());
            if wanted.restart_policy == "OnFailure" {
                self.ledger.is_default(at);
            } else {
                let finding = Finding::new(Code::RuntimeCannot, Outcome::Lost, at)
                    .change(role.restart_policy(), "OnFailure");
                self.unsaid
                    .push(finding.note(format!("runtime {} restarts in place", self.base.name)));
            }
        }
        let at = "spec.runPolicy.backoffLimit";
        let given = self.plan.job.spec.run_policy.backoff_limit;
        match given {
            Some(limit) if wanted.backoff_limit != base_limit => {
                let finding = Finding::new(Code::BackoffLimit, Outcome::Lost, at);
                let note = format!("the limit is runtime {}'s", self.base.name);
                self.unsaid.push(
                    finding
                        .change(limit.to_string(), base_limit.to_string())
                        .note(note),
                );
            }
            Some(_) => self.ledger.is_default(at),
            None if wanted.backoff_limit == UNLIMITED && self.base.is_shipped() => {
                self.ledger
                    .find(unset_backoff_limit(Outcome::Adapted, UNLIMITED));
            }
            None if wanted.backoff_limit == UNLIMITED => {
                self.unsaid
                    .push(unset_backoff_limit(Outcome::Lost, JOB_BACKOFF_LIMIT));
            }
            None => {}
        }
        if wanted.success_policy.is_some() {
            let about =
                Finding::about(Code::SuccessRule, Outcome::Lost, "spec.pytorchReplicaSpecs");
            let old = if self.plan.topology.master.is_some() {
                "its Master"
            } else {
                "the first worker"
            };
            self.unsaid.push(about.change(
                format!("the job succeeds with {old}"),
                "when all pods have succeeded",
            ));
        }
    }
}

/// What Kubernetes takes when a container names no pull policy (`core/v1` defaults).
fn default_pull_policy(image: &str) -> &'static str {
    let name = image.rsplit('/').next().unwrap_or(image);
    let latest =
        !image.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    if latest { "Always" } else { "IfNotPresent" }
}

/// A value for people: strings without quotes, long ones cut.
fn text(value: &Value) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    if text.chars().count() > 60 {
        text.chars().take(59).chain(['…']).collect()
    } else {
        text
    }
}
