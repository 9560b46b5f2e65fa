//! The labels that v1 puts on its pods, and selectors of the job itself that name them.

use serde_json::Value;

use crate::api::meta::{
    JOB_LABELS, ObjectMeta, V1_LABEL_JOB_NAME, V1_LABEL_JOB_ROLE, V1_LABEL_OPERATOR,
    V1_LABEL_REPLICA_INDEX, V1_LABEL_REPLICA_TYPE, V1_OPERATOR,
};
use crate::api::pod::PodSpec;

use super::{Context, Sources};
use crate::convert::finding::{Code, Finding, Outcome};
use crate::convert::launch::For;
use crate::convert::ledger::{Ledger, child};
use crate::convert::names::JobName;
use crate::convert::topology::{mentions, shows};

/// Labels that v1 sets on every pod, over the template's own (training-operator v1.9.3 `common/pod.go`).
const V1_LABELS: [&str; 5] = [
    V1_LABEL_JOB_NAME,
    V1_LABEL_JOB_ROLE,
    V1_LABEL_OPERATOR,
    V1_LABEL_REPLICA_INDEX,
    V1_LABEL_REPLICA_TYPE,
];

/// Takes out labels of the template that never reached a pod, because v1 overwrites them.
pub(super) fn drop_overwritten(metadata: &mut ObjectMeta, sources: &Sources, ledger: &mut Ledger) {
    for label in V1_LABELS {
        if let Some(value) = metadata.labels.remove(label) {
            let at = child(".metadata.labels", label);
            let finding = sources.finding(Code::PodLabels, Outcome::Adapted, &at);
            ledger.find(
                finding
                    .change(value, "left out")
                    .note("v1 overwrites it with its own value"),
            );
        }
    }
}

/// Takes out labels that belong to the Job: with any other value its API refuses the whole Job, after the `TrainJob` and
/// the `JobSet` were admitted.
pub(super) fn drop_job_labels(metadata: &mut ObjectMeta, sources: &Sources, ledger: &mut Ledger) {
    for label in JOB_LABELS {
        if let Some(value) = metadata.labels.remove(label) {
            let at = child(".metadata.labels", label);
            let finding = sources.finding(Code::PodLabels, Outcome::Lost, &at);
            ledger.find(
                finding
                    .had(value)
                    .note("a Job sets this label itself, and takes no other value"),
            );
        }
    }
}

/// Gives the pods v1's labels where a selector of the job names them, their own or that of the other role, or a variable or
/// file of their own shows them.
pub(super) fn keep_selected(
    metadata: &mut ObjectMeta,
    spec: &PodSpec,
    context: Context,
    sources: &Sources,
    ledger: &mut Ledger,
) {
    for label in V1_LABELS {
        let shown = || Some(format!("{}{}", sources.0.first()?, shows(spec, label)?));
        let Some(at) = selected(label, context).or_else(shown) else {
            continue;
        };
        if let Some(value) = known_value(label, context) {
            metadata.labels.insert(label.to_owned(), value.to_owned());
            let finding = sources
                .finding(Code::PodLabels, Outcome::Adapted, ".metadata.labels")
                .covering(Vec::new());
            ledger.find(
                finding
                    .change("set by v1", format!("{label}={value}"))
                    .note("a selector, variable or file of the job itself names this label"),
            );
        } else if label != V1_LABEL_JOB_ROLE {
            let why = if label == V1_LABEL_REPLICA_INDEX {
                "pods of one Job can't have different labels"
            } else {
                "the job's name isn't known yet"
            };
            let note = if at.ends_with("valueFrom") || at.contains(".volumes[") {
                format!("{why}, so what reads it finds nothing")
            } else {
                format!("{why}, so a selector that names it matches nothing")
            };
            let finding = Finding::about(Code::PodLabels, Outcome::Lost, at);
            ledger.find(finding.had(label).note(note));
        }
    }
}

/// Where a selector of any role names `label`: v1's pods are found by those of the other role, too.
fn selected(label: &str, context: Context) -> Option<String> {
    context.topology.each().find_map(|role| {
        let field = selector(&role.spec.template.spec, label)?;
        Some(format!("{}.template.spec.{field}", role.path()))
    })
}

/// The field of the pod spec in which a selector names `label`.
fn selector(spec: &PodSpec, label: &str) -> Option<&'static str> {
    let names = |values: &[Value]| values.iter().any(|value| mentions(value, &[label]));
    if names(spec.affinity.as_slice()) {
        Some("affinity")
    } else if names(&spec.topology_spread_constraints) {
        Some("topologySpreadConstraints")
    } else {
        None
    }
}

/// Takes back v1's labels that [`keep_selected`] gave the pods for the sake of something that `spec`, as much of it as is
/// put out, no longer has.
pub fn drop_unselected(metadata: &mut ObjectMeta, spec: &PodSpec, ledger: &mut Ledger) {
    for label in V1_LABELS {
        if selector(spec, label).is_some() || shows(spec, label).is_some() {
            continue;
        }
        if let Some(value) = metadata.labels.remove(label) {
            let given = Some(format!("{label}={value}"));
            ledger
                .findings
                .retain(|finding| finding.code != Code::PodLabels || finding.new != given);
        }
    }
}

/// The value that v1 gives `label` on the pods in question, if it is the same for all of them.
fn known_value<'c>(label: &str, context: Context<'c>) -> Option<&'c str> {
    let topology = context.topology;
    let masters = match context.role {
        For::Master => true,
        For::Workers => false,
        // Where both roles share a pod set, no selector tells them apart.
        For::All => topology.worker.is_none(),
    };
    let pods = match context.role {
        For::Master => 1,
        For::Workers => topology.worker.map_or(0, |worker| worker.replicas),
        For::All => topology.total(),
    };
    match (label, &context.names.job) {
        (V1_LABEL_JOB_NAME, JobName::Fixed(name)) => Some(name),
        (V1_LABEL_OPERATOR, _) => Some(V1_OPERATOR),
        (V1_LABEL_REPLICA_TYPE, _) => Some(if masters { "master" } else { "worker" }),
        (V1_LABEL_JOB_ROLE, _) => masters.then_some("master"),
        (V1_LABEL_REPLICA_INDEX, _) if pods == 1 => Some("0"),
        _ => None,
    }
}
