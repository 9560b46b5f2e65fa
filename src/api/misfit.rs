//! What is wrong with an object, in words of its reader: the field, what was expected there, and what stands there.

use serde_json::Value;
use serde_path_to_error::{Path, Segment};

/// What to do about a manifest that is still a template.
pub const TEMPLATE_HINT: &str = "this looks like a template; render it first (envsubst, helm template, kustomize build), then convert what comes out";
const QUOTE_HINT: &str = "put the value in quotes";

/// One field that can't be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    /// Path of the field; `.` for the object itself.
    pub field: String,
    /// The same, step by step.
    pub steps: Vec<String>,
    /// What was expected, and what stands there.
    pub message: String,
    /// What to do, where that can be told.
    pub hint: Option<&'static str>,
}

impl Misfit {
    /// Explains why `value` could not be read.
    #[must_use]
    pub fn new(value: &Value, error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let steps = steps(error.path());
        let culprit = steps
            .iter()
            .try_fold(value, |value, step| child(value, step));
        let (message, hint) = explain(&error.inner().to_string(), culprit);
        Self {
            field: error.path().to_string(),
            steps,
            message,
            hint,
        }
    }
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
