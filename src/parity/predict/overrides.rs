//! What a `TrainJob` says over its runtime's template, in the words of each version of Trainer
//! (trainer v2.0.1, v2.1.0, v2.2.1, v2.3.0 `pkg/runtime/core/trainingruntime.go`).

use serde_json::{Map, Value, json};

use super::list::by_name;
use super::patch;
use super::value::{list, path_mut};
use crate::convert::dialect::Dialect;

/// The runtime's template with what the `TrainJob` says over it, in the words of its version.
pub(super) fn template(trainjob: &Value, runtime: &Value, dialect: Dialect) -> Value {
    let mut template = runtime["spec"]["template"].clone();
    if !template.is_object() {
        template = json!({});
    }
    let spec = &trainjob["spec"];
    match dialect {
        Dialect::V2_0 | Dialect::V2_1 => {
            for key in ["labels", "annotations"] {
                if let Some(map) = spec.get(key).filter(|map| map.is_object()) {
                    patch::merge(&mut template, &json!({"metadata": {key: map}}));
                }
            }
            let key = if dialect == Dialect::V2_0 {
                "podSpecOverrides"
            } else {
                "podTemplateOverrides"
            };
            for over in list(spec, key) {
                for job in replicated_jobs_mut(&mut template) {
                    if list(over, "targetJobs")
                        .iter()
                        .any(|target| by_name(target, job))
                    {
                        override_pods(
                            path_mut(job, &["template", "spec", "template"]),
                            over,
                            dialect,
                        );
                    }
                }
            }
        }
        Dialect::V2_2 | Dialect::V2_3 => {
            for patches in list(spec, "runtimePatches") {
                let patch = &patches["trainingRuntimeSpec"]["template"];
                if patch.is_object() {
                    let known = only_known_jobs(patch, &template, dialect);
                    patch::merge(&mut template, &known);
                }
            }
            restore_order(&mut template, &runtime["spec"]["template"]);
        }
    }
    template
}

fn override_pods(pods: &mut Value, over: &Value, dialect: Dialect) {
    let Value::Object(fields) = over else { return };
    let mut fields: Map<_, _> = fields.clone();
    fields.remove("targetJobs");
    let patch = match dialect {
        Dialect::V2_0 => json!({"spec": fields}),
        _ => Value::Object(fields),
    };
    patch::merge(pods, &patch);
}

/// Trainer 2.2 looks each job of a patch up in the runtime; 2.3 merges the list, and so adds what isn't there.
fn only_known_jobs(patch: &Value, template: &Value, dialect: Dialect) -> Value {
    let mut patch = patch.clone();
    if dialect == Dialect::V2_2 {
        let known = list(&template["spec"], "replicatedJobs");
        if let Some(jobs) = patch
            .pointer_mut("/spec/replicatedJobs")
            .and_then(Value::as_array_mut)
        {
            jobs.retain(|job| known.iter().any(|other| by_name(job, other)));
        }
    }
    patch
}

fn restore_order(template: &mut Value, runtime: &Value) {
    let order = list(&runtime["spec"], "replicatedJobs");
    if let Some(jobs) = template
        .pointer_mut("/spec/replicatedJobs")
        .and_then(Value::as_array_mut)
    {
        jobs.sort_by_key(|job| order.iter().position(|other| by_name(job, other)));
    }
}

/// The replicated jobs of a template.
pub(super) fn replicated_jobs_mut(template: &mut Value) -> impl Iterator<Item = &mut Value> {
    let jobs = template
        .pointer_mut("/spec/replicatedJobs")
        .and_then(Value::as_array_mut);
    jobs.into_iter().flatten().filter(|job| job.is_object())
}
