//! The report for machines: one JSON document with every job and every leaf. Values are left out, findings excepted:
//! a report ends up in build logs, and a job's variables may hold tokens.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::{Job, Tally};
use crate::cli::input::Problem;
use crate::convert::ledger::{Fate, Line};

/// One job.
pub(super) fn job(job: &Job<'_>) -> serde_json::Result<Box<RawValue>> {
    to_raw_value(&json!({
        "file": job.file,
        "document": job.document,
        "name": job.name,
        "verdict": job.verdict(),
        "findings": job.conversion.ledger.findings,
        "fields": job.lines.iter().map(field).collect::<Vec<_>>(),
    }))
}

fn field(line: &Line<'_>) -> Value {
    let mut field = json!({"path": line.path, "outcome": line.fate.outcome()});
    match &line.fate {
        Fate::Kept(to) => field["to"] = json!(to),
        Fate::Found(finding) => field["code"] = json!(finding.code),
        Fate::Unaccounted => field["code"] = json!(super::text::UNACCOUNTED_CODE),
    }
    field
}

/// Counts over all jobs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Summary {
    jobs: usize,
    exact: usize,
    adapted: usize,
    lossy: usize,
    refused: usize,
    passed_through: usize,
    unreadable: usize,
    needs_shipped_runtime: bool,
}

impl From<Tally> for Summary {
    fn from(tally: Tally) -> Self {
        Self {
            jobs: tally.jobs(),
            exact: tally.exact,
            adapted: tally.adapted,
            lossy: tally.lossy,
            refused: tally.refused,
            passed_through: tally.others,
            unreadable: tally.problems,
            needs_shipped_runtime: tally.shipped_runtime,
        }
    }
}

/// The whole report.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Document {
    /// A report on each job, written already.
    pub jobs: Vec<Box<RawValue>>,
    /// Objects of other kinds.
    pub passed_through: Vec<Passed>,
    /// Inputs that can't be read.
    pub unreadable: Vec<Problem>,
    /// Counts.
    pub summary: Summary,
}

/// An object of another kind.
#[derive(Serialize)]
pub(in crate::cli) struct Passed {
    /// Where it is.
    pub file: String,
    /// What it is.
    pub object: String,
}
