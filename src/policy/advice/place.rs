//! Where a policy holds, as far as its text tells: which of two places holds the other, and whether they can meet.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::meta::LABEL_NAMESPACE_NAME;
use crate::api::policy::{LabelOperator, LabelSelector, Match};

/// The namespaces of a policy.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// By name; none: of any name.
    names: Option<BTreeSet<String>>,
    /// What is asked of each label besides.
    labels: BTreeMap<String, Vec<Asked>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Asked {
    operator: LabelOperator,
    values: BTreeSet<String>,
}

impl Place {
    pub(super) fn of(matches: &Match) -> Self {
        let mut place = Self::default();
        if !matches.namespaces.is_empty() {
            place.names = Some(matches.namespaces.iter().cloned().collect());
        }
        let nothing = LabelSelector::default();
        let selector = matches.namespace_selector.as_ref().unwrap_or(&nothing);
        for (key, value) in &selector.match_labels {
            place.ask(key, LabelOperator::In, std::slice::from_ref(value));
        }
        for requirement in &selector.match_expressions {
            place.ask(&requirement.key, requirement.operator, &requirement.values);
        }
        place
    }

    fn ask(&mut self, key: &str, operator: LabelOperator, values: &[String]) {
        let values: BTreeSet<_> = values.iter().cloned().collect();
        if key == LABEL_NAMESPACE_NAME && operator == LabelOperator::In {
            self.names = Some(match self.names.take() {
                Some(names) => names.intersection(&values).cloned().collect(),
                None => values,
            });
        } else {
            let asked = self.labels.entry(key.to_owned()).or_default();
            asked.push(Asked { operator, values });
        }
    }

    /// Labels that it asks about, and that people write.
    pub(super) fn labels(&self) -> Vec<&str> {
        let keys = self.labels.keys().map(String::as_str);
        keys.filter(|key| *key != LABEL_NAMESPACE_NAME).collect()
    }

    /// The same places by name alone, whatever their labels.
    pub(super) fn whatever_labels(&self) -> Self {
        Self {
            names: self.names.clone(),
            labels: BTreeMap::new(),
        }
    }

    /// One place for each name, or itself.
    pub(super) fn by_name(&self) -> Vec<Self> {
        let one = |name: &String| Self {
            names: Some(BTreeSet::from([name.clone()])),
            labels: self.labels.clone(),
        };
        match &self.names {
            Some(names) => names.iter().map(one).collect(),
            None => vec![self.clone()],
        }
    }

    /// Whether every namespace of `other` is sure to be in it.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let named = match (&self.names, &other.names) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(mine), Some(theirs)) => theirs.is_subset(mine),
        };
        named
            && self.labels.iter().all(|(key, asked)| {
                let known = other.labels.get(key).map(Vec::as_slice).unwrap_or_default();
                asked
                    .iter()
                    .all(|asked| known.iter().any(|known| known.implies(asked)))
            })
    }

    /// Whether a namespace may be in both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let named = match (&self.names, &other.names) {
            (Some(mine), Some(theirs)) => !mine.is_disjoint(theirs),
            _ => true,
        };
        named
            && self.labels.iter().all(|(key, asked)| {
                let known = other.labels.get(key).map(Vec::as_slice).unwrap_or_default();
                !asked
                    .iter()
                    .any(|asked| known.iter().any(|known| asked.excludes(known)))
            })
    }
}

impl Asked {
    /// Whether a label that fulfils this one fulfils `other`.
    fn implies(&self, other: &Self) -> bool {
        use LabelOperator::{DoesNotExist, Exists, In, NotIn};
        match (self.operator, other.operator) {
            (In, In) => self.values.is_subset(&other.values),
            (In, NotIn) => self.values.is_disjoint(&other.values),
            (NotIn, NotIn) => self.values.is_superset(&other.values),
            (In | Exists, Exists) | (DoesNotExist, DoesNotExist | NotIn) => true,
            _ => false,
        }
    }

    /// Whether no label fulfils both.
    fn excludes(&self, other: &Self) -> bool {
        use LabelOperator::{DoesNotExist, Exists, In, NotIn};
        match (self.operator, other.operator) {
            (In, In) => self.values.is_disjoint(&other.values),
            (In, NotIn) => self.values.is_subset(&other.values),
            (NotIn, In) => other.values.is_subset(&self.values),
            (In | Exists, DoesNotExist) | (DoesNotExist, In | Exists) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn place(matches: &Value) -> Place {
        Place::of(&serde_json::from_value(matches.clone()).unwrap())
    }

    fn by_label(key: &str, operator: &str, values: &[&str]) -> Value {
        json!({"namespaceSelector": {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}})
    }

    #[test]
    fn a_place_covers_what_is_sure_to_be_in_it() {
        let all = json!({});
        let named = json!({"namespaces": ["a", "b"]});
        let one = json!({"namespaces": ["a"]});
        let gold = json!({"namespaceSelector": {"matchLabels": {"tier": "gold"}}});
        let tiered = by_label("tier", "Exists", &[]);
        let by_name = by_label(LABEL_NAMESPACE_NAME, "In", &["a"]);
        for (outer, inner, covers) in [
            (&all, &named, true),
            (&named, &all, false),
            (&named, &one, true),
            (&named, &by_name, true),
            (&one, &named, false),
            (&tiered, &gold, true),
            (&gold, &tiered, false),
            (&by_label("tier", "NotIn", &["lead"]), &gold, true),
            (&gold, &one, false),
        ] {
            assert_eq!(
                place(outer).covers(&place(inner)),
                covers,
                "{outer} {inner}"
            );
        }
    }

    #[test]
    fn places_meet_unless_their_texts_exclude_each_other() {
        let gold = by_label("tier", "In", &["gold"]);
        for (one, other, meet) in [
            (&gold, &by_label("tier", "In", &["lead"]), false),
            (&gold, &by_label("tier", "NotIn", &["gold"]), false),
            (&gold, &by_label("tier", "DoesNotExist", &[]), false),
            (&gold, &by_label("zone", "In", &["a"]), true),
            (&gold, &json!({}), true),
            (
                &json!({"namespaces": ["a"]}),
                &json!({"namespaces": ["b"]}),
                false,
            ),
        ] {
            assert_eq!(place(one).meets(&place(other)), meet, "{one} {other}");
            assert_eq!(place(other).meets(&place(one)), meet, "{other} {one}");
        }
    }
}
