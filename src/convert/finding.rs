//! What the converter has to say about a field.

mod catalogue;

use std::fmt;

use serde::Serialize;

pub use catalogue::{Code, Entry};

/// What became of a field, from best to worst.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The same value stands in the output.
    Kept,
    /// The output says the same in another way, or as nearly as v2 can.
    Adapted,
    /// The output can't say it.
    Lost,
    /// Because of it nothing is put out.
    Refused,
}

impl Outcome {
    /// The word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Adapted => "adapted",
            Self::Lost => "lost",
            Self::Refused => "refused",
        }
    }
}

/// One thing that the converter noticed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Which thing.
    pub code: Code,
    /// What became of the field.
    pub outcome: Outcome,
    /// The field that it is about, as a path in the `PyTorchJob` or the name of a variable.
    pub at: String,
    /// Paths of input fields whose fate this is; whole subtrees.
    pub covers: Vec<String>,
    /// What v1 had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What v2 gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// What follows for this job, where the code's own text doesn't say it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Finding {
    /// A finding about the input field `at`.
    #[must_use]
    pub fn new(code: Code, outcome: Outcome, at: impl Into<String>) -> Self {
        let at = at.into();
        Self {
            code,
            outcome,
            covers: vec![at.clone()],
            at,
            old: None,
            new: None,
            note: String::new(),
        }
    }

    /// A finding about something that v1 did by itself, so that no input field is accounted for by it.
    #[must_use]
    pub fn about(code: Code, outcome: Outcome, at: impl Into<String>) -> Self {
        Self {
            covers: Vec::new(),
            ..Self::new(code, outcome, at)
        }
    }

    /// The same fate for these fields instead of the one that it is about.
    #[must_use]
    pub fn covering(mut self, fields: Vec<String>) -> Self {
        self.covers = fields;
        self
    }

    /// With the value before and after.
    #[must_use]
    pub fn change(mut self, old: impl Into<String>, new: impl Into<String>) -> Self {
        self.old = Some(old.into());
        self.new = Some(new.into());
        self
    }

    /// With the value that v1 had.
    #[must_use]
    pub fn had(mut self, old: impl Into<String>) -> Self {
        self.old = Some(old.into());
        self
    }

    /// With a remark about this job.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Whether it follows for every job alike and needs nobody's attention: it is in the report, but in no warning,
    /// no denial and no verdict.
    #[must_use]
    pub fn is_routine(&self) -> bool {
        self.code.entry().routine && self.outcome <= Outcome::Adapted
    }
}

impl fmt::Display for Finding {
    /// `TS014 spec.runPolicy.backoffLimit: unset -> 2147483647 (v1 retries without limit)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.at)?;
        // Without a new value there is nothing that it was adapted to: the note says all.
        let adapted = self.outcome <= Outcome::Adapted;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, ": {old} -> {new}")?,
            (Some(text), None) if adapted => write!(f, ": {text}")?,
            (Some(old), None) if self.outcome == Outcome::Lost => write!(f, ": {old} -> lost")?,
            (Some(old), None) => write!(f, ": {old} is {}", self.outcome.as_str())?,
            (None, Some(new)) => write!(f, ": {new}")?,
            (None, None) if adapted => {}
            (None, None) => write!(f, " is {}", self.outcome.as_str())?,
        }
        let note = if self.note.is_empty() {
            self.code.entry().title
        } else {
            &self.note
        };
        write!(f, " ({note})")
    }
}
