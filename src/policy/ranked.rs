//! Policies, compiled and in order.

use std::fmt;
use std::sync::Arc;

use kube::ResourceExt as _;
use kube::core::{Selector, SelectorExt as _};

use super::exemption::Exemptions;
use super::expression::Expression;
use super::judge::Request;
use super::matching::{Labels, Place, selector};
use super::schedule::Schedule;
use crate::api::policy::{MigrationPolicy, MigrationPolicySpec};
use crate::api::pytorchjob::PyTorchJob;

/// One policy, ready to be asked.
#[derive(Debug)]
pub struct Policy {
    name: String,
    spec: MigrationPolicySpec,
    place: Place,
    object: Option<Selector>,
    conditions: Vec<Condition>,
    /// When which mode holds.
    pub schedule: Schedule,
    /// Who is excused.
    pub exemptions: Exemptions,
}

/// A named condition; one that could not be compiled holds always.
#[derive(Debug)]
struct Condition {
    name: String,
    expression: Result<Expression, String>,
    looks_at_job: bool,
}

/// Whether a condition asks for anything that the submitter writes. A text that names the job counts as well: where the
/// job can't be seen such a condition holds, so that the mistake is a strict one.
pub(super) fn looks_at_job(expression: &str) -> bool {
    let rest = expression.replace("namespaceObject", "");
    rest.contains("object") || rest.contains("oldObject")
}

/// What is wrong with a policy that is in force all the same.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Problem {
    /// Name of the policy.
    pub policy: String,
    /// Path of the field, such as `spec.match.conditions[0].expression`.
    pub field: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            policy,
            field,
            message,
        } = self;
        write!(f, "policy {policy}: {field}: {message}")
    }
}

impl Policy {
    /// Compiles `policy`. An expression that doesn't compile is a problem, and counts as one that holds.
    #[must_use]
    pub fn new(policy: &MigrationPolicy) -> (Self, Vec<Problem>) {
        let name = policy.name_any();
        let spec = policy.spec.clone();
        let mut problems = Vec::new();
        let mut conditions = Vec::new();
        for (index, condition) in spec.matches.conditions.iter().enumerate() {
            let expression =
                Expression::compile(&condition.expression).map_err(|error| error.to_string());
            if let Err(error) = &expression {
                problems.push(Problem {
                    policy: name.clone(),
                    field: format!("spec.match.conditions[{index}].expression"),
                    message: format!("{error}; until it is mended it counts as true"),
                });
            }
            conditions.push(Condition {
                name: condition.name.clone(),
                expression,
                looks_at_job: looks_at_job(&condition.expression),
            });
        }
        let compiled = Self {
            name,
            place: Place::new(&spec.matches),
            object: spec.matches.object_selector.as_ref().map(selector),
            conditions,
            schedule: Schedule::new(&spec.schedule),
            exemptions: Exemptions::new(&spec.exemptions),
            spec,
        };
        (compiled, problems)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As it was written.
    #[must_use]
    pub fn spec(&self) -> &MigrationPolicySpec {
        &self.spec
    }

    /// Whether it holds in a namespace.
    #[must_use]
    pub fn holds_in(&self, namespace: &str, labels: &Labels) -> bool {
        self.place.holds(namespace, labels)
    }

    /// Whether it looks at what the submitter writes.
    #[must_use]
    pub fn looks_at_object(&self) -> bool {
        self.object.is_some() || !self.conditions.is_empty()
    }

    /// Names of the conditions, each with the reason for which it could not be compiled, if so.
    pub fn conditions(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.conditions.iter().map(|condition| {
            let error = condition.expression.as_ref().err();
            (condition.name.as_str(), error.map(String::as_str))
        })
    }

    /// Whether what the submitter wrote is what the policy is about. What can't be seen or evaluated counts as such, and
    /// is put down in `failures`.
    pub fn is_about(&self, request: &Request<'_>, failures: &mut Vec<Failure>) -> bool {
        let selected = self.object.as_ref().is_none_or(|selector| {
            let matches = |job: &PyTorchJob| selector.matches(&job.metadata.labels);
            request.object.is_none_or(matches) || request.old_object.is_some_and(matches)
        });
        // The scale subresource shows a Scale as the object: a condition would find nothing of the job in it.
        let is_hidden = request.object.is_none();
        selected
            && self.conditions.iter().all(|condition| {
                if is_hidden && condition.looks_at_job {
                    return true;
                }
                let error = match &condition.expression {
                    Err(error) => error.clone(),
                    Ok(expression) => match request.holds(expression) {
                        Ok(holds) => return holds,
                        Err(error) => error.to_string(),
                    },
                };
                failures.push(Failure {
                    policy: self.name.clone(),
                    condition: condition.name.clone(),
                    error,
                });
                true
            })
    }
}

/// A condition that could not be evaluated for a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// Name of the policy.
    pub policy: String,
    /// Name of the condition.
    pub condition: String,
    /// What went wrong.
    pub error: String,
}

/// All policies, the highest priority first, equal ones by name.
#[derive(Clone, Debug, Default)]
pub struct Policies(Vec<Arc<Policy>>);

impl Policies {
    /// Compiles and ranks.
    #[must_use]
    pub fn new<'p>(
        policies: impl IntoIterator<Item = &'p MigrationPolicy>,
    ) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut ranked: Vec<_> = policies
            .into_iter()
            .map(|policy| {
                let (policy, wrong) = Policy::new(policy);
                problems.extend(wrong);
                Arc::new(policy)
            })
            .collect();
        ranked.sort_by(|one, other| {
            let rank = |policy: &Policy| std::cmp::Reverse(policy.spec.priority);
            (rank(one), &one.name).cmp(&(rank(other), &other.name))
        });
        problems.sort_unstable();
        (Self(ranked), problems)
    }

    /// In order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Policy>> {
        self.0.iter()
    }

    /// The one with that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<Policy>> {
        self.0.iter().find(|policy| policy.name == name)
    }
}
