mod objects;

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::convert::finding::Outcome;
use crate::parity::facts::{of_v1, of_v2};
use crate::parity::{V1Objects, V2Objects};
use objects::{findings, v1, v2};

fn differences(v1: &V1Objects, v2: &V2Objects, findings: &[Finding]) -> Vec<Difference> {
    let (v1, v2) = (of_v1(v1), of_v2(v2));
    compare(&Case {
        v1: &v1,
        v2: &v2,
        findings,
    })
}

/// The texts of what isn't declared.
fn undeclared(differences: &[Difference]) -> Vec<String> {
    let undeclared = differences
        .iter()
        .filter(|difference| difference.declared.is_none());
    undeclared.map(ToString::to_string).collect()
}

#[test]
fn a_right_conversion_differs_in_declared_ways_only() {
    let differences = differences(&v1(2), &v2(2), &findings());
    assert_eq!(undeclared(&differences), Vec::<String>::new());
    let names: BTreeSet<_> = differences
        .iter()
        .filter_map(|found| found.declared)
        .map(|entry| entry.name)
        .collect();
    for name in [
        "pod name",
        "pod address",
        "init-pytorch left out",
        "default port",
        "success rule",
        "subdomain",
    ] {
        assert!(names.contains(name), "{name}: {names:?}");
    }
    assert_eq!(unfounded(&findings(), &differences), Vec::<&Finding>::new());
}

#[rstest]
#[case::image("image", json!("image:2"), "image: \"image:1\" -> \"image:2\"")]
#[case::command("command", json!(["train", "--rank=$(RANKS)"]), "command: [\"train\",\"--rank=1\"] -> [\"train\",\"--rank=$(RANKS)\"]")]
#[case::rank_of_all_pods("env/2", json!({"name": "RANK", "value": "0"}), "env[RANK]: \"1\" -> \"0\"")]
#[case::variable_gone("env/0", json!({"name": "OTHER"}), "env[USER]: \"me\" -> absent")]
#[case::address_of_another_rank("env/1", json!({"name": "MASTER_ADDR", "value": "job-node-0-1.job"}),
    "env[MASTER_ADDR]: \"job-master-0\" -> \"job-node-0-1.job\"")]
#[case::address_that_does_not_resolve("env/1", json!({"name": "MASTER_ADDR", "value": "job-node-0-0"}),
    "env[MASTER_ADDR]: \"job-master-0\" -> \"job-node-0-0\"")]
#[case::address_of_v1("args/1", json!("job-master-0:9000"),
    "args: [\"--master\",\"job-master-0:9000\"] -> [\"--master\",\"job-master-0:9000\"] (an address of v1, which v2 doesn't have)")]
#[case::mount_gone("volumeMounts/1", json!({"name": "data", "mountPath": "/c"}), "volumeMounts[/b].name: \"data\" -> absent")]
#[case::probe("readinessProbe", json!({"tcpSocket": {"port": 1}}), "readinessProbe.tcpSocket.port: absent -> 1")]
#[case::limit("resources", json!({"limits": {"cpu": "1"}}), "resources.limits[cpu]: absent -> \"1\"")]
#[case::security("securityContext", json!({"privileged": true}), "securityContext.privileged: absent -> true")]
fn a_wrong_container_is_named(#[case] at: &str, #[case] wrong: Value, #[case] expected: &str) {
    let mut broken = v2(1);
    let container = &mut broken.pods[1]["spec"]["containers"][0];
    if container.pointer(&format!("/{at}")).is_none() {
        container[at] = Value::Null;
    }
    *container.pointer_mut(&format!("/{at}")).unwrap() = wrong;
    let found = undeclared(&differences(&v1(1), &broken, &findings()));
    let expected = format!("rank 1: containers[trainer].{expected}");
    assert!(found.contains(&expected), "{found:#?}");
}

