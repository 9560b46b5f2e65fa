use std::collections::BTreeSet;

use rstest::rstest;

use super::*;
use crate::convert::finding::Outcome;

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
