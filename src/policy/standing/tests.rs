use rstest::rstest;
use serde_json::{Value, json};

use super::finding::MAX_MESSAGE;
use super::*;
use crate::api::meta::EXPRESSION_FAILING;
use crate::api::policy::MigrationPolicy;
use crate::policy::Mode;

const NOW: &str = "2027-01-15T00:03:20Z";
const FEBRUARY: &str = "2027-02-01T00:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn policy(patch: &Value) -> Policy {
    let mut spec = json!({"schedule": [{"mode": "Warn"}, {"mode": "Deny", "from": FEBRUARY}]});
    json_patch::merge(&mut spec, patch);
    let spec = serde_json::from_value(spec).unwrap();
    Policy::new(&MigrationPolicy::new("research", spec)).0
}

fn failed(condition: &str, error: &str, at: &str) -> Noted {
    Noted {
        failure: Failure {
            policy: "research".to_owned(),
            condition: condition.to_owned(),
            error: error.to_owned(),
        },
        at: time(at),
    }
}

/// A world in which nothing is wrong, and what of it a test changes.
struct World {
    reach: BTreeMap<String, Reach>,
    runtimes: Option<BTreeSet<String>>,
    failures: Vec<Noted>,
    stored: Stored,
}

impl Default for World {
    fn default() -> Self {
        Self {
            reach: BTreeMap::from([("research".to_owned(), Reach::Counts)]),
            runtimes: Some(BTreeSet::from(["torch-distributed".to_owned()])),
            failures: Vec::new(),
            stored: Stored {
                generation: Some(3),
                ..Stored::default()
            },
        }
    }
}

impl World {
    fn reaching(reach: Reach) -> Self {
        Self {
            reach: BTreeMap::from([("research".to_owned(), reach)]),
            ..Self::default()
        }
    }

    fn status(&self, policy: &Policy, now: &str) -> MigrationPolicyStatus {
        let facts = Facts {
            reach: &self.reach,
            runtimes: self.runtimes.as_ref(),
            failures: &self.failures,
            now: time(now),
        };
        status(policy, &facts, &self.stored)
    }

    /// What was reported is what is stored.
    fn keep(&mut self, status: MigrationPolicyStatus) {
        self.stored.status = status;
    }
}

/// The types of the conditions that hold.
fn holding(status: &MigrationPolicyStatus) -> Vec<&str> {
    let conditions = status.conditions.iter();
    conditions
        .filter(|condition| condition.status == "True")
        .map(|condition| condition.type_.as_str())
        .collect()
}

fn message<'s>(status: &'s MigrationPolicyStatus, kind: &str) -> &'s str {
    &condition(status, kind).unwrap().message
}

fn broken() -> Value {
    json!({"match": {"conditions": [{"name": "big", "expression": "object.("}]}})
}

fn with_condition() -> Value {
    json!({"match": {"conditions": [{"name": "big", "expression": "object.spec.x > 1"}]}})
}

#[test]
fn a_good_policy_shows_its_mode_and_its_next_date() {
    let status = World::default().status(&policy(&json!({})), NOW);
    assert_eq!(status.active_mode, Some(Mode::Warn));
    assert_eq!(status.next_mode, Some(Mode::Deny));
    assert_eq!(status.next_transition, Some(time(FEBRUARY)));
    assert_eq!(status.observed_generation, Some(3));
    assert_eq!(holding(&status), [READY]);
    let order: Vec<_> = status.conditions.iter().map(|it| &it.type_).collect();
    assert_eq!(
        order,
        [
            READY,
            EXPRESSION_FAILING,
            RUNTIME_UNKNOWN,
            SHADOWED,
            MATCHES_NOTHING,
            EXEMPTIONS_EXPIRED
        ]
    );

    let after = World::default().status(&policy(&json!({})), FEBRUARY);
    assert_eq!(after.active_mode, Some(Mode::Deny));
    assert_eq!((after.next_mode, after.next_transition), (None, None));
}

#[rstest]
#[case::does_not_compile(&broken(), World::default(), EXPRESSION_FAILING, "condition big: line 1")]
#[case::unknown_runtime(
    &json!({"conversion": {"runtime": "torhc"}}), World::default(), RUNTIME_UNKNOWN,
    "spec.conversion.runtime: ClusterTrainingRuntime torhc is not in the cluster (there are torch-distributed)"
)]
#[case::shadowed(
    &json!({}), World::reaching(Reach::Behind(BTreeSet::from(["all".to_owned()]))), SHADOWED, "comes first: all;"
)]
#[case::matches_nothing(&json!({}), World::reaching(Reach::Nowhere), MATCHES_NOTHING, "spec.match: no namespace")]
#[case::the_first_of_two(
    &json!({"conversion": {"runtime": "torhc"}}), World::reaching(Reach::Nowhere), RUNTIME_UNKNOWN, "torhc"
)]
fn what_is_wrong_makes_a_policy_unready(
    #[case] patch: &Value,
    #[case] world: World,
    #[case] kind: &str,
    #[case] says: &str,
) {
    let status = world.status(&policy(patch), NOW);
    assert!(holding(&status).contains(&kind), "{status:#?}");
    assert!(message(&status, kind).contains(says), "{status:#?}");
    assert!(!is_ready(&status));
    let ready = condition(&status, READY).unwrap();
    assert_eq!(
        (ready.status.as_str(), ready.reason.as_str()),
        ("False", kind)
    );
    assert_eq!(ready.message, message(&status, kind));
}

