use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::convert::ledger::Ledger;
use crate::convert::target::Layout;

/// The variables of the first pods of a job with this spec.
fn variables(spec: &Value, role: For) -> Vec<(String, Option<String>)> {
    let job: PyTorchJob =
        serde_json::from_value(json!({"metadata": {"name": "job"}, "spec": spec})).unwrap();
    let layout = if role == For::All {
        Layout::Auto
    } else {
        Layout::Roles
    };
    let topology = Topology::read(&job, layout, &mut Ledger::default()).unwrap();
    let names = Names::choose(
        &JobName::Fixed("job".to_owned()),
        topology.total(),
        None,
        false,
    )
    .unwrap();
    environment(&job, &topology, &names, role)
        .env
        .into_iter()
        .map(|variable| (variable.name, variable.value))
        .collect()
}

fn replicas(master: bool, workers: i32) -> Value {
    let replica = |count: i32| json!({"replicas": count, "template": {"spec": {"containers": [{"name": "pytorch", "image": "i"}]}}});
    match (master, workers) {
        (true, 0) => json!({"Master": replica(1)}),
        (true, workers) => json!({"Master": replica(1), "Worker": replica(workers)}),
        (false, workers) => json!({"Worker": replica(workers)}),
    }
}

fn names(spec: &Value) -> Vec<String> {
    variables(spec, For::All)
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

fn value(spec: &Value, name: &str) -> Option<String> {
    variables(spec, For::All)
        .into_iter()
        .find(|(set, _)| set == name)?
        .1
}

#[test]
fn order_is_v1s() {
    let spec = json!({"pytorchReplicaSpecs": replicas(true, 1)});
    assert_eq!(
        names(&spec),
        [
            "PYTHONUNBUFFERED",
            "MASTER_PORT",
            "PET_MASTER_PORT",
            "MASTER_ADDR",
            "PET_MASTER_ADDR",
            "WORLD_SIZE",
            "RANK",
            "PET_NODE_RANK",
            "PET_NPROC_PER_NODE",
            "PET_NNODES",
        ]
    );
}

#[test]
fn elastic_order_is_v1s() {
    let elastic = json!({"minReplicas": 1, "maxReplicas": 2, "maxRestarts": 3, "nProcPerNode": 4, "rdzvId": "r",
        "rdzvConf": [{"key": "a", "value": "b"}, {"key": "c", "value": "d"}], "standalone": true});
    let spec = json!({"pytorchReplicaSpecs": replicas(false, 2), "elasticPolicy": elastic});
    assert_eq!(
        names(&spec),
        [
            "PYTHONUNBUFFERED",
            "PET_RDZV_ENDPOINT",
            "PET_RDZV_BACKEND",
            "PET_NNODES",
            "PET_MAX_RESTARTS",
            "PET_NPROC_PER_NODE",
            "PET_RDZV_ID",
            "PET_RDZV_CONF",
            "PET_STANDALONE",
        ]
    );
    assert_eq!(value(&spec, "PET_RDZV_CONF").as_deref(), Some("a=b,c=d"));
    assert_eq!(
        value(&spec, "PET_RDZV_ENDPOINT").as_deref(),
        Some("job-node-0-0.job:23456")
    );
    assert_eq!(value(&spec, "PET_RDZV_BACKEND").as_deref(), Some("c10d"));
}

#[test]
fn nothing_but_a_master_makes_ranks() {
    let spec = json!({"pytorchReplicaSpecs": replicas(false, 4)});
    assert_eq!(
        names(&spec),
        ["PYTHONUNBUFFERED", "PET_NPROC_PER_NODE", "PET_NNODES"]
    );
}

#[rstest]
#[case::unset(json!(null), "4", "auto")]
#[case::a_number(json!("8"), "32", "8")]
#[case::a_word(json!("gpu"), "4", "gpu")]
fn world_size_counts_processes_only_when_they_are_a_number(
    #[case] processes: Value,
    #[case] world: &str,
    #[case] literal: &str,
) {
    let spec = json!({"pytorchReplicaSpecs": replicas(true, 3), "nprocPerNode": processes});
    assert_eq!(value(&spec, "WORLD_SIZE").as_deref(), Some(world));
    assert_eq!(value(&spec, "PET_NPROC_PER_NODE").as_deref(), Some(literal));
}

#[test]
fn processes_of_the_elastic_policy_leave_world_size_alone() {
    let spec =
        json!({"pytorchReplicaSpecs": replicas(true, 1), "elasticPolicy": {"nProcPerNode": 4}});
    assert_eq!(value(&spec, "WORLD_SIZE").as_deref(), Some("2"));
    assert_eq!(value(&spec, "PET_NPROC_PER_NODE").as_deref(), Some("4"));
}

#[rstest]
#[case::both(json!({"minReplicas": 1, "maxReplicas": 4}), "1:4")]
#[case::smallest(json!({"minReplicas": 1}), "1:1")]
#[case::largest(json!({"maxReplicas": 4}), "4:4")]
#[case::neither(json!({}), "2:2")]
fn range_of_nodes_is_defaulted_as_v1_does(#[case] elastic: Value, #[case] range: &str) {
    let spec = json!({"pytorchReplicaSpecs": replicas(true, 2), "elasticPolicy": elastic});
    assert_eq!(value(&spec, "PET_NNODES").as_deref(), Some(range));
}

#[test]
fn rank_is_a_number_for_a_master_and_a_field_for_workers() {
    let spec = json!({"pytorchReplicaSpecs": replicas(true, 2)});
    let rank = |role| {
        variables(&spec, role)
            .into_iter()
            .find(|(name, _)| name == "RANK")
            .unwrap()
            .1
    };
    assert_eq!(rank(For::Master).as_deref(), Some("0"));
    assert_eq!(rank(For::Workers), None);
    assert_eq!(rank(For::All), None);
}
