//! What the torch policy of a runtime adds to the training container: `PET_*` and a port
//! (trainer v2.0.1 to v2.3.0 `pkg/runtime/framework/plugins/torch/torch.go`).
//!
//! The rewriting of torchtune's command is not predicted.

use serde_json::{Value, json};

use crate::api::meta::{JOB_COMPLETION_INDEX, NODE};
use crate::convert::dialect::Dialect;
use crate::parity::quantity::whole;

/// The port of Trainer's own rendezvous (trainer v2.3.0 `pkg/constants`, `ContainerTrainerPort`).
pub(super) const PORT: i32 = 29500;
/// The command that Trainer rewrites, and gives no master address.
pub(super) const TORCHTUNE: [&str; 2] = ["tune", "run"];

/// The variables, in Trainer's order, of a job of so many nodes.
pub(super) fn environment(job: &str, nodes: i64, processes: &str, command: &[Value]) -> Vec<Value> {
    let field_path = format!("metadata.annotations['{JOB_COMPLETION_INDEX}']");
    let mut variables = vec![
        json!({"name": "PET_NNODES", "value": nodes.to_string()}),
        json!({"name": "PET_NPROC_PER_NODE", "value": processes}),
        json!({"name": "PET_NODE_RANK", "valueFrom": {"fieldRef": {"fieldPath": field_path}}}),
    ];
    if command != TORCHTUNE {
        let address = format!("{job}-{NODE}-0-0.{job}");
        variables.push(json!({"name": "PET_MASTER_ADDR", "value": address}));
        variables.push(json!({"name": "PET_MASTER_PORT", "value": PORT.to_string()}));
    }
    variables
}

/// `PET_NPROC_PER_NODE`: what `trainer` says, or the runtime's `policy`, or what the resources of a node come to.
pub(super) fn processes(
    trainer: &Value,
    policy: &Value,
    of_runtime: &Value,
    dialect: Dialect,
) -> String {
    let text = |value: &Value| match value.get("numProcPerNode") {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let of_policy = text(policy).filter(|_| dialect <= Dialect::V2_1);
    let asked = text(trainer)
        .or(of_policy)
        .unwrap_or_else(|| "auto".to_owned());
    let of_trainer = trainer
        .get("resourcesPerNode")
        .filter(|resources| !resources.is_null());
    if dialect == Dialect::V2_0 {
        return match of_trainer {
            Some(resources) => processes_2_0(&asked, resources),
            None => asked,
        };
    }
    let resources = of_trainer.unwrap_or(of_runtime);
    let counts_cpus = match asked.as_str() {
        "auto" => gpus(resources) == 0,
        "cpu" => dialect == Dialect::V2_1,
        _ => false,
    };
    if counts_cpus {
        cpus(resources).max(1).to_string()
    } else {
        asked
    }
}

/// Trainer 2.0 looks at the limits, and unless it took the CPUs there, once more at the requests: without any, it is one
/// process, whatever was asked for.
fn processes_2_0(asked: &str, resources: &Value) -> String {
    let fallback = if asked == "cpu" { "1" } else { asked };
    let of_cpus = |list: &Value| {
        let takes_cpus = match asked {
            "auto" => !keys(list).any(is_gpu),
            "cpu" => list.get("cpu").is_some(),
            _ => false,
        };
        takes_cpus.then(|| list.get("cpu").map_or(0, whole).max(1).to_string())
    };
    let [limits, requests] =
        ["limits", "requests"].map(|key| resources.get(key).filter(|list| list.is_object()));
    match (limits.and_then(of_cpus), requests) {
        (Some(processes), _) => processes,
        (None, Some(requests)) => of_cpus(requests).unwrap_or_else(|| fallback.to_owned()),
        (None, None) => "1".to_owned(),
    }
}

fn gpus(resources: &Value) -> i64 {
    let of = |key: &str| {
        let list = resources.get(key);
        let gpu = list.and_then(|list| keys(list).find(|name| is_gpu(name)));
        gpu.and_then(|name| list?.get(name)).map_or(0, whole)
    };
    match of("requests") {
        0 => of("limits"),
        gpus => gpus,
    }
}

fn cpus(resources: &Value) -> i64 {
    let of = |key: &str| {
        resources
            .get(key)
            .and_then(|list| list.get("cpu"))
            .map_or(0, whole)
    };
    match of("requests") {
        0 => of("limits"),
        cpus => cpus,
    }
}

fn keys(list: &Value) -> impl Iterator<Item = &str> {
    list.as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
}

fn is_gpu(name: &str) -> bool {
    name.to_lowercase().contains("gpu")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(dialect: Dialect, trainer: &Value) -> String {
        let policy = json!({"numProcPerNode": "auto"});
        processes(trainer, &policy, &Value::Null, dialect)
    }

    #[test]
    fn without_a_gpu_auto_is_the_number_of_cpus_from_2_1_on() {
        let cpus = json!({"resourcesPerNode": {"limits": {"cpu": "3500m"}}});
        for dialect in [Dialect::V2_1, Dialect::V2_2, Dialect::V2_3] {
            assert_eq!(on(dialect, &json!({})), "1");
            assert_eq!(on(dialect, &cpus), "4");
            let gpus = json!({"resourcesPerNode": {"limits": {"nvidia.com/gpu": 8, "cpu": 4}}});
            assert_eq!(on(dialect, &gpus), "auto");
        }
        assert_eq!(on(Dialect::V2_0, &json!({})), "auto");
        assert_eq!(on(Dialect::V2_0, &cpus), "4");
    }

    #[test]
    fn trainer_2_0_forgets_what_was_asked_for_when_there_are_no_requests() {
        let limits =
            json!({"numProcPerNode": 8, "resourcesPerNode": {"limits": {"nvidia.com/gpu": 8}}});
        assert_eq!(on(Dialect::V2_0, &limits), "1");
        assert_eq!(on(Dialect::V2_1, &limits), "8");
        let both =
            json!({"numProcPerNode": 8, "resourcesPerNode": {"requests": {"nvidia.com/gpu": 8}}});
        assert_eq!(on(Dialect::V2_0, &both), "8");
    }
}
