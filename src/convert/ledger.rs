//! The account of every field: where it went, or what became of it.
//!
//! Rules write down subtrees that they moved and findings about fields that they changed. [`Ledger::account`] then
//! takes the input's leaves one by one; the most specific entry tells a leaf's fate, and a leaf without an entry is
//! [`Fate::Unaccounted`], which is a defect of a rule and is reported as such, never passed over.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::finding::{Finding, Outcome};

/// Marks an entry that is about an empty object only.
const EMPTY: &str = "{}";

/// Where a kept field stands now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "object", content = "path")]
pub enum Destination {
    /// In the `TrainJob`.
    TrainJob(String),
    /// In the generated runtime.
    Runtime(String),
    /// Nowhere: leaving it out says the same.
    Default,
}

/// A subtree that was carried over as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// Path in the `PyTorchJob`.
    pub from: String,
    /// Where its value stands now.
    pub to: Destination,
}

/// Moves and findings of one conversion.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// What was carried over.
    pub moves: Vec<Move>,
    /// What was noticed.
    pub findings: Vec<Finding>,
}

/// What became of one leaf.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate<'a> {
    /// It stands there, unchanged.
    Kept(Destination),
    /// The finding tells.
    Found(&'a Finding),
    /// No rule took it.
    Unaccounted,
}

impl Fate<'_> {
    /// The word for it. A field that nobody took is lost.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Kept(_) => Outcome::Kept,
            Self::Found(finding) => finding.outcome,
            Self::Unaccounted => Outcome::Lost,
        }
    }
}

/// One leaf of the input and its fate.
#[derive(Clone, Debug, PartialEq)]
pub struct Line<'a> {
    /// Path of the leaf.
    pub path: String,
    /// Its value in the input.
    pub value: &'a Value,
    /// What became of it.
    pub fate: Fate<'a>,
}

impl Ledger {
    /// Notes that the subtree `from` stands at `path` of the `TrainJob`.
    pub fn to_trainjob(&mut self, from: impl Into<String>, path: impl Into<String>) {
        self.moved(from, Destination::TrainJob(path.into()));
    }

    /// Notes that the subtree `from` stands at `path` of the generated runtime.
    pub fn to_runtime(&mut self, from: impl Into<String>, path: impl Into<String>) {
        self.moved(from, Destination::Runtime(path.into()));
    }

    /// Notes that leaving out the subtree `from` says the same.
    pub fn is_default(&mut self, from: impl Into<String>) {
        self.moved(from, Destination::Default);
    }

    /// Notes that the field `at` may be an empty object, which says the same as no field. Unlike every other entry this
    /// is about no field below it.
    pub fn says_nothing(&mut self, at: impl Into<String>) {
        self.is_default(at.into() + EMPTY);
    }

    fn moved(&mut self, from: impl Into<String>, to: Destination) {
        self.moves.push(Move {
            from: from.into(),
            to,
        });
    }

    /// Notes a finding.
    pub fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Puts the worst findings first, then by code and field.
    pub fn sort(&mut self) {
        self.findings
            .sort_by(|a, b| (b.outcome, a.code, &a.at).cmp(&(a.outcome, b.code, &b.at)));
        self.findings.dedup();
    }

    /// The fate of every leaf of `input`, in the input's order.
    #[must_use]
    pub fn account<'a>(&'a self, input: &'a Value) -> Vec<Line<'a>> {
        let mut entries: HashMap<&str, Entry<'a>> = HashMap::new();
        for (index, Move { from, .. }) in self.moves.iter().enumerate() {
            entries.entry(from).or_insert(Entry::Move(index));
        }
        // A finding says more than a move of the same subtree, and the worse of two findings says more.
        for finding in self.findings.iter().rev() {
            for field in &finding.covers {
                entries.insert(field, Entry::Finding(finding));
            }
        }
        let mut lines = Vec::new();
        leaves(input, &mut String::new(), &mut |path, value| {
            let entry =
                prefixes(path).find_map(|prefix| entries.get(prefix).map(|entry| (prefix, entry)));
            let says_nothing =
                || value.is_object() && entries.contains_key((path.to_owned() + EMPTY).as_str());
            let fate = match entry {
                Some((prefix, Entry::Move(index))) => {
                    Fate::Kept(self.moves[*index].to.below(&path[prefix.len()..]))
                }
                Some((_, Entry::Finding(finding))) => Fate::Found(finding),
                None if says_nothing() => Fate::Kept(Destination::Default),
                None => Fate::Unaccounted,
            };
            lines.push(Line {
                path: path.to_owned(),
                value,
                fate,
            });
        });
        lines
    }
}

enum Entry<'a> {
    Move(usize),
    Finding(&'a Finding),
}

impl Destination {
    /// The place of a leaf that is `suffix` below the subtree that was moved here.
    pub(super) fn below(&self, suffix: &str) -> Self {
        match self {
            Self::TrainJob(path) => Self::TrainJob(format!("{path}{suffix}")),
            Self::Runtime(path) => Self::Runtime(format!("{path}{suffix}")),
            Self::Default => Self::Default,
        }
    }
}

/// The path, then each shorter path that contains it, and last the empty path of the whole object.
pub(super) fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    let mut end = Some(path.len());
    std::iter::from_fn(move || {
        let here = end?;
        end = path[..here].rfind(['.', '[']).or((here > 0).then_some(0));
        Some(&path[..here])
    })
}

/// Calls `visit` with every leaf below `value`: scalars and empty objects. `null` and an empty list say the same as no
/// field to Kubernetes, and are none.
pub fn leaves<'a>(value: &'a Value, path: &mut String, visit: &mut impl FnMut(&str, &'a Value)) {
    let start = path.len();
    match value {
        Value::Null => {}
        Value::Object(fields) if fields.is_empty() => visit(path, value),
        Value::Object(fields) => {
            for (key, child) in fields {
                push_key(path, key);
                leaves(child, path, visit);
                path.truncate(start);
            }
        }
        Value::Array(items) => {
            for (index, child) in items.iter().enumerate() {
                let _ = write!(path, "[{index}]");
                leaves(child, path, visit);
                path.truncate(start);
            }
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => visit(path, value),
    }
}

/// Appends `key` to `path`: as `.key`, or as `[key]` when the key holds what separates keys.
pub fn push_key(path: &mut String, key: &str) {
    if key.contains(['.', '[', ']']) {
        path.push('[');
        path.push_str(key);
        path.push(']');
    } else {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
    }
}

/// The path of the field `key` below `path`.
#[must_use]
pub fn child(path: &str, key: &str) -> String {
    let mut child = path.to_owned();
    push_key(&mut child, key);
    child
}

#[cfg(test)]
mod tests;
