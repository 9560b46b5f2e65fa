//! The report of every field, for people and for machines.

mod json;
mod text;

use std::fmt;

use clap::ValueEnum;
use serde_json::value::RawValue;

use crate::api::meta::SHIPPED_RUNTIME;
use crate::convert::finding::Outcome;
use crate::convert::ledger::{Fate, Line};
use crate::convert::{Conversion, Verdict};

pub(super) use json::{Document, Passed};

/// What the report is for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum Kind {
    /// People.
    #[default]
    Text,
    /// For machines: one JSON document.
    Json,
    /// No report.
    None,
}

/// A report on one job.
#[derive(Debug)]
pub(super) enum Report {
    Text(String),
    Json(Box<RawValue>),
}

/// One job, and all there is to say about it.
pub(super) struct Job<'a> {
    /// The file that it came from.
    pub file: &'a str,
    /// Which document of the file, where there are several.
    pub document: Option<usize>,
    /// `namespace/name`.
    pub name: String,
    /// What became of it.
    pub conversion: &'a Conversion,
    /// Every leaf of the input.
    pub lines: Vec<Line<'a>>,
}

impl Job<'_> {
    /// The verdict, which is no better than lossy when there is a field that no rule took.
    pub(super) fn verdict(&self) -> Verdict {
        let unaccounted = self.lines.iter().any(|line| line.fate == Fate::Unaccounted);
        let floor = if unaccounted {
            Verdict::Lossy
        } else {
            Verdict::Exact
        };
        self.conversion.verdict.max(floor)
    }

    /// The report of this kind, if any is wanted. It is written out at once, which costs most, where jobs are
    /// converted in parallel.
    pub(super) fn report(&self, kind: Kind) -> serde_json::Result<Option<Report>> {
        Ok(match kind {
            Kind::Text => Some(Report::Text(text::job(self))),
            Kind::Json => Some(Report::Json(json::job(self)?)),
            Kind::None => None,
        })
    }

    fn count(&self, outcome: Outcome) -> usize {
        let of = |line: &&Line<'_>| line.fate.outcome() == outcome;
        self.lines.iter().filter(of).count()
    }
}

/// What all jobs came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub exact: usize,
    pub adapted: usize,
    pub lossy: usize,
    pub refused: usize,
    /// Objects that passed through.
    pub others: usize,
    /// Inputs that can't be read.
    pub problems: usize,
    /// Whether a `TrainJob` refers to the runtime that trainshift ships.
    pub shipped_runtime: bool,
}

impl Tally {
    pub(super) fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Exact => self.exact += 1,
            Verdict::Adapted => self.adapted += 1,
            Verdict::Lossy => self.lossy += 1,
            Verdict::Refused => self.refused += 1,
        }
    }

    fn jobs(&self) -> usize {
        self.exact + self.adapted + self.lossy + self.refused
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            exact,
            adapted,
            lossy,
            refused,
            others,
            problems,
            ..
        } = self;
        write!(
            f,
            "{}: {exact} exact, {adapted} adapted, {lossy} lossy, {refused} refused",
            counted(self.jobs(), "job")
        )?;
        if *others > 0 {
            write!(f, "; {} passed through", counted(*others, "other object"))?;
        }
        if *problems > 0 {
            write!(
                f,
                "; {} could not be read and {} left out",
                counted(*problems, "input"),
                if *problems == 1 { "is" } else { "are" }
            )?;
        }
        if self.shipped_runtime {
            write!(f, "\n{}", runtime_hint())?;
        }
        Ok(())
    }
}

/// What must be installed before such TrainJobs run.
fn runtime_hint() -> String {
    format!(
        "TrainJobs refer to the runtime {SHIPPED_RUNTIME}; install it once: trainshift generate runtimes | kubectl apply -f -"
    )
}

/// `1 job`, `2 jobs`.
pub(super) fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// Text without control characters, so that what stands in a manifest can't write on somebody's terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut plain, char| {
            if char.is_control() {
                plain.extend(char.escape_default());
            } else {
                plain.push(char);
            }
            plain
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::convert::ledger::Ledger;

    #[test]
    fn a_field_that_no_rule_took_is_a_loss_and_a_defect() {
        let conversion = Conversion {
            output: None,
            ledger: Ledger::default(),
            verdict: Verdict::Exact,
        };
        let input = json!({"spec": {"forgotten": "\u{1b}[31m"}});
        let job = Job {
            file: "a.yaml",
            document: None,
            name: "a".to_owned(),
            conversion: &conversion,
            lines: conversion.ledger.account(&input),
        };
        assert_eq!(job.verdict(), Verdict::Lossy);
        let Ok(Some(Report::Text(text))) = job.report(Kind::Text) else {
            panic!("a text");
        };
        let expected =
            "TS000 spec.forgotten (no rule for this field: a defect of trainshift, please report)";
        assert!(text.contains(expected), "{text}");
        let Ok(Some(Report::Json(report))) = job.report(Kind::Json) else {
            panic!("JSON");
        };
        assert!(
            report
                .get()
                .contains(r#""code":"TS000","outcome":"lost","path":"spec.forgotten""#),
            "{report}"
        );
    }

    #[test]
    fn lets_no_control_character_through() {
        assert_eq!(plain("a\u{1b}[31m\nb"), "a\\u{1b}[31m\\nb");
    }

    #[test]
    fn sums_up_on_one_line() {
        let mut tally = Tally::default();
        for verdict in [Verdict::Exact, Verdict::Adapted, Verdict::Adapted] {
            tally.add(verdict);
        }
        tally.others = 1;
        assert_eq!(
            tally.to_string(),
            "3 jobs: 1 exact, 2 adapted, 0 lossy, 0 refused; 1 other object passed through"
        );
    }
}
