//! The report for machines: one JSON document with every job and every leaf. Values are left out, findings excepted:
//! a report ends up in build logs, and a job's variables may hold tokens.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Job, Tally};
use crate::cli::input::Problem;
use crate::convert::ledger::{Fate, Line};

/// One job.
pub(super) fn job(job: &Job<'_>) -> Value {
    json!({
        "file": job.file,
        "document": job.document,
        "name": job.name,
        "verdict": job.verdict(),
        "findings": job.conversion.ledger.findings,
        "fields": job.lines.iter().map(field).collect::<Vec<_>>(),
    })
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
struct Summary {
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
pub(in crate::cli) fn document(
    jobs: &[Value],
    passed: &[Value],
    problems: &[Problem],
    tally: Tally,
) -> Value {
    let problems: Vec<_> = problems
        .iter()
        .map(|problem| {
            json!({
                "file": problem.file,
                "line": problem.line,
                "document": problem.document,
                "message": problem.message,
            })
        })
        .collect();
    json!({
        "jobs": jobs,
        "passedThrough": passed,
        "unreadable": problems,
        "summary": Summary::from(tally),
    })
}
