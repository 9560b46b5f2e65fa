//! Who is excused, and until when.

use rstest::rstest;
use serde_json::{Value, json};

use super::*;

const LATER: &str = "2028-01-01T00:00:00Z";

pub(super) fn katib(more: &Value) -> Value {
    let mut exemption = json!({
        "name": "katib",
        "subjects": [{"kind": "ServiceAccount", "namespace": "kubeflow", "name": "katib-controller"}],
        "reason": "trials move with Katib",
        "until": MARCH,
    });
    json_patch::merge(&mut exemption, more);
    with(warn_then_deny(), &json!({"exemptions": [exemption]}))
}

pub(super) fn as_katib() -> Value {
    json!({"userInfo": {"username": "system:serviceaccount:kubeflow:katib-controller"}})
}

#[test]
fn an_exemption_holds_for_its_subjects_until_its_end() {
    let world = World::new(&[("research", katib(&json!({})))]);
    let ruling = world.asked(&as_katib(), &job(), FEBRUARY);
    assert_eq!(ruling.decision, Decision::Warn);
    assert_eq!(ruling.rule.next, Some((Mode::Deny, time(MARCH))));
    assert!(
        matches!(ruling.excuse, Some(Excuse::Exemption(exemption)) if exemption.name == "katib")
    );
    let ruling = world.asked(&as_katib(), &job(), MARCH);
    assert_eq!(ruling.decision, Decision::Deny);
    assert_eq!(ruling.ended.unwrap().name, "katib");
    let ruling = world.creates(&job(), FEBRUARY);
    assert_eq!((ruling.decision, ruling.ended), (Decision::Deny, None));
}

#[test]
fn before_the_date_an_exemption_moves_the_date_that_is_named() {
    let world = World::new(&[("research", katib(&json!({})))]);
    let ruling = world.asked(&as_katib(), &job(), BEFORE);
    assert_eq!(ruling.decision, Decision::Warn);
    assert_eq!(ruling.rule.next, Some((Mode::Deny, time(MARCH))));
    assert_eq!(ruling.excuse, None);
    let ended = World::new(&[("research", katib(&json!({"until": BEFORE})))]);
    let ruling = ended.asked(&as_katib(), &job(), BEFORE);
    assert_eq!(ruling.rule.next, Some((Mode::Deny, time(FEBRUARY))));
}

#[rstest]
#[case(json!({"username": "system:serviceaccount:kubeflow:katib-controller"}), Decision::Warn)]
#[case(json!({"username": "system:serviceaccount:other:katib-controller"}), Decision::Deny)]
#[case(json!({"username": "katib-controller"}), Decision::Deny)]
#[case(json!({"username": "jane", "groups": ["system:serviceaccount:kubeflow:katib-controller"]}), Decision::Deny)]
fn a_service_account_is_known_by_namespace_and_name(
    #[case] user: Value,
    #[case] expected: Decision,
) {
    let world = World::new(&[("research", katib(&json!({})))]);
    let ruling = world.asked(&json!({"userInfo": user}), &job(), FEBRUARY);
    assert_eq!(ruling.decision, expected);
}

#[rstest]
#[case(json!([{"kind": "User", "name": "jane"}]), Decision::Warn)]
#[case(json!([{"kind": "Group", "name": "people"}]), Decision::Warn)]
#[case(json!([{"kind": "Group", "name": "jane"}]), Decision::Deny)]
#[case(json!([{"kind": "User", "name": "people"}]), Decision::Deny)]
#[case(json!([]), Decision::Deny)]
fn users_and_groups_are_told_apart(#[case] subjects: Value, #[case] expected: Decision) {
    let world = World::new(&[("research", katib(&json!({"subjects": subjects})))]);
    assert_eq!(world.creates(&job(), FEBRUARY).decision, expected);
}

#[rstest]
#[case(json!({"apiVersion": "kubeflow.org/v1beta1", "kind": "Trial", "name": "a"}), Decision::Warn)]
#[case(json!({"apiVersion": "evil.example/v1", "kind": "Trial", "name": "a"}), Decision::Deny)]
#[case(json!({"apiVersion": "kubeflow.org/v1beta1", "kind": "Experiment", "name": "a"}), Decision::Deny)]
fn an_owner_narrows_an_exemption(#[case] owner: Value, #[case] expected: Decision) {
    let owners = json!({"owners": [{"apiGroup": "kubeflow.org", "kind": "Trial"}]});
    let world = World::new(&[("research", katib(&owners))]);
    let owned = job_with(&json!({"ownerReferences": [owner]}));
    assert_eq!(
        world.asked(&as_katib(), &owned, FEBRUARY).decision,
        expected
    );
    // Anybody can write an owner: alone it opens nothing.
    assert_eq!(world.creates(&owned, FEBRUARY).decision, Decision::Deny);
}

#[rstest]
#[case(json!({"name": "nightly-7"}), Decision::Warn)]
#[case(json!({"name": "daily-7"}), Decision::Deny)]
#[case(json!({"name": null, "generateName": "nightly-"}), Decision::Warn)]
#[case(json!({"name": null, "generateName": "night"}), Decision::Deny)]
#[case(json!({"name": "exact"}), Decision::Warn)]
#[case(json!({"name": "exactly"}), Decision::Deny)]
fn a_name_narrows_an_exemption(#[case] metadata: Value, #[case] expected: Decision) {
    let names = json!({"names": ["nightly-*", "exact"]});
    let world = World::new(&[("research", katib(&names))]);
    let ruling = world.asked(&as_katib(), &job_with(&metadata), FEBRUARY);
    assert_eq!(ruling.decision, expected);
}

#[test]
fn of_two_exemptions_the_longer_counts() {
    let mut spec = katib(&json!({}));
    let mut longer = spec["exemptions"][0].clone();
    longer["name"] = json!("longer");
    longer["until"] = json!(LATER);
    spec["exemptions"].as_array_mut().unwrap().insert(0, longer);
    let world = World::new(&[("research", spec)]);
    let ruling = world.asked(&as_katib(), &job(), MARCH);
    assert!(
        matches!(ruling.excuse, Some(Excuse::Exemption(exemption)) if exemption.name == "longer")
    );
}

#[test]
fn an_exemption_of_one_policy_is_none_of_another() {
    let narrow = json!({
        "priority": 1, "match": {"objectSelector": {}}, "schedule": [{"mode": "Deny"}],
    });
    let world = World::new(&[("narrow", narrow), ("research", katib(&json!({})))]);
    assert_eq!(
        world.asked(&as_katib(), &job(), FEBRUARY).decision,
        Decision::Deny
    );
}
