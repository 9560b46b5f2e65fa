use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::api::policy::MigrationPolicy;
use crate::policy::{Policies, Problem};

const BEFORE: &str = "2027-01-15T00:00:00Z";
const FEBRUARY: &str = "2027-02-01T00:00:00Z";
const MARCH: &str = "2027-03-01T00:00:00Z";
const LATER: &str = "2028-01-01T00:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Policies by name and spec, in namespace research with these labels.
struct World {
    snapshot: Snapshot,
    problems: Vec<Problem>,
    namespace: Namespace,
}

impl World {
    fn new(policies: &[(&str, Value)]) -> Self {
        let policies: Vec<_> = policies
            .iter()
            .map(|(name, spec)| {
                MigrationPolicy::new(name, serde_json::from_value(spec.clone()).unwrap())
            })
            .collect();
        let (policies, problems) = Policies::new(&policies);
        Self {
            snapshot: Snapshot::new(Mode::Audit).with_policies(policies),
            problems,
            namespace: Namespace::named("research"),
        }
    }

    fn labelled(self, key: &str, value: &str) -> Self {
        let mut labels = self.namespace.labels().clone();
        labels.insert(key.to_owned(), value.to_owned());
        Self {
            namespace: Namespace::new("research", labels),
            ..self
        }
    }

    /// What comes of jane's creating `job`.
    fn creates(&self, job: &Value, now: &str) -> Ruling {
        self.asked(
            &json!({"userInfo": {"username": "jane", "groups": ["people"]}}),
            job,
            now,
        )
    }

    /// What comes of a creation by a request with these fields.
    fn asked(&self, fields: &Value, job: &Value, now: &str) -> Ruling {
        let mut review = json!({
            "uid": "1", "operation": "CREATE", "namespace": "research", "object": job,
            "name": job["metadata"]["name"].as_str().unwrap_or_default(),
        });
        json_patch::merge(&mut review, fields);
        let review: review::Request = serde_json::from_str(&review.to_string()).unwrap();
        let job: PyTorchJob = serde_json::from_value(job.clone()).unwrap();
        let mut request = Request::new(&review, &self.namespace, &Change::Created);
        request.object = Some(&job);
        judge(&self.snapshot, &request, time(now))
    }
}

fn job() -> Value {
    json!({"kind": "PyTorchJob", "metadata": {"name": "mnist"}})
}

fn job_with(metadata: &Value) -> Value {
    let mut job = job();
    json_patch::merge(&mut job["metadata"], metadata);
    job
}

fn warn_then_deny() -> Value {
    json!({"schedule": [{"mode": "Warn"}, {"mode": "Deny", "from": FEBRUARY}]})
}

fn with(mut spec: Value, more: &Value) -> Value {
    json_patch::merge(&mut spec, more);
    spec
}

fn mode(mode: &str) -> Value {
    json!({"schedule": [{"mode": mode}]})
}

/// Jobs labelled as big are refused, others are warned about.
fn denying_big_jobs() -> World {
    let narrow = json!({
        "priority": 1,
        "match": {"objectSelector": {"matchLabels": {"size": "big"}}},
        "schedule": [{"mode": "Deny"}],
    });
    World::new(&[("narrow", narrow), ("all", mode("Warn"))])
}

/// A request of which only what a test sets is known.
fn no_details() -> review::Request {
    serde_json::from_value(json!({"uid": "1"})).unwrap()
}

#[test]
fn without_policies_the_default_holds() {
    let ruling = World::new(&[]).creates(&job(), BEFORE);
    assert_eq!(ruling.decision, Decision::Admit);
    assert_eq!(ruling.rule.name(), "built-in");
}

#[test]
fn a_date_that_has_come_changes_the_mode_and_one_that_is_to_come_is_named() {
    let world = World::new(&[("research", warn_then_deny())]);
    let ruling = world.creates(&job(), BEFORE);
    assert_eq!(ruling.decision, Decision::Warn);
    assert_eq!(ruling.rule.next, Some((Mode::Deny, time(FEBRUARY))));
    let ruling = world.creates(&job(), FEBRUARY);
    assert_eq!(ruling.decision, Decision::Deny);
    assert_eq!(
        (ruling.rule.since, ruling.rule.next),
        (Some(time(FEBRUARY)), None)
    );
}

