//! How the pods of one Job end (kubernetes v1.36.3 `pkg/controller/job`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Restart, Rules, Success};
use crate::api::meta::NODE;
use crate::parity::Facts;
use crate::parity::facts::{flatten, ranks, words};

/// A Job's `backoffLimit` when it says nothing, and the one that is never reached.
const DEFAULT_LIMIT: i64 = 6;
const UNLIMITED: i64 = i32::MAX as i64;

/// Fields of a Job's spec that are told in the words that v1 shares, or are told by the pods.
const TOLD: [&str; 13] = [
    "activeDeadlineSeconds",
    "backoffLimit",
    "completionMode",
    "completions",
    "manualSelector",
    "parallelism",
    "podFailurePolicy",
    "podReplacementPolicy",
    "selector",
    "successPolicy",
    "suspend",
    "template",
    "ttlSecondsAfterFinished",
];

/// One Job and the ranks of its pods.
pub struct Job<'j> {
    pub spec: &'j Value,
    pub labels: &'j Value,
    pub ranks: BTreeSet<usize>,
}

/// Gives the Jobs, which are in order, the ranks of their pods.
pub fn ranked(jobs: &[Value]) -> Vec<Job<'_>> {
    let mut next = 0;
    let ranked = jobs.iter().map(|job| {
        let count = job["spec"]["parallelism"].as_u64().unwrap_or(1);
        let first = next;
        next += usize::try_from(count).unwrap_or(0);
        Job {
            spec: &job["spec"],
            labels: &job["metadata"]["labels"],
            ranks: (first..next).collect(),
        }
    });
    ranked.collect()
}

impl Job<'_> {
    /// The facts about how each of its pods ends.
    pub fn facts(&self) -> Facts {
        let mut facts = Facts::new();
        let rules = FailureRules::read(&self.spec["podFailurePolicy"]);
        if rules.is_none() {
            let policy = &self.spec["podFailurePolicy"]["rules"];
            facts.insert("restart.rules".to_owned(), policy.clone());
        }
        facts.extend(self.rules(rules.unwrap_or_default()).facts());
        let mut rest = self.spec.as_object().cloned().unwrap_or_default();
        rest.retain(|key, _| !TOLD.contains(&key.as_str()));
        flatten::fields("job", &rest, &mut facts);
        if let mode @ Some(_) = self.spec["completionMode"]
            .as_str()
            .filter(|mode| *mode != "Indexed")
        {
            facts.insert("job.completionMode".to_owned(), Value::from(mode));
        }
        if self.spec["completions"] != self.spec["parallelism"] {
            facts.insert(
                "job.completions".to_owned(),
                self.spec["completions"].clone(),
            );
        }
        facts
    }

    fn rules(&self, rules: FailureRules) -> Rules {
        let limit = self.spec["backoffLimit"].as_i64().unwrap_or(DEFAULT_LIMIT);
        let policy = self.spec["template"]["spec"]["restartPolicy"].as_str();
        let restart = match policy {
            Some("Never") if limit == 0 && !rules.ignores_disruption => Restart::Never,
            Some("Never") => Restart::Replaced,
            _ => Restart::InPlace,
        };
        let evicted = if rules.ignores_disruption || limit >= UNLIMITED {
            words::REPLACED
        } else if limit == 0 {
            words::FAILS
        } else {
            words::COUNTED
        };
        let replacement = match self.spec["podReplacementPolicy"].as_str() {
            Some("Failed") => words::WHEN_ENDED,
            _ => words::AT_ONCE,
        };
        Rules {
            restart,
            final_exit_codes: rules
                .final_exit_codes
                .filter(|_| restart == Restart::Replaced),
            limit: Some(limit).filter(|limit| *limit < UNLIMITED),
            over: self.ranks.clone(),
            evicted,
            replacement,
        }
    }

    /// When the Job has succeeded.
    pub fn success(&self) -> Success {
        let rules = &self.spec["successPolicy"]["rules"];
        let rule = match rules.as_array().map(Vec::as_slice) {
            None | Some([]) => return Success::All(self.ranks.clone()),
            Some([rule]) => rule,
            Some(_) => return Success::Other(format!("by rules of a Job: {rules}")),
        };
        let first = self.ranks.first().copied().unwrap_or(0);
        let indexes = rule["succeededIndexes"].as_str();
        let chosen = match indexes {
            None => self.ranks.clone(),
            Some(text) => {
                let indexes = ranks::parse(text, self.ranks.len().saturating_sub(1));
                indexes.into_iter().map(|index| first + index).collect()
            }
        };
        match rule["succeededCount"].as_i64() {
            Some(count) => Success::Some(count, chosen),
            None => Success::All(chosen),
        }
    }
}

/// A `podFailurePolicy`, as far as it says what v1 can say.
#[derive(Default)]
struct FailureRules {
    ignores_disruption: bool,
    final_exit_codes: Option<String>,
}

impl FailureRules {
    /// `None` for rules that v1 has nothing like.
    fn read(policy: &Value) -> Option<Self> {
        let mut read = Self::default();
        for rule in policy["rules"].as_array().into_iter().flatten() {
            let exits = &rule["onExitCodes"];
            // The first rule that matches counts: after the exit codes, disruption would come too late.
            if rule["action"] == "Ignore" && is_disruption(rule) && read.final_exit_codes.is_none()
            {
                read.ignores_disruption = true;
            } else if rule["action"] == "FailJob" && read.final_exit_codes.is_none() {
                read.final_exit_codes = Some(exit_codes(exits)?);
            } else {
                return None;
            }
        }
        Some(read)
    }
}

fn is_disruption(rule: &Value) -> bool {
    let conditions = rule["onPodConditions"].as_array().map(Vec::as_slice);
    matches!(conditions, Some([condition]) if condition["type"] == "DisruptionTarget"
        && (condition["status"].is_null() || condition["status"] == "True"))
}

/// Exit codes of the training container, or of any where the rule names none.
fn exit_codes(exits: &Value) -> Option<String> {
    let codes = exits["values"].as_array()?.iter();
    let codes: BTreeSet<usize> = codes
        .filter_map(|code| usize::try_from(code.as_u64()?).ok())
        .collect();
    let spans = ranks::spans(&codes);
    let of = match exits["containerName"].as_str() {
        Some(NODE) => String::new(),
        Some(other) => format!(" of {other}"),
        None => " of any container".to_owned(),
    };
    match exits["operator"].as_str()? {
        "In" => Some(format!("{spans}{of}")),
        "NotIn" => Some(format!("all but {spans}{of}")),
        _ => None,
    }
}
