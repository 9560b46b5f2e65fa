use rstest::rstest;
use serde_json::{Value, json};

use super::*;

const NOW: &str = "2027-01-10T00:00:00Z";
const FEBRUARY: &str = "2027-02-01T00:00:00Z";
const MARCH: &str = "2027-03-01T00:00:00Z";

/// `policy: code` of every warning about policies that are given by name and spec; each has a message.
fn told(policies: &[(&str, Value)]) -> Vec<String> {
    let policies: Vec<MigrationPolicy> = policies
        .iter()
        .map(|(name, spec)| {
            let mut with_message = json!({"message": "Help: #platform"});
            json_patch::merge(&mut with_message, spec);
            MigrationPolicy::new(name, serde_json::from_value(with_message).unwrap())
        })
        .collect();
    let background = Background {
        default: Mode::Audit,
        runtimes: &["torch-distributed"],
        job: &json!({"kind": "PyTorchJob", "metadata": {"name": "mnist"}, "spec": {"pytorchReplicaSpecs": {}}}),
        now: NOW.parse().unwrap(),
    };
    let all: Vec<_> = policies.iter().collect();
    of(&all, &background)
        .into_iter()
        .map(|advice| {
            format!(
                "{}: {}",
                policies[advice.policy].metadata.name.as_deref().unwrap(),
                advice.code
            )
        })
        .collect()
}

fn schedule(entries: &[(&str, &str)]) -> Value {
    let entry = |(mode, from): &(&str, &str)| match *from {
        "" => json!({"mode": mode}),
        from => json!({"mode": mode, "from": from}),
    };
    json!({"schedule": entries.iter().map(entry).collect::<Vec<_>>()})
}

fn warn_then_deny() -> Value {
    schedule(&[("Warn", ""), ("Deny", FEBRUARY)])
}

fn with(mut spec: Value, more: &Value) -> Value {
    json_patch::merge(&mut spec, more);
    spec
}

fn exempt(subject: &Value, more: &Value) -> Value {
    let exemption =
        json!({"name": "a", "subjects": [subject], "reason": "moves in March", "until": MARCH});
    with(
        warn_then_deny(),
        &json!({"exemptions": [with(exemption, more)]}),
    )
}

fn jane() -> Value {
    json!({"kind": "User", "name": "jane"})
}

fn account(name: &str) -> Value {
    json!({"kind": "ServiceAccount", "namespace": "kubeflow", "name": name})
}

const NONE: [&str; 0] = [];

#[test]
fn a_plan_with_notice_is_nothing_to_warn_of() {
    assert_eq!(told(&[("a", warn_then_deny())]), NONE);
    assert_eq!(told(&[("a", schedule(&[("Audit", "")]))]), NONE);
    assert_eq!(told(&[("a", exempt(&jane(), &json!({})))]), NONE);
}

#[rstest]
#[case(schedule(&[("Deny", "")]), &["MP012"])]
#[case(schedule(&[("Audit", ""), ("Deny", FEBRUARY)]), &["MP012"])]
#[case(schedule(&[("Audit", ""), ("Warn", "2027-01-26T00:00:00Z"), ("Deny", FEBRUARY)]), &["MP012"])]
#[case(schedule(&[("Audit", ""), ("Warn", "2027-01-25T00:00:00Z"), ("Deny", FEBRUARY)]), &[])]
#[case(schedule(&[("Audit", ""), ("Warn", "2027-01-20T00:00:00Z"), ("Warn", "2027-01-30T00:00:00Z"), ("Deny", FEBRUARY)]), &[])]
#[case(schedule(&[("Warn", ""), ("Deny", FEBRUARY), ("Warn", MARCH)]), &["MP010"])]
#[case(schedule(&[("Audit", ""), ("Warn", "2026-02-01T00:00:00Z")]), &["MP011"])]
#[case(schedule(&[("Warn", ""), ("Deny", "2026-02-01T00:00:00Z")]), &[])]
fn dates(#[case] spec: Value, #[case] codes: &[&str]) {
    let codes: Vec<_> = codes.iter().map(|code| format!("a: {code}")).collect();
    assert_eq!(told(&[("a", spec)]), codes);
}

#[rstest]
#[case(exempt(&jane(), &json!({"until": "2027-01-10T00:00:00Z"})), "MP007")]
#[case(exempt(&jane(), &json!({"until": FEBRUARY})), "MP008")]
#[case(with(exempt(&jane(), &json!({})), &schedule(&[("Warn", "")])), "MP008")]
#[case(exempt(&jane(), &json!({"until": "2027-10-01T00:00:00Z"})), "MP009")]
#[case(exempt(&jane(), &json!({"reason": "..."})), "MP016")]
#[case(exempt(&jane(), &json!({"reason": "To do!"})), "MP016")]
#[case(exempt(&account("pipeline-runner"), &json!({})), "MP003")]
#[case(exempt(&json!({"kind": "User", "name": "system:serviceaccount:ci:nightly"}), &json!({})), "MP005")]
#[case(exempt(&json!({"kind": "Group", "name": "system:authenticated"}), &json!({"names": ["a*"]})), "MP004")]
#[case(exempt(&json!({"kind": "Group", "name": "system:serviceaccounts:ci"}), &json!({})), "MP004")]
fn exemptions_that_excuse_too_many_or_nobody(#[case] spec: Value, #[case] code: &str) {
    assert_eq!(told(&[("a", spec)]), [format!("a: {code}")]);
}