#[test]
fn an_exemption_that_has_ended_is_named_and_the_policy_is_ready() {
    let exemption = |name: &str, until: &str| json!({"name": name, "reason": "r", "until": until, "subjects": [{"kind": "User", "name": "jane"}]});
    let policy = policy(
        &json!({"exemptions": [exemption("katib", "2027-01-01T00:00:00Z"), exemption("nightly", FEBRUARY)]}),
    );
    let status = World::default().status(&policy, NOW);
    assert_eq!(holding(&status), [READY, EXEMPTIONS_EXPIRED]);
    let said = message(&status, EXEMPTIONS_EXPIRED);
    assert!(
        said.contains("katib") && !said.contains("nightly"),
        "{said}"
    );
    let later = World::default().status(&policy, FEBRUARY);
    assert!(message(&later, EXEMPTIONS_EXPIRED).contains("katib, nightly"));
}

#[test]
fn without_a_cluster_nobody_says_that_a_runtime_is_missing() {
    let world = World {
        runtimes: None,
        ..World::default()
    };
    let status = world.status(&policy(&json!({"conversion": {"runtime": "x"}})), NOW);
    assert!(is_ready(&status));
    let condition = condition(&status, RUNTIME_UNKNOWN).unwrap();
    assert_eq!(condition.status, "Unknown");
}

#[test]
fn the_time_of_a_transition_changes_with_the_status_only() {
    let mut world = World::default();
    let policy = policy(&json!({}));
    let at = |status: &MigrationPolicyStatus, kind| {
        condition(status, kind).unwrap().last_transition_time.0
    };
    let first = world.status(&policy, NOW);
    world.keep(first);
    let same = world.status(&policy, "2027-01-20T00:00:00Z");
    assert_eq!(at(&same, READY), time(NOW));
    assert_eq!(
        world.stored.status, same,
        "nothing changes, so nothing is written"
    );

    world.reach.insert("research".to_owned(), Reach::Nowhere);
    let changed = world.status(&policy, "2027-01-21T00:00:00Z");
    assert_eq!(at(&changed, READY), time("2027-01-21T00:00:00Z"));
    assert_eq!(at(&changed, MATCHES_NOTHING), time("2027-01-21T00:00:00Z"));
    assert_eq!(at(&changed, SHADOWED), time(NOW));
}

#[test]
fn a_condition_that_fails_on_requests_is_told_until_it_has_not_for_a_while() {
    let mut world = World::default();
    let policy = policy(&with_condition());
    world.failures = vec![
        failed("big", "no such key: x", NOW),
        failed("gone", "a condition that the policy has no more", NOW),
    ];
    let status = world.status(&policy, NOW);
    assert!(!is_ready(&status));
    assert_eq!(status.last_failure, Some(time("2027-01-15T00:00:00Z")));
    assert_eq!(
        message(&status, EXPRESSION_FAILING),
        "condition big: no such key: x; a condition without an answer counts as true"
    );

    world.keep(status);
    let later = world.status(&policy, "2027-01-15T00:15:00Z");
    assert!(is_ready(&later));
    assert_eq!(later.last_failure, None);
}

#[test]
fn a_replica_that_saw_no_failure_leaves_what_another_says_of_it() {
    let mut world = World::default();
    let policy = policy(&with_condition());
    world.failures = vec![failed("big", "no such key: x", NOW)];
    let written = world.status(&policy, NOW);
    world.keep(written.clone());

    world.failures.clear();
    assert_eq!(world.status(&policy, NOW), written);
    world.failures = vec![failed("big", "another reason", "2027-01-15T00:04:00Z")];
    assert_eq!(
        world.status(&policy, "2027-01-15T00:04:00Z"),
        written,
        "of the same five minutes, the first one who wrote counts"
    );
    world.failures = vec![failed("big", "another reason", "2027-01-15T00:06:00Z")];
    let newer = world.status(&policy, "2027-01-15T00:06:00Z");
    assert!(message(&newer, EXPRESSION_FAILING).contains("another reason"));
    assert_eq!(newer.last_failure, Some(time("2027-01-15T00:05:00Z")));
}

#[test]
fn a_new_generation_begins_without_the_failures_of_the_old_one() {
    let mut world = World::default();
    let policy = policy(&with_condition());
    world.failures = vec![failed("big", "no such key: x", NOW)];
    let written = world.status(&policy, NOW);
    world.keep(written);
    world.failures.clear();
    world.stored.generation = Some(4);
    assert!(is_ready(&world.status(&policy, NOW)));
}

#[test]
fn messages_are_bounded() {
    let many = (0..500).map(|number| format!("a-policy-with-a-long-name-{number:03}"));
    let world = World::reaching(Reach::Behind(many.collect()));
    let status = world.status(&policy(&json!({})), NOW);
    let said = message(&status, SHADOWED);
    assert!(said.contains("and 492 more"), "{said}");

    let conditions: Vec<_> = (0..8)
        .map(|number| json!({"name": format!("c{number}"), "expression": "x".repeat(2000)}))
        .collect();
    let status =
        World::default().status(&policy(&json!({"match": {"conditions": conditions}})), NOW);
    for condition in &status.conditions {
        assert!(condition.message.chars().count() <= MAX_MESSAGE);
    }
}

#[test]
fn the_next_moment_is_a_date_or_the_end_of_an_exemption() {
    let policy = policy(&json!({"exemptions": [
        {"name": "k", "reason": "r", "until": "2027-01-20T00:00:00Z", "subjects": [{"kind": "User", "name": "jane"}]},
    ]}));
    let next = |now| next_moment(&policy, time(now));
    assert_eq!(next(NOW), Some(time("2027-01-20T00:00:00Z")));
    assert_eq!(next("2027-01-20T00:00:00Z"), Some(time(FEBRUARY)));
    assert_eq!(next(FEBRUARY), None);
}
