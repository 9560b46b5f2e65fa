use rstest::rstest;
use serde_json::{Value, json};

use super::*;

/// v1's facts for `workers` workers, and a Master if there is one.
fn v1(
    restart: &str,
    policy: &Value,
    master: bool,
    workers: usize,
    elastic: Option<Value>,
) -> Shape {
    let role = |count: usize| json!({"replicas": count, "restartPolicy": restart});
    let mut spec = json!({"runPolicy": policy, "pytorchReplicaSpecs": {"Worker": role(workers)}});
    if master {
        spec["pytorchReplicaSpecs"]["Master"] = role(1);
    }
    if let Some(elastic) = elastic {
        spec["elasticPolicy"] = elastic;
    }
    of_v1(&V1Objects {
        job: json!({"spec": spec}),
        ..V1Objects::default()
    })
}

/// v2's facts for one Job of `pods` pods.
fn v2(job: &Value, pods: usize) -> Shape {
    let mut job = json!({"spec": job});
    job["spec"]["parallelism"] = json!(pods);
    job["spec"]["completions"] = json!(pods);
    of_v2(&V2Objects {
        jobs: vec![job],
        ..V2Objects::default()
    })
}

fn exit_codes() -> Value {
    json!({"rules": [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {"action": "FailJob", "onExitCodes": {
            "containerName": "node", "operator": "In", "values": (1..=127).collect::<Vec<i32>>(),
        }},
    ]})
}

fn with_restart(policy: &str, mut spec: Value) -> Value {
    spec["template"] = json!({"spec": {"restartPolicy": policy}});
    spec["podReplacementPolicy"] = json!("Failed");
    spec
}

const UNLIMITED: i32 = i32::MAX;

#[rstest]
#[case::in_place("OnFailure", json!({}), with_restart("OnFailure", json!({"backoffLimit": UNLIMITED})))]
#[case::default("", json!({}), with_restart("OnFailure", json!({"backoffLimit": UNLIMITED})))]
#[case::at_once("OnFailure", json!({"backoffLimit": 0}), with_restart("OnFailure", json!({"backoffLimit": 0})))]
#[case::never("Never", json!({}), with_restart("Never", json!({"backoffLimit": 0})))]
#[case::never_with_a_limit("Never", json!({"backoffLimit": 3}), with_restart("Never", json!({"backoffLimit": 0})))]
#[case::exit_code("ExitCode", json!({}),
    with_restart("Never", json!({"backoffLimit": UNLIMITED, "podFailurePolicy": exit_codes()})))]
#[case::exit_code_with_a_limit("ExitCode", json!({"backoffLimit": 3}),
    with_restart("Never", json!({"backoffLimit": UNLIMITED, "podFailurePolicy": exit_codes()})))]
#[case::exit_code_at_once("ExitCode", json!({"backoffLimit": 0}), with_restart("Never", json!({"backoffLimit": 0})))]
fn the_same_rule_has_the_same_words(
    #[case] restart: &str,
    #[case] policy: Value,
    #[case] job: Value,
) {
    assert_eq!(v1(restart, &policy, false, 2, None).pods, v2(&job, 2).pods);
}

#[rstest]
#[case::limit(json!({"backoffLimit": 6}), words::LIMIT)]
#[case::policy(json!({"backoffLimit": UNLIMITED, "template": {"spec": {"restartPolicy": "Never"}}}), words::RESTART)]
#[case::replacement(json!({"backoffLimit": UNLIMITED, "podReplacementPolicy": null}), words::REPLACEMENT)]
#[case::exit_codes(json!({"backoffLimit": UNLIMITED, "template": {"spec": {"restartPolicy": "Never"}},
    "podFailurePolicy": exit_codes()}), words::FINAL_EXIT_CODES)]
#[case::rules_of_its_own(json!({"podFailurePolicy": {"rules": [{"action": "Count"}]}}), "restart.rules")]
#[case::something_else(json!({"backoffLimitPerIndex": 3}), "job.backoffLimitPerIndex")]
#[case::not_indexed(json!({"completionMode": "NonIndexed"}), "job.completionMode")]
fn another_rule_shows(#[case] change: Value, #[case] fact: &str) {
    let mut job = with_restart("OnFailure", json!({"backoffLimit": UNLIMITED}));
    for (key, value) in change.as_object().unwrap() {
        job[key] = value.clone();
    }
    let old = v1("OnFailure", &json!({}), false, 2, None);
    let new = v2(&job, 2);
    assert_ne!(old.pods[1].get(fact), new.pods[1].get(fact));
}

#[test]
fn codes_of_another_container_are_another_rule() {
    let mut policy = exit_codes();
    policy["rules"][1]["onExitCodes"]["containerName"] = json!("sidecar");
    let job = with_restart(
        "Never",
        json!({"backoffLimit": UNLIMITED, "podFailurePolicy": policy}),
    );
    assert_eq!(
        v2(&job, 1).pods[0][words::FINAL_EXIT_CODES],
        "1-127 of sidecar"
    );
}

#[test]
fn disruption_after_exit_codes_comes_too_late() {
    let mut policy = exit_codes();
    policy["rules"].as_array_mut().unwrap().reverse();
    let job = with_restart(
        "Never",
        json!({"backoffLimit": UNLIMITED, "podFailurePolicy": policy}),
    );
    assert!(v2(&job, 1).pods[0].contains_key("restart.rules"));
}

