//! The `PodGroup` of a gang: both sides make the same kind of object.

use serde_json::Value;

use super::flatten;
use crate::parity::Facts;

/// The queue of a Volcano `PodGroup` that names none (volcano.sh/apis v1.12 `pkg/apis/scheduling/v1beta1`).
const DEFAULT_QUEUE: &str = "default";

/// Adds the facts about `group`, named `gang.<field>`.
pub fn add(group: Option<&Value>, facts: &mut Facts) {
    let Some(group) = group else {
        return;
    };
    let api = group["apiVersion"].as_str().unwrap_or_default();
    let api = api.split_once('/').map_or(api, |(api, _)| api);
    facts.insert("gang".to_owned(), Value::from(api));
    flatten::entries("gang.labels", &group["metadata"]["labels"], facts);
    flatten::entries("gang.annotations", &group["metadata"]["annotations"], facts);
    let mut spec = group["spec"].as_object().cloned().unwrap_or_default();
    if api.contains("volcano") && spec.get("queue").is_none_or(|queue| queue == "") {
        spec.insert("queue".to_owned(), Value::from(DEFAULT_QUEUE));
    }
    flatten::fields("gang", &spec, facts);
}
