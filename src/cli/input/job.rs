//! A value to a PyTorchJob, or to an error that names the field, what was expected, and what stands there.

use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use crate::api::pytorchjob::PyTorchJob;

use super::split::Document;
use super::{Problem, locate};

/// What to do about a manifest that is still a template.
pub const TEMPLATE_HINT: &str = "this looks like a template; render it first (envsubst, helm template, kustomize build), then convert what comes out";
const QUOTE_HINT: &str = "put the value in quotes";

/// Reads a job. `at` leads to it from the document's root.
///
/// # Errors
/// When a field that the converter looks at has the wrong type.
pub fn read(value: &Value, at: &[String], document: &Document<'_>) -> Result<PyTorchJob, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let here = steps(error.path());
        let culprit = here
            .iter()
            .try_fold(value, |value, step| child(value, step));
        let message = error.inner().to_string();
        let (message, hint) = explain(&message, culprit);
        let path: Vec<_> = at.iter().cloned().chain(here).collect();
        let field = error.path().to_string();
        Problem {
            line: locate::line(document, &path),
            hint,
            ..Problem::of_file("", format!("{field}: {message}"))
        }
    })
}

fn steps(path: &Path) -> Vec<String> {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(key.clone()),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

fn child<'a>(value: &'a Value, step: &str) -> Option<&'a Value> {
    match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    }
}

fn explain(message: &str, culprit: Option<&Value>) -> (String, Option<&'static str>) {
    let expected = message
        .rsplit_once(", expected ")
        .map(|(_, expected)| expected);
    let (Some(expected), Some(value)) = (expected, culprit) else {
        return (message.to_owned(), None);
    };
    let expected = match expected {
        "i32" if value.is_number() => "an integer of 32 bits",
        "i32" | "i64" => "an integer",
        "a map" => "a mapping",
        "a sequence" => "a list",
        other if other.starts_with("struct ") => "a mapping",
        other => other,
    };
    let hint = match value {
        Value::String(text) if is_placeholder(text) => Some(TEMPLATE_HINT),
        Value::Number(_) | Value::Bool(_) if expected == "a string" => Some(QUOTE_HINT),
        _ => None,
    };
    (format!("expected {expected}, found {}", found(value)), hint)
}

/// `the string "$N"`, cut where it is long.
#[must_use]
pub fn found(value: &Value) -> String {
    const MAX: usize = 60;
    match value {
        Value::Null => "nothing (null)".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(value) => format!("the number {value}"),
        Value::String(text) if text.chars().count() > MAX => {
            let start: String = text.chars().take(MAX).collect();
            format!("the string {start:?}...")
        }
        Value::String(text) => format!("the string {text:?}"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

/// `$N`, `${N}`, `{{ n }}`, `<n>`, `%(n)s`.
fn is_placeholder(text: &str) -> bool {
    text.contains("{{")
        || text.starts_with('$')
        || text.starts_with("%(")
        || (text.starts_with('<') && text.ends_with('>'))
}
