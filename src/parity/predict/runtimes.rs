//! `ClusterTrainingRuntimes` that need not be given: Trainer's own for `PyTorch`, and trainshift's.

use serde_json::{Value, json};

use crate::api::meta::{
    ANCESTOR_TRAINER, CLUSTER_TRAINING_RUNTIME, FRAMEWORK_TORCH, LABEL_ANCESTOR, LABEL_FRAMEWORK,
    NODE, SHIPPED_RUNTIME, TORCH_DISTRIBUTED, TRAINER_API_VERSION,
};
use crate::convert::dialect::Dialect;
use crate::convert::runtime;

/// Names of the runtimes that are known.
pub const KNOWN: [&str; 2] = [TORCH_DISTRIBUTED, SHIPPED_RUNTIME];

/// The runtime of this name, as the version of Trainer has it.
#[must_use]
pub fn known(name: &str, dialect: Dialect) -> Option<Value> {
    match name {
        TORCH_DISTRIBUTED => Some(torch_distributed(dialect)),
        SHIPPED_RUNTIME => serde_json::to_value(runtime::shipped()).ok(),
        _ => None,
    }
}

/// trainer v2.0.1, v2.1.0, v2.2.1 and v2.3.0 `manifests/base/runtimes/torch_distributed.yaml`. The command of 2.0, which a
/// job replaces, says no more here than that there is one.
fn torch_distributed(dialect: Dialect) -> Value {
    let (policy, image) = match dialect {
        Dialect::V2_0 | Dialect::V2_1 => (json!({"numProcPerNode": "auto"}), "2.7.1-cuda12.8"),
        Dialect::V2_2 => (json!({}), "2.10.0-cuda12.8"),
        Dialect::V2_3 => (json!({}), "2.13.0-cuda13.0"),
    };
    let mut container =
        json!({"name": NODE, "image": format!("pytorch/pytorch:{image}-cudnn9-runtime")});
    if dialect == Dialect::V2_0 {
        container["command"] = json!(["/bin/bash", "-c", "env | grep PET_; pip list"]);
    }
    json!({
        "apiVersion": TRAINER_API_VERSION,
        "kind": CLUSTER_TRAINING_RUNTIME,
        "metadata": {"name": TORCH_DISTRIBUTED, "labels": {LABEL_FRAMEWORK: FRAMEWORK_TORCH}},
        "spec": {
            "mlPolicy": {"numNodes": 1, "torch": policy},
            "template": {"spec": {"replicatedJobs": [{
                "name": NODE,
                "template": {
                    "metadata": {"labels": {LABEL_ANCESTOR: ANCESTOR_TRAINER}},
                    "spec": {"template": {"spec": {"containers": [container]}}},
                },
            }]}},
        },
    })
}