#[test]
fn a_shared_account_that_is_narrowed_is_nothing_to_warn_of() {
    let owners = json!({"owners": [{"apiGroup": "kubeflow.org", "kind": "Trial"}]});
    let spec = exempt(&account("katib-controller"), &owners);
    assert_eq!(told(&[("a", spec)]), NONE);
}

#[test]
fn a_pattern_for_every_name_narrows_nothing() {
    let named = |names: &[&str]| told(&[("a", exempt(&account("argo"), &json!({"names": names})))]);
    assert_eq!(named(&["nightly-*"]), NONE);
    assert_eq!(named(&["nightly-*", "*"]), ["a: MP003"]);
}

#[test]
fn a_deny_by_object_is_left_unless_the_next_policy_denies_as_well() {
    let by_object =
        json!({"priority": 1, "match": {"objectSelector": {"matchLabels": {"team": "a"}}}});
    let sooner = with(warn_then_deny(), &by_object);
    let later = schedule(&[("Warn", ""), ("Deny", MARCH)]);
    let earlier = schedule(&[("Warn", ""), ("Deny", "2027-01-20T00:00:00Z")]);
    assert_eq!(told(&[("a", sooner.clone())]), ["a: MP001"]);
    assert_eq!(told(&[("a", sooner.clone()), ("b", later)]), ["a: MP001"]);
    // Then it never is the stricter one.
    assert_eq!(told(&[("a", sooner), ("b", earlier)]), ["a: MP006"]);
}

#[test]
fn a_condition_is_left_by_what_the_submitter_chooses_and_not_by_who_asks_or_where() {
    let of = |expression: &str| {
        let conditions = json!([{"name": "c", "expression": expression}]);
        let spec = with(
            warn_then_deny(),
            &json!({"match": {"conditions": conditions}}),
        );
        told(&[("a", spec)])
    };
    assert_eq!(of("object.metadata.name == 'x'"), ["a: MP001"]);
    assert_eq!(of("oldObject == null"), ["a: MP001"]);
    assert_eq!(of("request.name.startsWith('x')"), ["a: MP001"]);
    assert_eq!(of("request.operation == 'CREATE'"), ["a: MP001"]);
    assert_eq!(of("request.namespace == 'x'"), NONE);
    assert_eq!(of("request.userInfo.username == 'x'"), NONE);
    assert_eq!(of("namespaceObject.metadata.name == 'x'"), NONE);
}

#[test]
fn a_condition_that_fails_on_an_ordinary_job_is_told() {
    let of = |expression: &str| {
        let conditions = json!([{"name": "c", "expression": expression}]);
        let mut spec = schedule(&[("Warn", "")]);
        spec["match"] = json!({"conditions": conditions});
        told(&[("a", spec)])
    };
    let limit = "object.spec.runPolicy.backoffLimit > 1";
    assert_eq!(of(limit), ["a: MP015"]);
    assert_eq!(of(&format!("has(object.spec.runPolicy) && {limit}")), NONE);
    // What doesn't compile is an error, and no warning.
    assert_eq!(of("object.spec.("), NONE);
}

#[test]
fn a_deny_by_the_namespaces_labels_is_left_by_who_may_label_it() {
    let by_label = json!({"namespaceSelector": {"matchLabels": {"tier": "gold"}}});
    let by_name =
        json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "a"}}});
    let of = |matches: &Value| with(warn_then_deny(), &json!({"priority": 1, "match": matches}));
    assert_eq!(told(&[("a", of(&by_label))]), ["a: MP002"]);
    assert_eq!(told(&[("a", of(&by_name))]), NONE);
    assert_eq!(told(&[("a", of(&by_label)), ("b", warn_then_deny())]), NONE);
    // The other way round: a looser policy that a label leads into.
    let looser = with(
        schedule(&[("Warn", "")]),
        &json!({"priority": 1, "match": by_label}),
    );
    assert_eq!(
        told(&[("a", looser), ("b", warn_then_deny())]),
        ["a: MP002"]
    );
}

#[test]
fn a_policy_behind_a_broader_one_is_shadowed() {
    let named = |names: &[&str]| with(warn_then_deny(), &json!({"match": {"namespaces": names}}));
    let first = |names: &[&str]| with(named(names), &json!({"priority": 1}));
    assert_eq!(
        told(&[("a", warn_then_deny()), ("b", named(&["x"]))]),
        ["b: MP006"]
    );
    assert_eq!(
        told(&[("a", first(&["x"])), ("b", named(&["x", "y"]))]),
        NONE
    );
    let two = [
        ("a", first(&["x"])),
        ("b", first(&["y"])),
        ("c", named(&["x", "y"])),
    ];
    assert_eq!(told(&two), ["c: MP006"]);
}

#[test]
fn a_policy_whose_names_and_labels_exclude_each_other_counts_nowhere() {
    let of = |names: &[&str]| {
        let labels = json!({"kubernetes.io/metadata.name": "x"});
        let matches = json!({"namespaces": names, "namespaceSelector": {"matchLabels": labels}});
        told(&[("a", with(warn_then_deny(), &json!({"match": matches})))])
    };
    assert_eq!(of(&["x", "y"]), NONE);
    assert_eq!(of(&["y"]), ["a: MP006"]);
}

#[test]
fn a_runtime_that_nobody_ships_and_a_missing_message_are_told() {
    let mut spec = with(warn_then_deny(), &json!({"conversion": {"runtime": "own"}}));
    spec["message"] = Value::Null;
    assert_eq!(told(&[("a", spec)]), ["a: MP013", "a: MP014"]);
}
