use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::convert::finding::Outcome;
use crate::parity::Shape;
use crate::parity::compare::compare;

#[test]
fn names_are_unique_and_reasons_are_sentences() {
    let names: BTreeSet<_> = DECLARED.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), DECLARED.len());
    for entry in DECLARED {
        assert!(entry.reason.ends_with('.'), "{}", entry.name);
        assert!(!entry.name.ends_with('.'), "{}", entry.name);
    }
}

/// Or else it could never be told whether such a finding is right.
#[test]
fn every_code_changes_nothing_or_has_an_entry() {
    let named: BTreeSet<_> = DECLARED
        .iter()
        .flat_map(|entry| entry.announced_by.iter().chain(entry.told_by))
        .collect();
    for code in Code::ALL {
        // With these the job is refused.
        if (Code::InvalidJob..=Code::RuntimeTooLarge).contains(code) {
            continue;
        }
        let lost = Finding::about(*code, Outcome::Lost, "spec");
        assert!(
            named.contains(code) || changes_nothing(&lost).is_some(),
            "{code}"
        );
    }
}

const WORKER: &str = "spec.pytorchReplicaSpecs.Worker";

#[rstest]
#[case("template.spec.hostNetwork", "hostNetwork", true)]
#[case("template.spec.host", "hostNetwork", false)]
#[case(
    "template.spec.containers[0].volumeMounts",
    "containers[trainer].volumeMounts[/a].name",
    true
)]
#[case(
    "template.spec.containers[0].volumeMounts",
    "containers[trainer].volumeDevices[/a]",
    false
)]
#[case("template.spec.containers[1]", "containers[sidecar].image", true)]
#[case("template.spec.containers[1]", "containers", true)]
#[case("template.spec.containers[0].image", "containers", false)]
#[case("template.spec.initContainers[0]", "initContainers", true)]
#[case(
    "template.spec.containers[0].env[3].valueFrom",
    "containers[trainer].env[A]",
    true
)]
#[case("template.metadata.labels[a.b/c]", "labels[a.b/c]", true)]
#[case("template.metadata.labels.job-name", "labels[job-name]", true)]
#[case("template.metadata.labels[a.b/c]", "labels[a.b/d]", false)]
#[case("restartPolicy", "restart.final exit codes", true)]
#[case("restartPolicy", "restartPolicy", true)]
#[case("template.spec.affinity", "topologySpreadConstraints", false)]
fn a_finding_speaks_of_the_facts_below_its_field(
    #[case] at: &str,
    #[case] fact: &str,
    #[case] expected: bool,
) {
    let finding = Finding::new(Code::PodLabels, Outcome::Lost, format!("{WORKER}.{at}"));
    assert_eq!(speaks_of(&finding, fact), expected);
}

#[rstest]
#[case(Code::PodLabels, "volumes[0].secret.secretName", "volumes[0]", true)]
#[case(
    Code::RuntimeCannot,
    "volumes[other].secret.secretName",
    "volumes[0]",
    false
)]
#[case(
    Code::RuntimeCannot,
    "hostAliases[1.2.3.4].hostnames",
    "hostAliases[0]",
    false
)]
#[case(Code::RuntimeCannot, "tolerations", "tolerations", true)]
fn an_index_is_not_any_name(
    #[case] code: Code,
    #[case] fact: &str,
    #[case] at: &str,
    #[case] expected: bool,
) {
    let finding = Finding::new(code, Outcome::Lost, format!("{WORKER}.template.spec.{at}"));
    assert_eq!(speaks_of(&finding, fact), expected);
}

#[test]
fn a_finding_about_a_variable_speaks_of_that_one() {
    let at = format!("{WORKER}.template.spec.containers[0].env[3]");
    let finding = Finding::new(Code::RuntimeCannot, Outcome::Lost, at).had("A");
    assert!(speaks_of(&finding, "containers[trainer].env[A]"));
    assert!(!speaks_of(&finding, "containers[trainer].env[B]"));
}

#[test]
fn the_gang_is_spoken_of_by_its_policy() {
    let at = "spec.runPolicy.schedulingPolicy";
    let finding = Finding::about(Code::RuntimeCannot, Outcome::Lost, at);
    assert!(speaks_of(&finding, "gang.minMember"));
    assert!(!speaks_of(&finding, "deadline"));
}