#[rstest]
#[case::toleration("/spec/tolerations", json!([]), "tolerations")]
#[case::volume("/spec/volumes/0", json!({"name": "data", "hostPath": {"path": "/"}}), "volumes[data].hostPath.path")]
#[case::restart("/spec/restartPolicy", json!("Never"), "restartPolicy")]
#[case::label_of_v1("/metadata/labels/training.kubeflow.org~1replica-type", json!("other"), "labels[training.kubeflow.org/replica-type]")]
#[case::label("/metadata/labels/mine", json!("x"), "labels[mine]")]
#[case::annotation("/metadata/annotations/mine", json!("x"), "annotations[mine]")]
#[case::index_of_another_pod("/metadata/annotations/batch.kubernetes.io~1job-completion-index", json!("7"),
    "annotations[batch.kubernetes.io/job-completion-index]")]
#[case::name_of_another_job("/metadata/labels/jobset.sigs.k8s.io~1jobset-name", json!("other"), "labels[jobset.sigs.k8s.io/jobset-name]")]
#[case::another_job("/metadata/labels/job-name", json!("job-node-1"), "labels[job-name]")]
#[case::index_of_another_job("/metadata/labels/jobset.sigs.k8s.io~1job-global-index", json!("1"), "labels[jobset.sigs.k8s.io/job-global-index]")]
#[case::number_of_jobs("/metadata/annotations/jobset.sigs.k8s.io~1global-replicas", json!("2"), "annotations[jobset.sigs.k8s.io/global-replicas]")]
#[case::mark_that_nobody_sets("/metadata/annotations/jobset.sigs.k8s.io~1mine", json!("x"), "annotations[jobset.sigs.k8s.io/mine]")]
#[case::sidecar("/spec/containers/1", json!({"name": "sidecar"}), "containers")]
#[case::host("/spec/hostNetwork", json!(true), "hostNetwork")]
#[case::subdomain("/spec/subdomain", json!("elsewhere"), "subdomain")]
#[case::completion_index("/spec/containers/0/env/3", json!({"name": "JOB_COMPLETION_INDEX", "value": "7"}),
    "containers[trainer].env[JOB_COMPLETION_INDEX]")]
fn a_wrong_pod_is_named(#[case] at: &str, #[case] wrong: Value, #[case] field: &str) {
    let mut broken = v2(1);
    let (parent, key) = at.rsplit_once('/').unwrap();
    match broken.pods[1].pointer_mut(parent).unwrap() {
        Value::Array(items) if key == "1" => items.push(wrong),
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = wrong,
        parent => parent[key.replace("~1", "/")] = wrong,
    }
    let differences = differences(&v1(1), &broken, &findings());
    let mut undeclared = differences
        .iter()
        .filter(|difference| difference.declared.is_none());
    assert!(
        undeclared.any(|found| found.rank == Some(1) && found.field == field),
        "{differences:#?}"
    );
}

#[rstest]
#[case::suspended("/job/spec/suspend", json!(true), "suspended")]
#[case::deadline("/job/spec/activeDeadlineSeconds", json!(5), "deadline")]
#[case::manager("/job/spec/managedBy", json!("kueue.x-k8s.io/multikueue"), "managed by")]
#[case::label("/job/metadata/labels/team", json!("b"), "labels[team]")]
#[case::success("/jobs/spec/successPolicy", json!({"rules": [{"succeededCount": 1}]}), "succeeds")]
#[case::failure("/jobset/spec/failurePolicy", json!({"maxRestarts": 1}), "jobset.failurePolicy.maxRestarts")]
#[case::time_to_live("/jobset/spec/ttlSecondsAfterFinished", json!(5), "time to live")]
fn a_wrong_job_is_named(#[case] at: &str, #[case] wrong: Value, #[case] field: &str) {
    let mut broken = v2(1);
    let (object, path) = at[1..].split_once('/').unwrap();
    let object = match object {
        "job" => &mut broken.job,
        "jobset" => &mut broken.jobset,
        _ => &mut broken.jobs[0],
    };
    let (parent, key) = path.rsplit_once('/').unwrap();
    object.pointer_mut(&format!("/{parent}")).unwrap()[key] = wrong;
    let differences = differences(&v1(1), &broken, &findings());
    let mut undeclared = differences
        .iter()
        .filter(|difference| difference.declared.is_none());
    assert!(
        undeclared.any(|found| found.rank.is_none() && found.field == field),
        "{differences:#?}"
    );
}

