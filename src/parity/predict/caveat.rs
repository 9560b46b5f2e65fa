//! Why the pods may be others than those that are predicted: what the version of Trainer doesn't take as it is written, and
//! what isn't predicted.

use serde_json::Value;

use super::known;
use super::torch::TORCHTUNE;
use super::value::list;
use crate::convert::dialect::Dialect;
use crate::convert::launch::RESERVED;

/// One reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Caveat {
    /// The field of the `TrainJob`, or of the runtime.
    pub field: String,
    /// What about it.
    pub reason: String,
    /// Versions of Trainer that take it; none where no other version does better.
    pub taken_by: Vec<Dialect>,
}

/// Everything in `trainjob` and `runtime`, as somebody wrote them, that a prediction doesn't follow.
#[must_use]
pub fn caveats(trainjob: &Value, runtime: &Value, dialect: Dialect) -> Vec<Caveat> {
    let mut caveats = unknown(trainjob, dialect);
    caveats.extend(of_another_version(trainjob, runtime, dialect));
    let mut say = |field: &str, reason: String| {
        let field = field.to_owned();
        caveats.push(Caveat {
            field,
            reason,
            taken_by: Vec::new(),
        });
    };
    let policy = &runtime["spec"]["mlPolicy"];
    for (kind, _) in policy
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, policy)| policy.is_object())
    {
        if kind != "torch" {
            say(
                &format!("mlPolicy.{kind} of the runtime"),
                "what Trainer makes of it is not predicted".to_owned(),
            );
        }
    }
    if trainjob["spec"]["initializer"].is_object() {
        say(
            "spec.initializer",
            "what Trainer makes of it is not predicted".to_owned(),
        );
    }
    if policy["torch"].is_object() {
        let trainer = &trainjob["spec"]["trainer"];
        if list(trainer, "command") == TORCHTUNE {
            say(
                "spec.trainer.command",
                "Trainer's torch policy rewrites `tune run`, which is not predicted".to_owned(),
            );
        }
        if dialect >= Dialect::V2_3 && policy["torch"]["envInjection"].is_object() {
            say(
                "mlPolicy.torch.envInjection of the runtime",
                "which variables Trainer adds is not predicted".to_owned(),
            );
        }
        let names = list(trainer, "env")
            .iter()
            .filter_map(|variable| variable["name"].as_str());
        for name in names.filter(|name| RESERVED.contains(name)) {
            say(
                &format!("spec.trainer.env[{name}]"),
                "Trainer refuses it: its torch policy sets it by itself".to_owned(),
            );
        }
    }
    caveats
}

/// What only other versions take of fields that all of them have, and of the runtime
/// (trainer v2.0.1, v2.1.0, v2.2.1, v2.3.0 `pkg/apis/trainer/v1alpha1/{trainjob,trainingruntime}_types.go`).
fn of_another_version(trainjob: &Value, runtime: &Value, dialect: Dialect) -> Vec<Caveat> {
    let drops = "has no such field; the API server drops it";
    let takes_words: fn(Dialect) -> bool = |dialect| dialect <= Dialect::V2_1;
    let processes = &trainjob["spec"]["trainer"]["numProcPerNode"];
    let policies = &runtime["spec"];
    let torch = &policies["mlPolicy"]["torch"];
    let rules = [
        (
            "spec.trainer.numProcPerNode",
            processes.is_string(),
            takes_words,
            "takes a number only; the API server refuses the TrainJob",
        ),
        (
            "mlPolicy.torch.numProcPerNode of the runtime",
            !torch["numProcPerNode"].is_null(),
            takes_words,
            drops,
        ),
        (
            "podGroupPolicy.volcano of the runtime",
            policies["podGroupPolicy"]["volcano"].is_object(),
            Dialect::has_volcano,
            drops,
        ),
    ];
    let untaken = rules
        .into_iter()
        .filter(|(_, is_given, takes, _)| *is_given && !takes(dialect));
    let caveat = |(field, _, takes, what): (&str, bool, fn(Dialect) -> bool, &str)| Caveat {
        field: field.to_owned(),
        reason: format!("Trainer {dialect} {what}"),
        taken_by: Dialect::ALL
            .into_iter()
            .filter(|other| takes(*other))
            .collect(),
    };
    untaken.map(caveat).collect()
}

fn unknown(trainjob: &Value, dialect: Dialect) -> Vec<Caveat> {
    let dropped_by = |dialect| known::prune(&mut trainjob.clone(), dialect);
    let dropped = dropped_by(dialect);
    if dropped.is_empty() {
        return Vec::new();
    }
    let others: Vec<_> = Dialect::ALL.map(|other| (other, dropped_by(other))).into();
    let caveat = |field: String| {
        let is_inside = |outer: &String| {
            field
                .strip_prefix(outer.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let takes = others
            .iter()
            .filter(|(_, dropped)| !dropped.iter().any(is_inside));
        Caveat {
            reason: format!("Trainer {dialect} has no such field; the API server drops it"),
            taken_by: takes.map(|(other, _)| *other).collect(),
            field,
        }
    };
    dropped.into_iter().map(caveat).collect()
}

#[cfg(test)]
mod tests;
