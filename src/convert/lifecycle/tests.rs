use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::convert::target::Layout;

fn policy(
    restart: Option<&str>,
    run: &Value,
    master: bool,
    workers: i32,
    elastic: bool,
) -> JobPolicy {
    let replica = |count: i32| json!({"replicas": count, "restartPolicy": restart, "template": {"spec": {"containers": []}}});
    let mut replicas = json!({});
    if master {
        replicas["Master"] = replica(1);
    }
    if workers > 0 {
        replicas["Worker"] = replica(workers);
    }
    let mut spec = json!({"runPolicy": run, "pytorchReplicaSpecs": replicas});
    if elastic {
        spec["elasticPolicy"] = json!({});
    }
    let job: PyTorchJob = serde_json::from_value(json!({"spec": spec})).unwrap();
    let topology = Topology::read(&job, Layout::Auto, &mut Ledger::default()).unwrap();
    job_policy(topology.first().unwrap(), &job, &topology, Dialect::V2_3)
}

#[rstest]
#[case::unset(None, json!(null), "OnFailure", UNLIMITED, false)]
#[case::empty(Some(""), json!(null), "OnFailure", UNLIMITED, false)]
#[case::on_failure(Some("OnFailure"), json!(3), "OnFailure", 3, false)]
#[case::on_failure_at_once(Some("OnFailure"), json!(0), "OnFailure", 0, false)]
#[case::always(Some("Always"), json!(null), "OnFailure", UNLIMITED, false)]
#[case::always_with_a_limit(Some("Always"), json!(2), "OnFailure", 2, false)]
#[case::never(Some("Never"), json!(null), "Never", 0, false)]
#[case::never_with_a_limit(Some("Never"), json!(9), "Never", 0, false)]
#[case::exit_code(Some("ExitCode"), json!(null), "Never", UNLIMITED, true)]
#[case::exit_code_with_a_limit(Some("ExitCode"), json!(4), "Never", UNLIMITED, true)]
#[case::exit_code_at_once(Some("ExitCode"), json!(0), "Never", 0, false)]
fn restart_policy_becomes_a_jobs(
    #[case] restart: Option<&str>,
    #[case] limit: Value,
    #[case] pods: &str,
    #[case] backoff_limit: i32,
    #[case] failure_policy: bool,
) {
    let policy = policy(restart, &json!({"backoffLimit": limit}), true, 0, false);
    assert_eq!(policy.restart_policy, pods);
    assert_eq!(policy.backoff_limit, backoff_limit);
    assert_eq!(policy.pod_failure_policy.is_some(), failure_policy);
}

#[rstest]
#[case::master_decides_where_workers_were_ended(
    "Running",
    true,
    2,
    false,
    Some("succeededIndexes")
)]
#[case::the_same_for_all("All", true, 2, false, Some("succeededIndexes"))]
#[case::empty_is_all("", true, 2, false, Some("succeededIndexes"))]
#[case::workers_finish_by_themselves("None", true, 2, false, None)]
#[case::one_pod_needs_no_rule("All", true, 0, false, None)]
#[case::workers_alone_all_succeed("All", false, 2, false, None)]
#[case::first_elastic_worker_decides("None", false, 2, true, Some("succeededCount"))]
#[case::one_elastic_worker_needs_no_rule("None", false, 1, true, None)]
fn success_is_judged_as_under_v1(
    #[case] clean: &str,
    #[case] master: bool,
    #[case] workers: i32,
    #[case] elastic: bool,
    #[case] rule: Option<&str>,
) {
    let policy = policy(
        None,
        &json!({"cleanPodPolicy": clean}),
        master,
        workers,
        elastic,
    );
    let found = policy.success_policy.map(|found| found["rules"][0].clone());
    match (rule, found) {
        (None, None) => {}
        (Some(rule), Some(found)) => assert!(found.get(rule).is_some(), "{found}"),
        (rule, found) => panic!("{rule:?}, but {found:?}"),
    }
}

#[test]
fn exit_codes_up_to_127_are_final() {
    let policy = policy(Some("ExitCode"), &json!({}), true, 0, false);
    let rules = policy.pod_failure_policy.unwrap()["rules"].clone();
    assert_eq!(rules[0]["action"], "Ignore");
    let codes = &rules[1]["onExitCodes"];
    assert_eq!(
        (&codes["operator"], &codes["containerName"]),
        (&json!("In"), &json!("node"))
    );
    assert_eq!(codes["values"], json!((1..=127).collect::<Vec<i32>>()));
}