#[test]
fn the_highest_priority_counts_and_then_the_first_name() {
    let world = World::new(&[
        ("b", mode("Deny")),
        ("a", mode("Warn")),
        ("low", with(mode("Deny"), &json!({"priority": -1}))),
    ]);
    assert_eq!(world.creates(&job(), BEFORE).rule.name(), "a");
    let world = World::new(&[
        ("a", mode("Warn")),
        ("high", with(mode("Audit"), &json!({"priority": 1}))),
    ]);
    assert_eq!(world.creates(&job(), BEFORE).rule.name(), "high");
}

#[rstest]
#[case("deny", "Warn", Decision::Deny)]
#[case("warn", "Audit", Decision::Warn)]
#[case("warn", "Deny", Decision::Deny)]
#[case("audit", "Warn", Decision::Warn)]
#[case("off", "Warn", Decision::Warn)]
fn a_namespaces_label_only_makes_stricter(
    #[case] label: &str,
    #[case] policy: &str,
    #[case] expected: Decision,
) {
    let world = World::new(&[("research", mode(policy))]).labelled("trainshift.dev/mode", label);
    assert_eq!(world.creates(&job(), BEFORE).decision, expected);
}

#[test]
fn a_label_that_makes_stricter_is_named_as_the_authority() {
    let world = World::new(&[]).labelled("trainshift.dev/mode", "deny");
    let ruling = world.creates(&job(), BEFORE);
    assert_eq!(ruling.decision, Decision::Deny);
    assert!(ruling.rule.authority().contains("trainshift.dev/mode"));
    // To whoever is excused from it as well.
    let excusing = World::new(&[("all", katib(&json!({})))]);
    let ruling =
        excusing
            .labelled("trainshift.dev/mode", "deny")
            .asked(&as_katib(), &job(), BEFORE);
    assert_eq!(ruling.decision, Decision::Warn);
    assert!(ruling.rule.authority().contains("trainshift.dev/mode"));
}

#[test]
fn what_looks_at_the_object_only_makes_stricter() {
    let big = |mode: &str| {
        let selector = json!({"matchLabels": {"size": "big"}});
        let more = json!({
            "priority": 10, "match": {"objectSelector": selector}, "schedule": [{"mode": mode}],
        });
        ("big", more)
    };
    let labelled = job_with(&json!({"labels": {"size": "big"}}));
    let stricter = World::new(&[big("Deny"), ("all", mode("Warn"))]);
    assert_eq!(stricter.creates(&labelled, BEFORE).decision, Decision::Deny);
    assert_eq!(stricter.creates(&job(), BEFORE).decision, Decision::Warn);
    let looser = World::new(&[big("Audit"), ("all", mode("Deny"))]);
    assert_eq!(looser.creates(&labelled, BEFORE).decision, Decision::Deny);
}

#[test]
fn an_announcement_for_the_object_is_told_before_its_date() {
    let big = with(
        warn_then_deny(),
        &json!({"priority": 1, "match": {"objectSelector": {"matchLabels": {"size": "big"}}}}),
    );
    let world = World::new(&[("big", big), ("all", mode("Warn"))]);
    let labelled = job_with(&json!({"labels": {"size": "big"}}));
    let ruling = world.creates(&labelled, BEFORE);
    assert_eq!(ruling.rule.next, Some((Mode::Deny, time(FEBRUARY))));
    assert_eq!(world.creates(&job(), BEFORE).rule.next, None);
}

