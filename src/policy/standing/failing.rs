//! The condition [`EXPRESSION_FAILING`]: CEL that has no answer, as this replica saw it, and as others told it.

use std::time::Duration;

use jiff::Timestamp;

use super::finding::{Finding, cut};
use super::{Facts, Noted, Stored, condition};
use crate::api::meta::EXPRESSION_FAILING;
use crate::policy::Policy;

/// To which times of failures are rounded down, so that a condition that fails all the time is written now and then only.
const STEP: Duration = Duration::from_mins(5);
/// How long after the time that stands in the status a failure is forgotten.
pub const REMEMBERED: Duration = Duration::from_mins(15);

/// What doesn't compile counts before what failed on requests: until it is mended, the rest matters little.
pub(super) fn failing(
    policy: &Policy,
    facts: &Facts<'_>,
    stored: &Stored,
) -> (Option<Timestamp>, Finding) {
    let finding = |holds, reason, message| Finding::new(EXPRESSION_FAILING, holds, reason, message);
    let broken: Vec<_> = policy
        .conditions()
        .filter_map(|(name, error)| Some(format!("condition {name}: {}", error?)))
        .collect();
    if !broken.is_empty() {
        let message = format!(
            "{}; until it is mended it counts as true",
            broken.join("; ")
        );
        return (None, finding(true, "DoesNotCompile", message));
    }
    let seen = seen(policy, facts);
    let told = told(facts, stored);
    match (seen, told) {
        (Some((at, message)), told) if told.is_none_or(|(then, _)| then < at) => {
            (Some(at), finding(true, "EvaluationFails", message))
        }
        (_, Some((then, message))) => (
            Some(then),
            finding(true, "EvaluationFails", message.to_owned()),
        ),
        _ => (
            None,
            finding(false, "Evaluates", "no condition has failed".to_owned()),
        ),
    }
}

/// What this replica saw fail, and when last.
fn seen(policy: &Policy, facts: &Facts<'_>) -> Option<(Timestamp, String)> {
    let mut errors = Vec::new();
    let mut last = None;
    for (name, _) in policy.conditions() {
        let noted = facts.failures.iter().find(|noted| {
            noted.failure.policy == policy.name()
                && noted.failure.condition == name
                && is_recent(rounded(noted.at), facts.now)
        });
        if let Some(Noted { failure, at }) = noted {
            errors.push(format!("condition {name}: {}", failure.error));
            last = last.max(Some(rounded(*at)));
        }
    }
    let message = format!(
        "{}; a condition without an answer counts as true",
        errors.join("; ")
    );
    last.map(|at| (at, cut(&message)))
}

/// What the status says of failures, whoever saw them.
fn told<'s>(facts: &Facts<'_>, stored: &'s Stored) -> Option<(Timestamp, &'s str)> {
    let at = stored.status.last_failure?;
    let condition = condition(&stored.status, EXPRESSION_FAILING)?;
    let counts = stored.status.observed_generation == stored.generation
        && condition.status == "True"
        && is_recent(at, facts.now);
    counts.then_some((at, &condition.message))
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at).unsigned_abs() < REMEMBERED
}

fn rounded(at: Timestamp) -> Timestamp {
    let step = i64::try_from(STEP.as_secs()).unwrap_or(1);
    let seconds = at.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(step)).unwrap_or(at)
}
