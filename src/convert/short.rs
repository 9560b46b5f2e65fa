//! The short form: a `TrainJob` on a runtime that exists, with `spec.trainer` and one runtime patch.
//!
//! What doesn't fit is returned, not dropped: style exact then takes the long form, style idiomatic reports it as lost.

mod container;
mod ending;
mod environment;
mod pod;

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::api::meta::{NODE, PATCH_MANAGER, SHIPPED_RUNTIME};
use crate::api::trainjob::{RuntimePatch, RuntimeRef, TrainJob, Trainer};

use super::dialect::Dialect;
use super::finding::{Code, Finding, Outcome};
use super::ledger::Ledger;
use super::plan::Plan;
use super::trainjob;

/// Where the patch of the pod template stands in a `TrainJob`.
const PATCH: &str = "spec.runtimePatches[0].trainingRuntimeSpec.template.spec.replicatedJobs[0].template.spec.template";

/// What the short form must know of the runtime that it refers to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Base<'a> {
    /// Its name; a `ClusterTrainingRuntime`.
    pub name: &'a str,
}

impl Base<'_> {
    /// Whether it has a torch policy and the defaults of a Job, like Trainer's `torch-distributed`. Only trainshift's
    /// own is known to have v1's restart rules and no framework policy.
    fn has_torch_policy(self) -> bool {
        self.name != SHIPPED_RUNTIME
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
        writer.gang();
    }
    let Writer { ledger, unsaid, .. } = writer;
    // What isn't said at all is not also said in another way.
    let lost: HashSet<&str> = unsaid
        .iter()
        .flat_map(|lost| lost.covers.iter().chain([&lost.at]))
        .map(String::as_str)
        .collect();
    ledger.findings.retain(|finding| {
        finding.outcome != Outcome::Adapted || !lost.contains(finding.at.as_str())
    });
    job.spec.trainer = Some(trainer);
    if !pod_patch.is_empty() {
        job.spec.runtime_patches.push(runtime_patch(&pod_patch));
    }
    (job, unsaid)
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
            .plan
            .node
            .sources
            .iter()
            .map(|source| format!("{source}{suffix}"))
            .collect();
        Finding::new(code, outcome, paths.first().cloned().unwrap_or_default()).covering(paths)
    }

    /// Notes that the runtime can't carry the subtree `suffix` of the template.
    fn cannot(&mut self, suffix: &str, had: impl Into<String>) {
        let note = format!("runtime {} can't carry it", self.base.name);
        let finding = self.finding(Code::RuntimeCannot, Outcome::Lost, suffix);
        self.unsaid.push(finding.had(had).note(note));
    }

    /// Notes that the runtime makes no pod group.
    fn gang(&mut self) {
        let at = "spec.runPolicy.schedulingPolicy";
        let fields = [
            "minAvailable",
            "priorityClass",
            "queue",
            "scheduleTimeoutSeconds",
        ];
        let note = format!("runtime {} makes none", self.base.name);
        let finding = Finding::about(Code::RuntimeCannot, Outcome::Lost, at);
        self.unsaid.push(
            finding
                .covering(fields.iter().map(|field| format!("{at}.{field}")).collect())
                .had("the pod group")
                .note(note),
        );
    }

    /// Like [`Writer::cannot`], for a field of any type. A structure isn't printed: it may be long, or hold a secret.
    fn cannot_value(&mut self, suffix: &str, value: &Value) {
        let note = format!("runtime {} can't carry it", self.base.name);
        let mut finding = self.finding(Code::RuntimeCannot, Outcome::Lost, suffix);
        finding.old = match value {
            Value::String(text) if text.len() <= 60 => Some(text.clone()),
            Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
            Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        };
        self.unsaid.push(finding.note(note));
    }
}
