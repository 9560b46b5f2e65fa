//! Which namespaces and which labels, in CEL.

use super::text::{all, list, quoted};
use crate::api::policy::{LabelOperator, LabelSelector, Match};

/// Whether the namespace is one of the policy's; none where all are.
pub(super) fn of_namespace(matches: &Match) -> Option<String> {
    let known = matches.namespaces.iter().map(String::as_str);
    let named =
        (!matches.namespaces.is_empty()).then(|| format!("request.namespace in {}", list(known)));
    let labelled = matches
        .namespace_selector
        .as_ref()
        .and_then(|selector| labels("variables.labels", selector));
    all(&named.into_iter().chain(labelled).collect::<Vec<_>>())
}

/// Whether the object's labels are the policy's, before or after the change; none where all are. A Scale has no labels to
/// look at, and counts.
pub(super) fn of_object(matches: &Match) -> Option<String> {
    let selector = matches.object_selector.as_ref()?;
    let selected = labels("job.metadata.labels", selector)?;
    // `has` guards the labels, which every one of the requirements asks for.
    let unlabelled = labels("{}", selector).unwrap_or_default();
    Some(format!(
        "(variables.scale || variables.versions.exists(job, has(job.metadata.labels) ? ({selected}) : ({unlabelled})))"
    ))
}

/// Whether `map` has what a label query asks; none where it asks nothing.
fn labels(map: &str, selector: &LabelSelector) -> Option<String> {
    let equal = selector
        .match_labels
        .iter()
        .map(|(key, value)| format!("{map}[?{}] == optional.of({})", quoted(key), quoted(value)));
    let required = selector.match_expressions.iter().map(|requirement| {
        let key = quoted(&requirement.key);
        let values = list(requirement.values.iter().map(String::as_str));
        let is_one = format!("({key} in {map} && {map}[{key}] in {values})");
        match requirement.operator {
            LabelOperator::In => is_one,
            LabelOperator::NotIn => format!("!{is_one}"),
            LabelOperator::Exists => format!("{key} in {map}"),
            LabelOperator::DoesNotExist => format!("!({key} in {map})"),
        }
    });
    all(&equal.chain(required).collect::<Vec<_>>())
}
