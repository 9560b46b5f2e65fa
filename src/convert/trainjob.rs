//! What every `TrainJob` has, whatever runtime it refers to: metadata, and the run policy as far as it stands there.

use crate::api::meta::{
    LAST_APPLIED, MULTIKUEUE, OWN_PREFIX, ObjectMeta, SERVER_FIELDS, TRAINER_API_VERSION, TRAINJOB,
};
use crate::api::trainjob::{RuntimeRef, TrainJob, TrainJobSpec};

use super::finding::{Code, Finding, Outcome};
use super::ledger::{Ledger, child};
use super::lifecycle;
use super::plan::Plan;

/// A `TrainJob` without a trainer.
#[must_use]
pub fn skeleton(plan: &Plan, runtime_ref: RuntimeRef, ledger: &mut Ledger) -> TrainJob {
    let policy = &plan.job.spec.run_policy;
    TrainJob {
        api_version: TRAINER_API_VERSION.to_owned(),
        kind: TRAINJOB.to_owned(),
        metadata: metadata(&plan.job.metadata, ledger),
        spec: TrainJobSpec {
            runtime_ref,
            suspend: policy.suspend.filter(|suspend| *suspend),
            active_deadline_seconds: deadline(plan, ledger),
            managed_by: policy
                .managed_by
                .clone()
                .filter(|manager| manager == MULTIKUEUE),
            ..TrainJobSpec::default()
        },
    }
}

/// The deadline, where a `TrainJob` of this version can have one.
fn deadline(plan: &Plan, ledger: &mut Ledger) -> Option<i64> {
    let seconds = plan.job.spec.run_policy.active_deadline_seconds;
    let seconds = seconds.filter(|_| plan.dialect.has_deadline())?;
    ledger.to_trainjob(lifecycle::DEADLINE, "spec.activeDeadlineSeconds");
    Some(seconds)
}

fn metadata(old: &ObjectMeta, ledger: &mut Ledger) -> ObjectMeta {
    for field in ["name", "namespace", "labels", "annotations"] {
        ledger.to_trainjob(format!("metadata.{field}"), format!("metadata.{field}"));
    }
    let mut new = ObjectMeta {
        name: old.name.clone(),
        generate_name: old.generate_name.clone(),
        namespace: old.namespace.clone(),
        labels: old.labels.clone(),
        annotations: old.annotations.clone(),
        ..ObjectMeta::default()
    };
    if old.name.is_some() && new.generate_name.take().is_some() {
        // The API server made the name up from it; a second time it would make up another.
        ledger.find(Finding::new(
            Code::ServerFields,
            Outcome::Adapted,
            "metadata.generateName",
        ));
    } else {
        ledger.to_trainjob("metadata.generateName", "metadata.generateName");
    }
    new.annotations.retain(|key, _| {
        let ours = key.starts_with(OWN_PREFIX);
        let dropped = ours || key == LAST_APPLIED;
        if dropped {
            let at = child("metadata.annotations", key);
            let finding = Finding::new(Code::ServerFields, Outcome::Adapted, at);
            ledger.find(if ours {
                finding.note("meant for trainshift, not for the job")
            } else {
                finding
            });
        }
        !dropped
    });
    for key in old.rest.keys() {
        let at = child("metadata", key);
        let (code, outcome) = match key.as_str() {
            key if SERVER_FIELDS.contains(&key) => (Code::ServerFields, Outcome::Adapted),
            "ownerReferences" | "finalizers" => (Code::ObjectLinks, Outcome::Lost),
            _ => (Code::UnknownField, Outcome::Lost),
        };
        ledger.find(Finding::new(code, outcome, at));
    }
    new
}
