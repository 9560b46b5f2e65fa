//! Answers for machines: one JSON document, described in docs/cli.md.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Row;
use super::cases::Outcome;
use super::world::Answer;
use crate::cli::input::strict::Fault;
use crate::convert::Verdict;
use crate::policy::judge::Excuse;
use crate::policy::{Decision, Rule};

/// The document.
pub(super) fn document(rows: &[Row], outcomes: &[Outcome], faults: &[Fault]) -> Value {
    json!({
        "answers": rows.iter().flat_map(answers).collect::<Vec<_>>(),
        "cases": outcomes.iter().map(case).collect::<Vec<_>>(),
        "errors": faults,
    })
}

fn answers(row: &Row) -> impl Iterator<Item = Value> {
    row.answers.iter().map(|(at, answer)| {
        let mut value = answered(*at, answer);
        value["file"] = json!(row.job.file);
        value["namespace"] = json!(row.job.namespace());
        value["name"] = json!(row.job.name());
        value
    })
}

fn answered(at: Timestamp, answer: &Answer) -> Value {
    let ruling = answer.ruling.as_ref();
    let rule = ruling.map(|ruling| &ruling.rule);
    let next = rule.and_then(|rule| rule.next);
    let failures = ruling.map(|ruling| ruling.failures.as_slice());
    let failed: Vec<_> = failures
        .unwrap_or_default()
        .iter()
        .map(|failure| {
            json!({"policy": failure.policy, "condition": failure.condition, "error": failure.error})
        })
        .collect();
    let (excuse, exemption) = match ruling.and_then(|ruling| ruling.excuse.as_ref()) {
        Some(Excuse::Exemption(exemption)) => (Some("exemption"), Some(&exemption.name)),
        Some(Excuse::Bypass(_)) => (Some("bypass"), None),
        None => (None, None),
    };
    json!({
        "at": at,
        "policy": rule.map(Rule::name),
        "mode": rule.map(|rule| rule.mode),
        "byLabel": rule.is_some_and(|rule| rule.by_label),
        "since": rule.and_then(|rule| rule.since),
        "next": next.map(|(mode, from)| json!({"mode": mode, "from": from})),
        "verdict": answer.verdict.map(Verdict::as_str),
        "decision": match answer.decision {
            Decision::Admit => "admit",
            Decision::Warn => "warn",
            Decision::Deny => "deny",
        },
        "excuse": excuse,
        "exemption": exemption,
        "endedExemption": ruling.and_then(|ruling| ruling.ended.as_ref()).map(|ended| &ended.name),
        "failedConditions": failed,
        "warnings": answer.warnings,
        "message": answer.message,
    })
}

fn case(outcome: &Outcome) -> Value {
    json!({
        "file": outcome.file,
        "line": outcome.place.line,
        "test": outcome.test,
        "name": outcome.name,
        "passed": outcome.passed(),
        "failures": outcome.failures,
    })
}
