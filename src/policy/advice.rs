//! What is worth a second look in policies that work as they are written: ways round them, and what never counts.
//!
//! All policies together, because what one means depends on those before and after it. Pure: the time is an argument.

mod code;
mod exemptions;
mod place;
mod ranks;
mod schedule;

use jiff::Timestamp;
use serde_json::{Value, json};

pub use code::{Code, Entry};

use super::expression::{Expression, Inputs};
use super::{Mode, Namespace};
use crate::api::policy::{MigrationPolicy, MigrationPolicySpec};

/// A warning about a policy.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Advice {
    /// Which of the policies, by its place among them.
    pub policy: usize,
    /// Path of the field.
    pub field: String,
    /// What it is about.
    pub code: Code,
    /// What is the matter with this one.
    pub message: String,
}

/// What policies are seen against.
#[derive(Clone, Copy, Debug)]
pub struct Background<'b> {
    /// The mode where no policy matches.
    pub default: Mode,
    /// Names of runtimes that are known to be in clusters.
    pub runtimes: &'b [&'b str],
    /// An ordinary job.
    pub job: &'b Value,
    /// What time it is.
    pub now: Timestamp,
}

/// Every warning, by policy and field.
#[must_use]
pub fn of(policies: &[&MigrationPolicy], background: &Background<'_>) -> Vec<Advice> {
    let mut found = ranks::advice(policies, background);
    for (index, policy) in policies.iter().enumerate() {
        let mut notes = Notes {
            policy: index,
            found: &mut found,
        };
        let spec = &policy.spec;
        schedule::advise(spec, background.now, &mut notes);
        exemptions::advise(spec, background.now, &mut notes);
        conditions(spec, background, &mut notes);
        rest(spec, background, &mut notes);
    }
    found.sort();
    found.dedup();
    found
}

/// Where the warnings about one policy go.
struct Notes<'a> {
    policy: usize,
    found: &'a mut Vec<Advice>,
}

impl Notes<'_> {
    fn add(&mut self, code: Code, field: impl Into<String>, message: impl Into<String>) {
        self.found.push(Advice {
            policy: self.policy,
            field: field.into(),
            code,
            message: message.into(),
        });
    }
}

/// Conditions that can't be evaluated on an ordinary job that somebody creates.
fn conditions(spec: &MigrationPolicySpec, background: &Background<'_>, notes: &mut Notes<'_>) {
    let request = json!({
        "operation": "CREATE", "namespace": "research", "name": "mnist", "dryRun": false,
        "userInfo": {"username": "jane", "groups": ["system:authenticated"]},
    });
    let namespace = Namespace::named("research");
    let inputs = Inputs {
        object: background.job,
        old_object: &Value::Null,
        request: &request,
        namespace_object: &Inputs::namespace_object(namespace.name(), namespace.labels()),
    };
    for (index, condition) in spec.matches.conditions.iter().enumerate() {
        let Ok(expression) = Expression::compile(&condition.expression) else {
            continue;
        };
        if let Err(error) = expression.holds(&inputs) {
            notes.add(
                Code::ConditionFails,
                format!("spec.match.conditions[{index}].expression"),
                format!(
                    "condition {} fails on an ordinary new job, and so counts as true: {error}",
                    condition.name
                ),
            );
        }
    }
}

fn rest(spec: &MigrationPolicySpec, background: &Background<'_>, notes: &mut Notes<'_>) {
    if spec.message.is_none() {
        notes.add(
            Code::NoMessage,
            "spec",
            "there is no spec.message, so nobody who is warned or refused is told where to get help",
        );
    }
    let runtime = spec
        .conversion
        .as_ref()
        .and_then(|wish| wish.runtime.as_deref());
    if let Some(name) = runtime.filter(|name| !background.runtimes.contains(name)) {
        let known = background.runtimes.join(" and ");
        notes.add(
            Code::UnknownRuntime,
            "spec.conversion.runtime",
            format!("nobody ships a ClusterTrainingRuntime {name:?} (there are {known}); make sure that the cluster has it"),
        );
    }
}

#[cfg(test)]
mod tests;
