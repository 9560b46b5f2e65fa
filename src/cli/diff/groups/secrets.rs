//! Values that must not be printed: a report ends up in build logs and pull requests.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::admission::credentials::looks_like_credential;
use crate::parity::Shape;
use crate::parity::compare::Difference;

/// Stands for a value.
const HIDDEN: &str = "(hidden)";
/// Stands for a value that isn't the other side's.
const OTHER: &str = "(another, hidden)";
/// Shorter values are hidden where they stand, but not wherever they occur: they may be part of any word.
const LEAST: usize = 6;

/// The differences without the values of variables that look like credentials, wherever those ended up.
pub(in crate::cli::diff) fn without_secrets(
    mut differences: Vec<Difference>,
    shapes: [&Shape; 2],
) -> Vec<Difference> {
    let pods = shapes.into_iter().flat_map(|shape| &shape.pods).flatten();
    let secrets: BTreeSet<&str> = pods
        .filter(|(field, _)| is_secret(field))
        .filter_map(|(_, value)| value.as_str().filter(|text| text.len() >= LEAST))
        .collect();
    for difference in &mut differences {
        let differed = difference.v1 != difference.v2;
        let whole = is_secret(&difference.field);
        for value in [&mut difference.v1, &mut difference.v2]
            .into_iter()
            .flatten()
        {
            hide(value, whole, &secrets);
        }
        if whole && differed && difference.v1 == difference.v2 {
            difference.v2 = Some(Value::from(OTHER));
        }
    }
    differences
}

/// `containers[trainer].env[HF_TOKEN]`.
fn is_secret(field: &str) -> bool {
    let variable = field.split_once("].env[").map(|(_, variable)| variable);
    variable.is_some_and(|variable| looks_like_credential(variable.trim_end_matches(']')))
}

fn hide(value: &mut Value, whole: bool, secrets: &BTreeSet<&str>) {
    match value {
        Value::String(text) if whole && !text.is_empty() => HIDDEN.clone_into(text),
        Value::String(text) => {
            for secret in secrets
                .iter()
                .filter(|secret| text.contains(**secret))
                .collect::<Vec<_>>()
            {
                *text = text.replace(*secret, HIDDEN);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, whole, secrets)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| hide(field, false, secrets)),
        _ => {}
    }
}
