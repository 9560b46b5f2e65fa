//! Where policies count: each in some namespace, in none, or nowhere because others come first.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{Namespace, Snapshot};

/// Where a policy counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reach {
    /// In some namespace, at least.
    Counts,
    /// It holds in no namespace that there is.
    Nowhere,
    /// Wherever it holds, one of these comes first.
    Behind(BTreeSet<String>),
}

/// The reach of every policy, by its name. Where no namespace is known, nothing can be said against any.
///
/// Most policies count somewhere, and are done with after one look at each namespace; only the others are held against
/// every namespace.
#[must_use]
pub fn of(snapshot: &Snapshot) -> BTreeMap<String, Reach> {
    let counting: HashSet<&str> = snapshot
        .namespaces()
        .flat_map(|namespace| {
            let scope = snapshot.scope(namespace);
            scope.narrow.iter().chain(&scope.base)
        })
        .map(|policy| policy.name())
        .collect();
    let is_known = snapshot.namespaces().next().is_some();
    let base = |namespace: &Namespace| {
        let base = snapshot.scope(namespace).base.as_ref();
        base.map(|policy| policy.name().to_owned())
    };
    snapshot
        .policies()
        .iter()
        .map(|policy| {
            let reach = if !is_known || counting.contains(policy.name()) {
                Reach::Counts
            } else {
                let first: BTreeSet<_> = snapshot
                    .namespaces()
                    .filter(|namespace| policy.holds_in(namespace.name(), namespace.labels()))
                    .filter_map(|namespace| base(namespace))
                    .collect();
                if first.is_empty() {
                    Reach::Nowhere
                } else {
                    Reach::Behind(first)
                }
            };
            (policy.name().to_owned(), reach)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::policy::MigrationPolicy;
    use crate::policy::{Mode, Policies};

    fn reaches(policies: &[(&str, Value)], namespaces: &[&str]) -> BTreeMap<String, Reach> {
        let policies: Vec<_> = policies
            .iter()
            .map(|(name, spec)| {
                let mut spec = spec.clone();
                spec["schedule"] = json!([{"mode": "Warn"}]);
                MigrationPolicy::new(name, serde_json::from_value(spec).unwrap())
            })
            .collect();
        let namespaces = namespaces
            .iter()
            .map(|name| ((*name).to_owned(), Namespace::named(name).labels().clone()));
        let snapshot = Snapshot::new(Mode::Audit)
            .with_policies(Policies::new(&policies).0)
            .with_namespaces(namespaces);
        of(&snapshot)
    }

    /// A policy for each of two namespaces, and one for all behind them.
    fn two_and_the_rest() -> [(&'static str, Value); 3] {
        let only = |priority: i32, namespace: &str| json!({"priority": priority, "match": {"namespaces": [namespace]}});
        [
            ("ads", only(2, "ads")),
            ("vision", only(1, "vision")),
            ("rest", json!({})),
        ]
    }

    fn behind(names: &[&str]) -> Reach {
        Reach::Behind(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_policy_is_shadowed_where_another_comes_first_in_every_namespace() {
        let reach = reaches(
            &[
                ("all", json!({"priority": 5})),
                ("later", json!({"match": {"namespaces": ["ads", "vision"]}})),
                ("stray", json!({"match": {"namespaces": ["nowhere"]}})),
                (
                    "narrow",
                    json!({"priority": 9, "match": {"objectSelector": {}}}),
                ),
            ],
            &["ads", "vision"],
        );
        assert_eq!(reach["all"], Reach::Counts);
        assert_eq!(reach["narrow"], Reach::Counts);
        assert_eq!(reach["later"], behind(&["all"]));
        assert_eq!(reach["stray"], Reach::Nowhere);
    }

    #[test]
    fn one_free_namespace_is_enough_to_count() {
        let reach = reaches(&two_and_the_rest(), &["ads", "vision", "speech"]);
        assert_eq!(reach["rest"], Reach::Counts);
    }

    #[test]
    fn all_that_come_first_are_named() {
        let reach = reaches(&two_and_the_rest(), &["ads", "vision"]);
        assert_eq!(reach["rest"], behind(&["ads", "vision"]));
    }

    #[test]
    fn without_namespaces_nothing_is_held_against_a_policy() {
        assert_eq!(reaches(&[("all", json!({}))], &[])["all"], Reach::Counts);
    }
}