/// A variable that refers to an address after a slash: what it resolves to looks like a path.
#[rstest]
#[case("/x/$(MASTER_ADDR)", "/x/$(MASTER_ADDR)", true)]
#[case("/x/job-master-0", "/x/job-node-0-0.job", false)]
#[case("/x/$(MASTER_ADDR)", "/y/$(MASTER_ADDR)", false)]
#[case("/x/$(MASTER_ADDR)", "/x/$(USER)", false)]
#[case("/x/$(MASTER_ADDR)", "/x/job-node-0-0.job", true)]
#[case("/x/$(MASTER_ADDR)", "/x/job-node-0-1.job", false)]
fn what_refers_to_an_address_may_look_like_a_path(
    #[case] old: &str,
    #[case] new: &str,
    #[case] expected: bool,
) {
    let at = |value: &str| json!({"name": "AT", "value": value});
    let (mut v1, mut v2) = (v1(1), v2(1));
    for (pods, value) in [(&mut v1.pods, old), (&mut v2.pods, new)] {
        let env = &mut pods[1]["spec"]["containers"][0]["env"];
        env.as_array_mut().unwrap().push(at(value));
    }
    let undeclared = undeclared(&differences(&v1, &v2, &findings()));
    assert_eq!(undeclared.is_empty(), expected, "{undeclared:?}");
}

#[test]
fn order_of_ranks_matters() {
    let mut broken = v2(2);
    broken.pods.swap(1, 2);
    let found = undeclared(&differences(&v1(2), &broken, &findings()));
    let expected = "rank 1: containers[trainer].env[RANK]: \"1\" -> \"2\"".to_owned();
    assert!(found.contains(&expected), "{found:#?}");
}

#[test]
fn a_missing_pod_is_one_difference() {
    let mut broken = v2(1);
    broken.pods.pop();
    let found = undeclared(&differences(&v1(1), &broken, &findings()));
    assert_eq!(found, ["rank 1: name: \"job-worker-0\" -> absent"]);
}

#[test]
fn what_must_be_announced_is_undeclared_without_its_finding() {
    let found = undeclared(&differences(&v1(1), &v2(1), &[]));
    assert_eq!(
        found,
        ["job: succeeds: \"when rank 0 has\" -> \"when all ranks have\""]
    );
}

#[test]
fn a_finding_that_nothing_bears_out_is_unfounded() {
    let mut findings = findings();
    let at = "spec.pytorchReplicaSpecs.Worker.template.spec.hostNetwork";
    findings.push(Finding::new(Code::RuntimeCannot, Outcome::Lost, at));
    findings.push(Finding::new(
        Code::TimeToLive,
        Outcome::Lost,
        "spec.runPolicy.ttlSecondsAfterFinished",
    ));
    let differences = differences(&v1(1), &v2(1), &findings);
    let codes: Vec<_> = unfounded(&findings, &differences)
        .iter()
        .map(|finding| finding.code)
        .collect();
    assert_eq!(codes, [Code::RuntimeCannot, Code::TimeToLive]);
}

#[test]
fn a_difference_is_written_with_the_name_of_its_entry() {
    let differences = differences(&v1(1), &v2(1), &findings());
    let address = differences
        .iter()
        .find(|found| found.field == "containers[trainer].env[MASTER_ADDR]");
    assert_eq!(
        serde_json::to_value(address).unwrap(),
        json!({"rank": 0, "field": "containers[trainer].env[MASTER_ADDR]", "v1": "job-master-0",
            "v2": "job-node-0-0.job", "declared": "pod address"})
    );
}
