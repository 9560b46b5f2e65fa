//! The floor: what the policies deny, said in the CEL of a ValidatingAdmissionPolicy, for when trainshift doesn't answer.
//!
//! ```text
//! Policies + Settings -> Floor { variables, validations, gaps }
//! ```
//!
//! It follows [`judge`](super::judge): it denies nothing that trainshift would admit, and what it admits that trainshift
//! would deny is told in [`Floor::gaps`]. A variable is evaluated when something asks for it, and once, so that a request
//! costs what the policies of its namespace cost.

mod base;
mod change;
mod excuse;
mod gaps;
mod narrow;
mod place;
mod span;
mod text;

use std::sync::Arc;

use jiff::Timestamp;

use super::{Mode, Policies, Policy};
use crate::api::meta::{ANNOTATION_BYPASS, LABEL_MODE, MIGRATION_POLICIES, OWN_GROUP, VERB_BYPASS};

use span::Span;
use text::quoted;

/// Most characters of one expression (cel-go `parser/options.go`, `expressionSizeCodePointLimit`).
pub const MAX_EXPRESSION: usize = 100_000;

/// What the floor depends on besides the policies.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'s> {
    /// The mode where no policy matches.
    pub default: Mode,
    /// When the floor is made: later than this is every request.
    pub at: Timestamp,
    /// Users whose business it is to start jobs that wait in a queue.
    pub queue_controllers: &'s [String],
}

/// The parts of a ValidatingAdmissionPolicy.
#[derive(Clone, Debug, Default)]
pub struct Floor {
    /// Each may use those before it.
    pub variables: Vec<Variable>,
    /// All must hold; the first that doesn't says why.
    pub validations: Vec<Validation>,
    /// What trainshift denies and the floor can't, a line each.
    pub gaps: Vec<String>,
}

/// A named expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// In CEL.
    pub expression: String,
}

/// An expression that holds where a request goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// In CEL.
    pub expression: String,
    /// What the requester reads, in CEL.
    pub message_expression: String,
}

/// A policy that counts, and what it is called in expressions.
struct Ranked {
    policy: Arc<Policy>,
    id: String,
    /// When it denies.
    spans: Vec<Span>,
    /// Who is excused; none where nobody is.
    excused: Option<String>,
}

impl Floor {
    /// What `policies` deny.
    #[must_use]
    pub fn new(policies: &Policies, settings: &Settings<'_>) -> Self {
        let ranked = ranked(policies, settings.at);
        let mut floor = Self {
            gaps: gaps::of(&ranked, settings),
            ..Self::default()
        };
        floor.request(settings);
        for policy in &ranked {
            if let Some(excused) = &policy.excused {
                floor.set(policy.excused_name(), excused.clone());
            }
        }
        let base = base::variables(&ranked, settings.default);
        floor.variables.extend(base);
        floor.validations.push(Validation {
            expression: format!(
                "variables.base.size() == 0 || !variables.judged || {}",
                may_pass("variables.base[0]")
            ),
            message_expression: refused("variables.base[1]"),
        });
        narrow::add(&mut floor, &ranked);
        floor
    }

    fn set(&mut self, name: impl Into<String>, expression: impl Into<String>) {
        self.variables.push(Variable {
            name: name.into(),
            expression: expression.into(),
        });
    }