/// Beside each, what its entry is for.
#[rstest]
#[case::host_port(Code::Ports, "containers[trainer].ports[80/TCP].hostPort", json!(80), None, false)]
#[case::port(Code::Ports, "containers[trainer].ports[80/TCP].name", json!("a"), None, true)]
#[case::subdomain(Code::HostnameFixed, "subdomain", json!("mine"), Some(json!("other")), false)]
#[case::own_subdomain(Code::HostnameFixed, "subdomain", json!("mine"), Some(json!("job")), true)]
#[case::number(Code::ProcPerNode, "containers[trainer].env[PET_NPROC_PER_NODE]", json!("4"), Some(json!("1")), false)]
#[case::word(Code::ProcPerNode, "containers[trainer].env[PET_NPROC_PER_NODE]", json!("auto"), Some(json!("1")), true)]
#[case::scheduler(Code::SchedulingPolicy, "schedulerName", json!("mine"), Some(json!("default-scheduler")), false)]
#[case::other_scheduler(Code::SchedulingPolicy, "schedulerName", json!("volcano"), Some(json!("mine")), false)]
#[case::gang_scheduler(Code::SchedulingPolicy, "schedulerName", json!("volcano"), Some(json!("default-scheduler")), true)]
#[case::changed(Code::RuntimeCannot, "hostAliases[1.2.3.4].hostnames", json!(["a"]), Some(json!(["b"])), false)]
#[case::gone(Code::RuntimeCannot, "hostAliases[1.2.3.4].hostnames", json!(["a"]), None, true)]
#[case::other_time(Code::RuntimeCannot, "terminationGracePeriodSeconds", json!(60), Some(json!(5)), false)]
#[case::default_time(Code::RuntimeCannot, "terminationGracePeriodSeconds", json!(60), Some(json!(30)), true)]
#[case::other_toleration(Code::RuntimeCannot, "tolerations", json!(["a", "b"]), Some(json!(["a", "c"])), false)]
#[case::fewer_tolerations(Code::RuntimeCannot, "tolerations", json!(["a", "b"]), Some(json!(["a"])), true)]
#[case::never_restarted(Code::RuntimeCannot, "restart", json!("by another pod"), Some(json!("never, the job fails")), false)]
#[case::restarted(Code::RuntimeCannot, "restart", json!("by another pod"), Some(json!("in place")), true)]
#[case::limit(Code::BackoffLimit, "restart.limit", json!("unlimited"), Some(json!(3)), false)]
#[case::limit_of_a_job(Code::BackoffLimit, "restart.limit", json!("unlimited"), Some(json!(6)), true)]
#[case::over_another_pod(Code::RestartCount, "restart.limit over", json!("ranks 0-2"), Some(json!("ranks 1-2")), false)]
#[case::over_more_pods(Code::RestartCount, "restart.limit over", json!("ranks 0-1"), Some(json!("ranks 0-2")), false)]
#[case::over_a_role(Code::RestartCount, "restart.limit over", json!("ranks 0-2"), Some(json!("rank 0")), true)]
fn a_wrong_value_is_not_explained(
    #[case] code: Code,
    #[case] field: &str,
    #[case] old: Value,
    #[case] new: Option<Value>,
    #[case] expected: bool,
) {
    let fact = |name: &str, value: &str| (name.to_owned(), json!(value));
    let shape = |job: Vec<(String, Value)>, value: Option<Value>| Shape {
        job: job.into_iter().collect(),
        pods: vec![
            [fact("name", "pod")]
                .into_iter()
                .chain(value.map(|value| (field.to_owned(), value)))
                .collect(),
        ],
        ..Shape::default()
    };
    let v1 = shape(
        vec![fact("name", "job"), fact("gang", "volcano")],
        Some(old),
    );
    let runtime = fact(RUNTIME, "ClusterTrainingRuntime torch-distributed");
    let v2 = shape(vec![fact("name", "job"), runtime], new);
    let at = "spec.runPolicy.schedulingPolicy";
    let mut findings = vec![Finding::new(code, Outcome::Lost, at)];
    if code == Code::RuntimeCannot {
        let (field, _) = field.split_once('[').unwrap_or((field, ""));
        let below = if field == "restart" {
            "restartPolicy"
        } else {
            "template.spec."
        };
        let of_pod = if field == "restart" { "" } else { field };
        findings[0].at = format!("{WORKER}.{below}{of_pod}");
    }
    let differences = compare(&Case {
        v1: &v1,
        v2: &v2,
        findings: &findings,
    });
    let found = differences.iter().find(|found| found.field == field);
    assert_eq!(found.unwrap().declared.is_some(), expected, "{found:?}");
}

#[test]
fn a_port_of_the_host_may_go_where_its_loss_is_told() {
    let field = "containers[trainer].ports[9090/UDP].hostPort";
    let shape = |port: Option<Value>| Shape {
        job: Facts::from([("name".to_owned(), json!("job"))]),
        pods: vec![
            port.map(|port| (field.to_owned(), port))
                .into_iter()
                .collect(),
        ],
        ..Shape::default()
    };
    let (v1, v2) = (shape(Some(json!(9090))), shape(None));
    let told = |outcome, number: &str| {
        let findings = [Finding::new(Code::Ports, outcome, "ports[1]").had(number)];
        let case = Case {
            v1: &v1,
            v2: &v2,
            findings: &findings,
        };
        compare(&case)
            .iter()
            .any(|found| found.field == field && found.declared.is_some())
    };
    assert!(told(Outcome::Lost, "9090"));
    assert!(!told(Outcome::Adapted, "9090"));
    assert!(!told(Outcome::Lost, "8080"));
}

#[rstest]
#[case(3, 4, false)]
#[case(3, 0, false)]
#[case(3, 2, true)]
fn a_gang_of_two_roles_is_smaller(#[case] old: i64, #[case] new: i64, #[case] expected: bool) {
    let shape = |members: i64| Shape {
        job: [("gang.minMember".to_owned(), json!(members))].into(),
        pods: Vec::new(),
        ..Shape::default()
    };
    let at = "spec.runPolicy.schedulingPolicy";
    let finding = Finding::new(Code::SchedulingPolicy, Outcome::Lost, at).had("the whole gang");
    let differences = compare(&Case {
        v1: &shape(old),
        v2: &shape(new),
        findings: &[finding],
    });
    assert_eq!(differences[0].declared.is_some(), expected);
}
