//! The short form: a `TrainJob` on a runtime that exists, with `spec.trainer` and one list of overrides, as its version
//! of Trainer has it.
//!
//! What doesn't fit is returned, not dropped: style exact then takes the long form, style idiomatic reports it as lost.

mod container;
mod ending;
mod environment;
mod pod;

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::api::Rest;
use crate::api::meta::{NODE, PATCH_MANAGER, SHIPPED_RUNTIME, TORCH_DISTRIBUTED};
use crate::api::trainjob::{
    PodSpecOverride, PodTemplateOverride, RuntimePatch, RuntimeRef, TargetJob, TrainJob,
    TrainJobSpec, Trainer,
};

use super::dialect::Dialect;
use super::finding::{Code, Finding, Outcome};
use super::gang::{self, Gang};
use super::ledger::{Ledger, prefixes};
use super::plan::Plan;
use super::trainjob;

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

    /// Whether it runs something by itself where the job names no command.
    fn has_command(self, dialect: Dialect) -> bool {
        self.name == TORCH_DISTRIBUTED && dialect.has_stock_command()
    }
}

/// What the short form is made with.
struct Writer<'p, 'a> {
    plan: &'p Plan<'a>,
    base: Base<'p>,
    ledger: &'p mut Ledger,
    unsaid: Vec<Finding>,
}

/// Writes `plan` as a `TrainJob` on `base`. Also returns a finding for each field that it doesn't say; one that refuses,
/// where the job would not train at all.
pub fn write(plan: &Plan, base: Base, ledger: &mut Ledger) -> (TrainJob, Vec<Finding>) {
    let runtime_ref = RuntimeRef {
        name: base.name.to_owned(),
        ..RuntimeRef::default()
    };
    let mut job = trainjob::skeleton(plan, runtime_ref, ledger);
    let mut writer = Writer {
        plan,
        base,
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
    let pod = writer.pod(&plan.node.template, container_patch);
    writer.ending(&plan.node.policy);
    if let Some(gang) = &plan.gang {
        writer.gang(gang);
    }
    let Writer { ledger, unsaid, .. } = writer;
    // Of what isn't said at all there is nothing more to tell.
    let covered = unsaid.iter().flat_map(|lost| &lost.covers);
    let covered: HashSet<_> = covered.map(String::as_str).collect();
    let about: HashSet<_> = unsaid.iter().map(|lost| lost.at.as_str()).collect();
    ledger.findings.retain(|finding| {
        let at = finding.at.as_str();
        !about.contains(at) && !prefixes(at).any(|prefix| covered.contains(prefix))
    });
    job.spec.trainer = Some(trainer);
    pod.write(plan.dialect, &mut job.spec);
    (job, unsaid)
}

/// What the pods have that the runtime's don't.
struct PodOverride {
    metadata: Map<String, Value>,
    spec: Rest,
}

impl PodOverride {
    /// Writes it into the list that `dialect` has for it.
    fn write(self, dialect: Dialect, to: &mut TrainJobSpec) {
        let Self { metadata, spec } = self;
        let target_jobs = vec![TargetJob {
            name: NODE.to_owned(),
        }];
        let template: Rest = [("metadata", metadata), ("spec", spec.clone())]
            .into_iter()
            .filter(|(_, part)| !part.is_empty())
            .map(|(key, part)| (key.to_owned(), Value::Object(part)))
            .collect();
        if template.is_empty() {
            return;
        }
        match dialect {
            Dialect::V2_0 => to
                .pod_spec_overrides
                .push(PodSpecOverride { target_jobs, spec }),
            Dialect::V2_1 => to.pod_template_overrides.push(PodTemplateOverride {
                target_jobs,
                template,
            }),
            Dialect::V2_2 | Dialect::V2_3 => to.runtime_patches.push(RuntimePatch {
                manager: PATCH_MANAGER.to_owned(),
                training_runtime_spec: json!({"template": {"spec": {"replicatedJobs": [
                    {"name": NODE, "template": {"spec": {"template": template}}},
                ]}}}),
            }),
        }
    }
}

impl Writer<'_, '_> {
    /// Path of the field `key` of the pod spec among the overrides.
    fn pod_field(&self, key: &str) -> String {
        format!("{}.{key}", self.plan.dialect.overrides().spec)
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
    fn gang(&mut self, gang: &Gang) {
        let at = gang::AT;
        let fields = gang.fields.iter().map(|field| format!("{at}.{field}"));
        let note = format!("runtime {} makes none", self.base.name);
        let finding = Finding::about(Code::RuntimeCannot, Outcome::Lost, at);
        self.unsaid.push(
            finding
                .covering(fields.collect())
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
