//! Policies that look at the object.

use rstest::rstest;
use serde_json::{Value, json};

use super::*;

/// Jobs labelled as big are refused, others are warned about.
fn denying_big_jobs() -> World {
    let narrow = json!({
        "priority": 1,
        "match": {"objectSelector": {"matchLabels": {"size": "big"}}},
        "schedule": [{"mode": "Deny"}],
    });
    World::new(&[("narrow", narrow), ("all", mode("Warn"))])
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

#[test]
fn conditions_of_many_policies_share_the_steps_of_a_request() {
    let dear = json!({
        "schedule": [{"mode": "Deny"}],
        "match": {"conditions": [{"name": "dear", "expression": "object.spec.items.exists(x, x == 7)"}]},
    });
    let job = json!({"kind": "PyTorchJob", "metadata": {"name": "mnist"}, "spec": {"items": vec![1; 20_000]}});
    let ruling = |count: usize| {
        let names: Vec<_> = (0..count).map(|index| format!("dear-{index:02}")).collect();
        let policies: Vec<_> = names
            .iter()
            .map(|name| (name.as_str(), dear.clone()))
            .collect();
        World::new(&policies).creates(&job, BEFORE)
    };
    let few = ruling(5);
    assert_eq!((few.decision, few.failures), (Decision::Admit, vec![]));
    // Nobody waits for all of them, and whoever makes them dear by a large job gains nothing.
    let many = ruling(60);
    assert_eq!(many.decision, Decision::Deny);
    assert!(
        many.failures[0]
            .error
            .starts_with("the conditions of all policies"),
        "{:?}",
        many.failures
    );
}