#[test]
fn a_limit_is_over_all_pods_under_v1_and_over_a_job_under_v2() {
    let old = v1("OnFailure", &json!({"backoffLimit": 3}), true, 2, None);
    assert_eq!(old.pods[2][words::LIMIT_OVER], "ranks 0-2");
    let job = json!({"spec": {"backoffLimit": 3, "parallelism": 1}});
    let new = of_v2(&V2Objects {
        jobs: vec![job.clone(), job],
        ..V2Objects::default()
    });
    assert_eq!(new.pods[1][words::LIMIT_OVER], "rank 1");
    assert_eq!(new.pods[1][words::EVICTED], words::COUNTED);
}

#[rstest]
#[case::with_its_master(true, 2, None, words::WITH_RANK_0)]
#[case::elastic_with_its_master(true, 2, Some(json!({})), words::WITH_RANK_0)]
#[case::with_all_workers(false, 2, None, words::WITH_ALL)]
#[case::with_the_first_elastic_worker(false, 3, Some(json!({})), "when 1 of ranks 0-2 has")]
#[case::with_the_only_worker(false, 1, None, words::WITH_RANK_0)]
#[case::with_the_only_elastic_worker(false, 1, Some(json!({})), words::WITH_RANK_0)]
fn success_under_v1(
    #[case] master: bool,
    #[case] workers: usize,
    #[case] elastic: Option<Value>,
    #[case] expected: &str,
) {
    let shape = v1("OnFailure", &json!({}), master, workers, elastic);
    assert_eq!(shape.job[words::SUCCEEDS], expected);
}

#[rstest]
#[case::all_pods(json!({}), 3, words::WITH_ALL)]
#[case::one_pod(json!({}), 1, words::WITH_RANK_0)]
#[case::rank_0(json!({"rules": [{"succeededIndexes": "0"}]}), 3, words::WITH_RANK_0)]
#[case::another_rank(json!({"rules": [{"succeededIndexes": "1"}]}), 3, "when rank 1 has")]
#[case::the_first(json!({"rules": [{"succeededCount": 1}]}), 3, "when 1 of ranks 0-2 has")]
#[case::as_many_as_there_are(json!({"rules": [{"succeededCount": 3}]}), 3, words::WITH_ALL)]
fn success_of_one_job(#[case] policy: Value, #[case] pods: usize, #[case] expected: &str) {
    let shape = v2(&json!({"successPolicy": policy}), pods);
    assert_eq!(shape.job[words::SUCCEEDS], expected);
}

#[rstest]
#[case::all(json!(null), words::WITH_ALL)]
#[case::master(json!({"operator": "All", "targetReplicatedJobs": ["node"]}), words::WITH_RANK_0)]
#[case::workers(json!({"operator": "All", "targetReplicatedJobs": ["worker"]}), "when ranks 1-2 has")]
#[case::any(json!({"operator": "Any"}), "when 1 of ranks 0-2 has")]
fn success_of_several_jobs(#[case] policy: Value, #[case] expected: &str) {
    let job = |name: &str| json!({"metadata": {"labels": {"jobset.sigs.k8s.io/replicatedjob-name": name}}, "spec": {"parallelism": 1}});
    let shape = of_v2(&V2Objects {
        jobset: json!({"spec": {"successPolicy": policy}}),
        jobs: vec![job("node"), job("worker"), job("worker")],
        ..V2Objects::default()
    });
    assert_eq!(shape.job[words::SUCCEEDS], expected);
}

#[rstest]
#[case(json!({}), "3")]
#[case(json!({"minReplicas": 2, "maxReplicas": 2}), "3")]
#[case(json!({"minReplicas": 1, "maxReplicas": 4}), "2 to 5")]
#[case(json!({"maxReplicas": 4}), "5 to 5")]
fn an_elastic_job_has_a_range_of_pods(#[case] elastic: Value, #[case] expected: &str) {
    let shape = v1("OnFailure", &json!({}), true, 2, Some(elastic));
    assert_eq!(shape.job[words::PODS], expected);
}

#[test]
fn a_deadline_is_the_same_wherever_it_stands() {
    let old = v1("", &json!({"activeDeadlineSeconds": 60}), true, 1, None);
    let of_job = v2(&json!({"activeDeadlineSeconds": 60}), 2);
    let of_trainjob = of_v2(&V2Objects {
        job: json!({"spec": {"activeDeadlineSeconds": 60}}),
        ..V2Objects::default()
    });
    for shape in [old, of_job, of_trainjob] {
        assert_eq!(shape.job[words::DEADLINE], 60);
    }
}

#[test]
fn a_suspended_job_has_rules_for_pods_that_are_not_there() {
    let shape = v1("Never", &json!({"suspend": true}), true, 2, None);
    assert_eq!(shape.job[words::SUSPENDED], true);
    assert_eq!(shape.pods.len(), 3);
    assert_eq!(shape.pods[2][words::RESTART], words::NEVER);
}

#[test]
fn what_only_a_jobset_can_say_shows() {
    let shape = of_v2(&V2Objects {
        jobset: json!({"spec": {
            "failurePolicy": {"maxRestarts": 3}, "startupPolicy": {"startupPolicyOrder": "AnyOrder"},
            "network": {"publishNotReadyAddresses": false},
        }}),
        ..V2Objects::default()
    });
    assert_eq!(shape.job["jobset.failurePolicy.maxRestarts"], 3);
    assert!(!shape.job.keys().any(|name| name.contains("startupPolicy")));
    assert_eq!(shape.job[words::ADDRESSES], words::WHEN_READY);
}