#[test]
fn what_comes_first_is_announced_whichever_policy_brings_it() {
    let labelled = job_with(&json!({"labels": {"size": "big"}}));
    let big = |modes: Value| {
        let selector = json!({"objectSelector": {"matchLabels": {"size": "big"}}});
        (
            "big",
            json!({"priority": 1, "match": selector, "schedule": modes}),
        )
    };
    let march = json!([{"mode": "Warn"}, {"mode": "Deny", "from": MARCH}]);
    let told = |narrow: Value, base: Value, job: &Value| {
        let world = World::new(&[big(narrow), ("all", json!({"schedule": base}))]);
        let rule = world.creates(job, BEFORE).rule;
        (rule.name().to_owned(), rule.mode, rule.next)
    };
    let deny = |from: &str| Some((Mode::Deny, time(from)));
    // The namespace's policy counts, and a looser one is the first to refuse.
    let sooner = json!([{"mode": "Audit"}, {"mode": "Deny", "from": FEBRUARY}]);
    assert_eq!(
        told(sooner.clone(), march.clone(), &labelled),
        ("all".to_owned(), Mode::Warn, deny(FEBRUARY))
    );
    assert_eq!(
        told(sooner, march.clone(), &job()),
        ("all".to_owned(), Mode::Warn, deny(MARCH))
    );
    // The other way round: a narrow one counts, and the namespace's refuses.
    let audit_then_deny = json!([{"mode": "Audit"}, {"mode": "Deny", "from": MARCH}]);
    assert_eq!(
        told(json!([{"mode": "Warn"}]), audit_then_deny, &labelled),
        ("big".to_owned(), Mode::Warn, deny(MARCH))
    );
}

#[test]
fn of_two_that_refuse_the_one_that_began_counts() {
    let selector = json!({"matchLabels": {"size": "big"}});
    let big = with(
        warn_then_deny(),
        &json!({"priority": 1, "match": {"objectSelector": selector}}),
    );
    let labelled = job_with(&json!({"labels": {"size": "big"}}));
    for (base, name) in [
        (
            json!([{"mode": "Warn"}, {"mode": "Deny", "from": MARCH}]),
            "big",
        ),
        (json!([{"mode": "Deny"}]), "all"),
    ] {
        let world = World::new(&[("big", big.clone()), ("all", json!({"schedule": base}))]);
        let rule = world.creates(&labelled, MARCH).rule;
        assert_eq!((rule.mode, rule.name()), (Mode::Deny, name));
    }
}

#[test]
fn what_ranks_below_the_namespaces_policy_counts_for_nothing() {
    let below = json!({
        "priority": -1, "match": {"objectSelector": {}}, "schedule": [{"mode": "Deny"}],
    });
    let world = World::new(&[("below", below), ("all", mode("Warn"))]);
    assert_eq!(world.creates(&job(), BEFORE).decision, Decision::Warn);
}

#[rstest]
#[case("object.metadata.name == 'mnist'", Decision::Deny, 0)]
#[case("object.metadata.name == 'other'", Decision::Warn, 0)]
#[case("object.metadata.nothing == 'x'", Decision::Deny, 1)]
#[case("1 / 0 == 1", Decision::Deny, 1)]
#[case("request.userInfo.username == 'jane'", Decision::Deny, 0)]
#[case("'people' in request.userInfo.groups", Decision::Deny, 0)]
#[case("namespaceObject.metadata.name == 'research'", Decision::Deny, 0)]
#[case("oldObject == null", Decision::Deny, 0)]
fn a_condition_that_fails_counts_as_holding(
    #[case] expression: &str,
    #[case] expected: Decision,
    #[case] failures: usize,
) {
    let conditions = json!([{"name": "it", "expression": expression}]);
    let narrow = json!({
        "priority": 1, "match": {"conditions": conditions}, "schedule": [{"mode": "Deny"}],
    });
    let world = World::new(&[("narrow", narrow), ("all", mode("Warn"))]);
    let ruling = world.creates(&job(), BEFORE);
    assert_eq!(ruling.decision, expected, "{ruling:?}");
    assert_eq!(ruling.failures.len(), failures, "{ruling:?}");
}

#[test]
fn an_expression_that_can_not_be_compiled_is_a_problem_and_counts_as_holding() {
    let conditions = json!([{"name": "it", "expression": "object.metadata.name =="}]);
    let narrow = json!({
        "priority": 1, "match": {"conditions": conditions}, "schedule": [{"mode": "Deny"}],
    });
    let world = World::new(&[("narrow", narrow), ("all", mode("Warn"))]);
    assert_eq!(world.problems.len(), 1, "{:?}", world.problems);
    assert_eq!(
        world.problems[0].field,
        "spec.match.conditions[0].expression"
    );
    assert_eq!(world.creates(&job(), BEFORE).decision, Decision::Deny);
}