    /// The variables that say what is asked, by whom and when.
    fn request(&mut self, settings: &Settings<'_>) {
        self.set("scale", "request.?subResource.orValue('') == 'scale'");
        // On an update only the API server's own notes tell the time. It never runs ahead, so that nothing is denied too
        // early; it may lag behind, as `gaps` tells.
        self.set(
            "now",
            format!(
                "request.operation == 'CREATE' ? timestamp(object.metadata.creationTimestamp) : \
                 ([timestamp({})] + object.metadata.?managedFields.orValue([]).filter(entry, has(entry.time)).map(entry, timestamp(entry.time))).max()",
                quoted(&settings.at.to_string())
            ),
        );
        self.set("groups", "request.userInfo.?groups.orValue([])");
        self.set("labels", "namespaceObject.metadata.?labels.orValue({})");
        self.set(
            "wish",
            format!(
                "variables.labels[?{}].orValue('').lowerAscii() == 'deny'",
                quoted(LABEL_MODE)
            ),
        );
        self.set(
            "versions",
            "request.operation == 'CREATE' ? [object] : [object, oldObject]",
        );
        for (name, expression) in change::variables(settings.queue_controllers) {
            self.set(name, expression);
        }
        self.set(
            "reason",
            format!(
                "!variables.scale && object.metadata.?annotations[?{}].orValue('').trim() != ''",
                quoted(ANNOTATION_BYPASS)
            ),
        );
        self.set(
            "what",
            "(request.operation == 'CREATE' ? 'PyTorchJob' : variables.scale ? 'scaling up a PyTorchJob' : \
             variables.another ? 'this change of a PyTorchJob' : 'starting this PyTorchJob') + ' is refused in namespace ' + request.namespace",
        );
    }

    /// The first expression that is longer than the API server takes, and its length.
    #[must_use]
    pub fn too_long(&self) -> Option<(&str, usize)> {
        let variables = self
            .variables
            .iter()
            .map(|variable| (variable.name.as_str(), &variable.expression));
        variables
            .map(|(name, expression)| (name, expression.chars().count()))
            .find(|(_, length)| *length > MAX_EXPRESSION)
    }
}

impl Ranked {
    fn excused_name(&self) -> String {
        format!("{}_excused", self.id)
    }

    /// Whether the requester is excused; none where nobody is.
    fn excused_now(&self) -> Option<String> {
        let excused = self.excused.as_ref();
        excused.map(|_| format!("variables.{}", self.excused_name()))
    }

    /// What follows ` is refused in namespace research`, for one of the spans.
    fn reason(&self, span: &Span) -> String {
        let since = span
            .since
            .map(|since| format!(" since {}", since.strftime("%Y-%m-%d")))
            .unwrap_or_default();
        format!("{since} (policy {}){}", self.policy.name(), self.help())
    }

    /// The advice that ends every message, with the platform team's own.
    fn help(&self) -> String {
        let own = self.policy.spec().message.as_deref().unwrap_or_default();
        let own: Vec<_> = own.split_whitespace().collect();
        format!("{ADVICE} {}", own.join(" ")).trim_end().to_owned()
    }
}

/// How to get on without trainshift in the cluster.
const ADVICE: &str =
    ". Submit its TrainJob instead: trainshift convert FILE prints it, and asks no cluster.";

/// The policies that can make a difference, in order: none after one that says what holds everywhere, and of those that
/// look at the object none that never denies.
fn ranked(policies: &Policies, at: Timestamp) -> Vec<Ranked> {
    let mut ranked = Vec::new();
    for (rank, policy) in policies.iter().enumerate() {
        let spans = span::spans(&policy.schedule, at);
        if policy.looks_at_object() && spans.is_empty() {
            continue;
        }
        ranked.push(Ranked {
            id: text::identifier(rank + 1, policy.name()),
            spans,
            excused: excuse::expression(policy, at),
            policy: Arc::clone(policy),
        });
        if !policy.looks_at_object() && place::of_namespace(&policy.spec().matches).is_none() {
            break;
        }
    }
    ranked
}

/// Whether the requester gives a reason to pass a denial of the policy that the CEL expression `name` names, and may.
fn may_pass(name: &str) -> String {
    format!(
        "(variables.reason && authorizer.group({}).resource({}).name({name}).check({}).allowed())",
        quoted(OWN_GROUP),
        quoted(MIGRATION_POLICIES),
        quoted(VERB_BYPASS)
    )
}

/// The message, for a CEL expression of the reason.
fn refused(reason: &str) -> String {
    format!("variables.what + {reason}")
}
