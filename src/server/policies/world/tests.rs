use serde_json::json;

use super::*;
use crate::policy::Namespace;
use crate::server::ready::Readiness;

fn policy(name: &str, mode: &str) -> MigrationPolicy {
    let spec = json!({"schedule": [{"mode": mode}]});
    MigrationPolicy::new(name, serde_json::from_value(spec).unwrap())
}

fn good(name: &str, mode: &str) -> (String, ReadPolicy) {
    (name.to_owned(), Ok(Box::new(policy(name, mode))))
}

fn listed(policies: impl IntoIterator<Item = (String, ReadPolicy)>) -> Told {
    Told::Policies(Seen::All(policies.into_iter().collect()))
}

fn one((name, read): (String, ReadPolicy)) -> Told {
    Told::Policies(Seen::One(name, read))
}

fn broken(name: &str) -> (String, ReadPolicy) {
    (name.to_owned(), Err("spec: no".to_owned()))
}

fn no_namespaces() -> Told {
    Told::Namespaces(Seen::All(BTreeMap::new()))
}

fn report(world: &World) -> String {
    let readiness = Readiness::default();
    world.report(&readiness.part("policies"));
    readiness.report().to_string()
}

/// The modes by policy.
fn modes(snapshot: &Snapshot) -> Vec<(String, Mode)> {
    let mode = |policy: &std::sync::Arc<crate::policy::Policy>| {
        (policy.name().to_owned(), policy.spec().schedule[0].mode)
    };
    snapshot.policies().iter().map(mode).collect()
}

fn known(policies: impl IntoIterator<Item = (String, ReadPolicy)>) -> World {
    let mut world = World::new(Mode::Audit, true);
    world.take(listed(policies));
    world.take(no_namespaces());
    world
}

#[test]
fn there_is_no_snapshot_before_both_were_listed() {
    let mut world = World::new(Mode::Audit, true);
    world.take(listed([good("a", "Deny")]));
    assert!(world.snapshot().is_none());
    assert!(report(&world).contains("policies: not ready"));
    world.take(no_namespaces());
    let snapshot = world.snapshot().unwrap();
    assert_eq!(modes(&snapshot), [("a".to_owned(), Mode::Deny)]);
    assert!(report(&world).contains("policies: ok\n"));
}

#[test]
fn a_policy_that_cannot_be_read_keeps_its_last_good_form_and_hides_no_other() {
    let mut world = known([good("a", "Deny"), good("b", "Warn")]);
    world.take(one(broken("a")));
    world.take(one(good("b", "Audit")));
    let both = [("a".to_owned(), Mode::Deny), ("b".to_owned(), Mode::Audit)];
    assert_eq!(modes(&world.snapshot().unwrap()), both);
    assert!(report(&world).contains("policies: ok: policy a can't be read: spec: no"));
    world.take(listed([broken("a"), good("b", "Audit")]));
    assert_eq!(modes(&world.snapshot().unwrap()), both);
    world.take(one(good("a", "Warn")));
    assert_eq!(modes(&world.snapshot().unwrap())[0].1, Mode::Warn);
    assert!(report(&world).contains("policies: ok\n"));
}

#[test]
fn what_is_deleted_is_gone() {
    let mut world = known([good("a", "Deny"), good("b", "Warn")]);
    world.take(Told::Policies(Seen::Gone("a".to_owned())));
    assert_eq!(modes(&world.snapshot().unwrap()).len(), 1);
    world.take(listed([]));
    assert!(modes(&world.snapshot().unwrap()).is_empty());
}

#[test]
fn without_the_kind_there_are_no_policies_and_it_is_said() {
    let mut world = known([good("a", "Deny")]);
    world.take(Told::Policies(Seen::NoKind));
    assert!(modes(&world.snapshot().unwrap()).is_empty());
    let told = report(&world);
    assert!(
        told.starts_with("ok\npolicies: ok: no policies: the cluster has no migrationpolicies"),
        "{told}"
    );
    world.take(listed([]));
    assert!(report(&world).contains("policies: ok\n"));
}

#[test]
fn the_last_snapshot_stays_while_the_api_server_is_away() {
    let mut world = known([good("a", "Deny")]);
    assert!(world.snapshot().is_some());
    world.take(Told::Policies(Seen::Lost("connection refused".to_owned())));
    assert!(world.snapshot().is_none(), "nothing new");
    let told = report(&world);
    assert!(
        told.contains("policies: ok: answers from the last reading: connection refused"),
        "{told}"
    );
    world.take(listed([good("a", "Deny")]));
    assert!(report(&world).contains("policies: ok\n"));
}

#[test]
fn only_a_change_that_matters_makes_a_snapshot() {
    let mut world = known([good("a", "Deny")]);
    let labels = || Labels::from([("team".to_owned(), "vision".to_owned())]);
    let namespace = || Told::Namespaces(Seen::One("research".to_owned(), labels()));
    world.take(namespace());
    let snapshot = world.snapshot().unwrap();
    assert_eq!(
        snapshot.namespace("research").map(|known| known.labels()),
        Some(Namespace::new("research", labels()).labels())
    );
    world.take(namespace());
    world.take(one(good("a", "Deny")));
    assert!(world.snapshot().is_none());
}

#[test]
fn a_broken_file_leaves_the_last_good_one_in_force() {
    let mut world = World::new(Mode::Audit, false);
    world.take(Told::File(Ok(std::sync::Arc::new(vec![policy(
        "a", "Deny",
    )]))));
    assert_eq!(modes(&world.snapshot().unwrap()).len(), 1);
    world.take(Told::File(Err("policies.yaml:3:5: no".to_owned())));
    assert!(world.snapshot().is_none());
    let told = report(&world);
    assert!(
        told.contains("ok: the last good file of policies is in force: policies.yaml:3:5: no"),
        "{told}"
    );
    world.take(Told::File(Ok(std::sync::Arc::new(vec![]))));
    assert!(modes(&world.snapshot().unwrap()).is_empty());
    assert!(report(&world).contains("policies: ok\n"));
}