fn katib(more: &Value) -> Value {
    let mut exemption = json!({
        "name": "katib",
        "subjects": [{"kind": "ServiceAccount", "namespace": "kubeflow", "name": "katib-controller"}],
        "reason": "trials move with Katib",
        "until": MARCH,
    });
    json_patch::merge(&mut exemption, more);
    with(warn_then_deny(), &json!({"exemptions": [exemption]}))
}

fn as_katib() -> Value {
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

#[test]
fn passing_a_denial_takes_a_reason() {
    let world = World::new(&[("research", mode("Deny"))]);
    let ruling = world.creates(&job(), BEFORE).bypassed("the cluster burns");
    assert_eq!(ruling.decision, Decision::Warn);
    assert_eq!(
        ruling.excuse,
        Some(Excuse::Bypass("the cluster burns".to_owned()))
    );
    let review = no_details();
    for (annotation, reason) in [("  ", None), (" fire ", Some("fire"))] {
        let job = job_with(&json!({"annotations": {"trainshift.dev/bypass": annotation}}));
        let job: PyTorchJob = serde_json::from_value(job).unwrap();
        let mut request = Request::new(&review, &world.namespace, &Change::Created);
        request.object = Some(&job);
        assert_eq!(request.bypass(), reason);
    }
}

#[test]
fn a_queue_may_start_a_job_and_nothing_more() {
    let world = World::new(&[("research", mode("Deny"))]);
    let review = no_details();
    let another = Change::AnotherJob(vec!["spec".to_owned()]);
    for (change, expected) in [
        (&Change::Started, Decision::Admit),
        (&Change::Created, Decision::Deny),
        (&another, Decision::Deny),
    ] {
        let mut request = Request::new(&review, &world.namespace, change);
        request.is_queue = true;
        let ruling = judge(&world.snapshot, &request, time(BEFORE));
        assert_eq!(ruling.decision, expected, "{change:?}");
    }
}

/// What comes of jane's scaling a job from one worker to two.
fn scales(world: &World) -> Ruling {
    let scale = |workers: i64| json!({"kind": "Scale", "spec": {"replicas": workers}});
    let review = json!({
        "uid": "1", "operation": "UPDATE", "subResource": "scale", "name": "mnist",
        "userInfo": {"username": "jane"}, "object": scale(2), "oldObject": scale(1),
    });
    let review = serde_json::from_str(&review.to_string()).unwrap();
    let change = Change::of_scale(1, 2);
    let request = Request::new(&review, &world.namespace, &change);
    judge(&world.snapshot, &request, time(BEFORE))
}

#[test]
fn an_object_that_can_not_be_seen_counts_as_what_the_policy_is_about() {
    assert_eq!(scales(&denying_big_jobs()).decision, Decision::Deny);
}

#[rstest]
#[case("has(object.spec.elasticPolicy)", Decision::Deny)]
#[case(
    "oldObject != null && has(oldObject.spec.elasticPolicy)",
    Decision::Deny
)]
#[case("object.spec.elasticPolicy.maxReplicas > 8", Decision::Deny)]
#[case("request.userInfo.username == 'joe'", Decision::Warn)]
#[case("namespaceObject.metadata.name == 'vision'", Decision::Warn)]
fn a_condition_on_a_job_that_can_not_be_seen_counts_as_holding(
    #[case] expression: &str,
    #[case] expected: Decision,
) {
    let narrow = json!({
        "priority": 1, "match": {"conditions": [{"name": "it", "expression": expression}]},
        "schedule": [{"mode": "Deny"}],
    });
    let world = World::new(&[("narrow", narrow), ("all", mode("Warn"))]);
    let ruling = scales(&world);
    assert_eq!((ruling.decision, ruling.failures), (expected, Vec::new()));
}

#[test]
fn a_label_that_is_taken_away_with_the_same_edit_still_counts() {
    let world = denying_big_jobs();
    let review = no_details();
    let old: PyTorchJob =
        serde_json::from_value(job_with(&json!({"labels": {"size": "big"}}))).unwrap();
    let new: PyTorchJob = serde_json::from_value(job()).unwrap();
    let change = Change::AnotherJob(vec!["spec".to_owned()]);
    let mut request = Request::new(&review, &world.namespace, &change);
    request.object = Some(&new);
    request.old_object = Some(&old);
    assert_eq!(
        judge(&world.snapshot, &request, time(BEFORE)).decision,
        Decision::Deny
    );
}
