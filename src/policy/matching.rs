//! Which jobs a policy is about.

use std::collections::BTreeMap;

use kube::core::{Expression as Requirement, Selector, SelectorExt as _};

use crate::api::policy::{LabelOperator, LabelSelector, Match};

/// Labels by key.
pub type Labels = BTreeMap<String, String>;

/// The part of a policy's match that the namespace decides.
#[derive(Clone, Debug)]
pub struct Place {
    names: Vec<String>,
    labels: Selector,
}

impl Place {
    /// Of `matches`.
    #[must_use]
    pub fn new(matches: &Match) -> Self {
        let mut names = matches.namespaces.clone();
        names.sort_unstable();
        Self {
            names,
            labels: matches
                .namespace_selector
                .as_ref()
                .map(selector)
                .unwrap_or_default(),
        }
    }

    /// Whether the namespace is one of those.
    #[must_use]
    pub fn holds(&self, name: &str, labels: &Labels) -> bool {
        let named = self.names.is_empty()
            || self
                .names
                .binary_search_by(|known| known.as_str().cmp(name))
                .is_ok();
        named && self.labels.matches(labels)
    }
}

/// What a label query of a policy asks.
#[must_use]
pub fn selector(query: &LabelSelector) -> Selector {
    let equal = query
        .match_labels
        .iter()
        .map(|(key, value)| Requirement::Equal(key.clone(), value.clone()));
    let required = query.match_expressions.iter().map(|requirement| {
        let key = requirement.key.clone();
        let values = || requirement.values.iter().cloned().collect();
        match requirement.operator {
            LabelOperator::In => Requirement::In(key, values()),
            LabelOperator::NotIn => Requirement::NotIn(key, values()),
            LabelOperator::Exists => Requirement::Exists(key),
            LabelOperator::DoesNotExist => Requirement::DoesNotExist(key),
        }
    });
    equal.chain(required).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[rstest]
    #[case(json!({}), true)]
    #[case(json!({"namespaces": ["research"]}), true)]
    #[case(json!({"namespaces": ["vision", "ads"]}), false)]
    #[case(json!({"namespaceSelector": {"matchLabels": {"tier": "gold"}}}), true)]
    #[case(json!({"namespaceSelector": {"matchLabels": {"tier": "lead"}}}), false)]
    #[case(json!({"namespaces": ["research"], "namespaceSelector": {"matchLabels": {"tier": "lead"}}}), false)]
    #[case(json!({"namespaceSelector": {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["lead", "gold"]}]}}), true)]
    #[case(json!({"namespaceSelector": {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["gold"]}]}}), false)]
    #[case(json!({"namespaceSelector": {"matchExpressions": [{"key": "none", "operator": "NotIn", "values": ["gold"]}]}}), true)]
    #[case(json!({"namespaceSelector": {"matchExpressions": [{"key": "tier", "operator": "Exists"}]}}), true)]
    #[case(json!({"namespaceSelector": {"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}}), false)]
    fn a_namespace_is_matched_by_name_and_labels(#[case] matches: Value, #[case] expected: bool) {
        let place = Place::new(&serde_json::from_value(matches).unwrap());
        assert_eq!(
            place.holds("research", &labels(&[("tier", "gold")])),
            expected
        );
    }
}
