//! When pods are restarted and when a job ends, in words that v1 and v2 share.

mod jobs;
mod jobset;
mod pytorchjob;

use std::collections::BTreeSet;

use serde_json::Value;

use super::{ranks, words};
use crate::parity::{Facts, Shape, V1Objects, V2Objects};

/// What becomes of a pod that fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Restart {
    /// Its containers are started again.
    InPlace,
    /// And when they succeed, too.
    InPlaceAlways,
    /// Another pod takes its place.
    Replaced,
    /// The job fails.
    Never,
}

impl Restart {
    fn words(self) -> &'static str {
        match self {
            Self::InPlace => words::IN_PLACE,
            Self::InPlaceAlways => words::ALWAYS,
            Self::Replaced => words::BY_ANOTHER,
            Self::Never => words::NEVER,
        }
    }
}

/// How the pods of one role end.
#[derive(Clone, Debug, PartialEq)]
struct Rules {
    restart: Restart,
    final_exit_codes: Option<String>,
    /// Restarts that fail the job, if any number does.
    limit: Option<i64>,
    /// The ranks whose restarts are added up.
    over: BTreeSet<usize>,
    evicted: &'static str,
    replacement: &'static str,
}

impl Rules {
    fn facts(&self) -> Facts {
        let mut facts =
            Facts::from([(words::RESTART.to_owned(), Value::from(self.restart.words()))]);
        let mut set = |name: &str, value: Value| facts.insert(name.to_owned(), value);
        if let Some(codes) = &self.final_exit_codes {
            set(words::FINAL_EXIT_CODES, Value::from(codes.as_str()));
        }
        set(words::EVICTED, Value::from(self.evicted));
        if self.restart != Restart::Never {
            set(words::REPLACEMENT, Value::from(self.replacement));
            set(
                words::LIMIT,
                self.limit
                    .map_or_else(|| Value::from(words::UNLIMITED), Value::from),
            );
            if self.limit.is_some() {
                set(words::LIMIT_OVER, Value::from(ranks::text(&self.over)));
            }
        }
        facts
    }
}

/// When a job has succeeded.
#[derive(Clone, Debug, PartialEq)]
enum Success {
    /// When all of these ranks have.
    All(BTreeSet<usize>),
    /// When so many of these ranks have.
    Some(i64, BTreeSet<usize>),
    /// By a rule that v1 has nothing like.
    Other(String),
}

impl Success {
    /// The same words for the same rule, in a job of `total` pods.
    fn words(&self, total: usize) -> String {
        match self {
            Self::All(ranks) if ranks.len() == total && total > 1 => words::WITH_ALL.to_owned(),
            Self::All(ranks) => format!("when {} has", ranks::text(ranks)),
            Self::Some(count, ranks) if usize::try_from(*count) == Ok(ranks.len()) => {
                Self::All(ranks.clone()).words(total)
            }
            Self::Some(count, ranks) => format!("when {count} of {} has", ranks::text(ranks)),
            Self::Other(rule) => rule.clone(),
        }
    }
}

/// The ending of a v1 job.
pub fn of_v1(objects: &V1Objects) -> Shape {
    pytorchjob::shape(&objects.job)
}

/// The ending of a v2 job.
pub fn of_v2(objects: &V2Objects) -> Shape {
    jobset::shape(objects)
}

#[cfg(test)]
mod tests;
