//! Which pods of the job a label selector of the job itself picks.
//!
//! Affinity and spread name labels, and v2's pods have other labels than v1's: whether a selector still does its work shows
//! in the ranks that it picks. They become a field `selects` beside the selector.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::ranks;

/// Field that the ranks stand in.
const SELECTS: &str = "selects";

/// The labels of the job's pods by rank, and what selectors were found to pick.
pub struct Selectors<'p> {
    labels: Vec<&'p Map<String, Value>>,
    known: HashMap<String, String>,
}

impl<'p> Selectors<'p> {
    /// Selectors among `pods`, which are in rank order.
    pub fn among(pods: &'p [Value], no_labels: &'p Map<String, Value>) -> Self {
        let labels = |pod: &'p Value| pod["metadata"]["labels"].as_object();
        Self {
            labels: pods
                .iter()
                .map(|pod| labels(pod).unwrap_or(no_labels))
                .collect(),
            known: HashMap::new(),
        }
    }

    /// Puts the ranks beside each selector below `value`.
    pub fn mark(&mut self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.mark(item)),
            Value::Object(fields) => {
                if let Some(selector) = fields.get("labelSelector") {
                    let picked = self.picked(selector);
                    fields.insert(SELECTS.to_owned(), Value::from(picked));
                }
                fields.values_mut().for_each(|field| self.mark(field));
            }
            _ => {}
        }
    }

    fn picked(&mut self, selector: &Value) -> String {
        let key = selector.to_string();
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let matching = self.labels.iter().enumerate();
        let matching = matching.filter(|(_, labels)| matches(selector, labels));
        let ranks: BTreeSet<usize> = matching.map(|(rank, _)| rank).collect();
        let picked = if ranks.len() == self.labels.len() {
            "all ranks".to_owned()
        } else {
            ranks::text(&ranks)
        };
        self.known.insert(key, picked.clone());
        picked
    }
}

/// Whether `selector` picks a pod with `labels` (apimachinery v0.36.3 `pkg/apis/meta/v1/helpers.go`). No selector picks
/// nothing, an empty one everything.
fn matches(selector: &Value, labels: &Map<String, Value>) -> bool {
    let Some(selector) = selector.as_object() else {
        return false;
    };
    let list = |key: &str| {
        selector
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let mut equal = selector
        .get("matchLabels")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    equal.all(|(key, value)| labels.get(key) == Some(value))
        && list("matchExpressions").all(|expression| {
            let value = labels.get(expression["key"].as_str().unwrap_or_default());
            let values = expression["values"].as_array();
            let is_listed =
                value.is_some_and(|value| values.is_some_and(|list| list.contains(value)));
            match expression["operator"].as_str() {
                Some("In") => is_listed,
                Some("NotIn") => !is_listed,
                Some("Exists") => value.is_some(),
                Some("DoesNotExist") => value.is_none(),
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!({"matchLabels": {"role": "worker"}}), "ranks 1-2")]
    #[case(json!({"matchExpressions": [{"key": "role", "operator": "In", "values": ["master"]}]}), "rank 0")]
    #[case(json!({"matchExpressions": [{"key": "role", "operator": "NotIn", "values": ["worker"]}]}), "rank 0")]
    #[case(json!({"matchExpressions": [{"key": "role", "operator": "Exists"}]}), "all ranks")]
    #[case(json!({"matchExpressions": [{"key": "role", "operator": "DoesNotExist"}]}), "no rank")]
    #[case(json!({"matchLabels": {"role": "worker", "job": "x"}}), "no rank")]
    #[case(json!({}), "all ranks")]
    #[case(Value::Null, "no rank")]
    fn a_selector_picks_ranks(#[case] selector: Value, #[case] ranks: &str) {
        let pods: Vec<_> = ["master", "worker", "worker"]
            .map(|role| json!({"metadata": {"labels": {"role": role}}}))
            .into();
        let none = Map::new();
        let mut selectors = Selectors::among(&pods, &none);
        let mut term = json!([{"labelSelector": selector}]);
        selectors.mark(&mut term);
        assert_eq!(term[0]["selects"], ranks);
    }
}
