//! What comes of a request: the one place where it is decided.

use std::cell::{Cell, OnceCell};
use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;

use super::course::Course;
use super::exemption::is_in_force;
use super::expression::{EvaluationError, Expression, Inputs, MAX_COST_OF_REQUEST};
use super::ranked::Failure;
use super::{Change, Mode, Namespace, Rule, Snapshot};
use crate::api::meta::ANNOTATION_BYPASS;
use crate::api::policy::Exemption;
use crate::api::pytorchjob::PyTorchJob;
use crate::api::review;

/// What comes of a request.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Decision {
    /// Goes on, without a word.
    Admit,
    /// Goes on, and the client is told.
    Warn,
    /// Is refused.
    Deny,
}

impl Decision {
    /// As the audit log has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admit => "admit",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

/// What is judged.
#[derive(Debug)]
pub struct Request<'r> {
    /// Who asks for what, as the API server sent it.
    pub review: &'r review::Request,
    /// The job as it will be; none where it isn't in the request, as for the scale subresource.
    pub object: Option<&'r PyTorchJob>,
    /// The job as it was.
    pub old_object: Option<&'r PyTorchJob>,
    /// What becomes of the job.
    pub change: &'r Change,
    /// Whether the requester is a queue controller, whose business it is to start jobs that wait.
    pub is_queue: bool,
    namespace: &'r Namespace,
    seen: OnceCell<Seen>,
    /// What is left for conditions to take, whoever asks how often.
    steps: Cell<u64>,
}

/// What conditions can see.
#[derive(Debug)]
struct Seen {
    object: Value,
    old_object: Value,
    request: Value,
    namespace: Value,
}

impl<'r> Request<'r> {
    /// A request in `namespace` that does `change` to a job.
    #[must_use]
    pub fn new(review: &'r review::Request, namespace: &'r Namespace, change: &'r Change) -> Self {
        Self {
            review,
            object: None,
            old_object: None,
            change,
            is_queue: false,
            namespace,
            seen: OnceCell::new(),
            steps: Cell::new(MAX_COST_OF_REQUEST),
        }
    }

    /// The job's name; empty while the API server has yet to make one up.
    #[must_use]
    pub fn name(&self) -> &str {
        let own = self.object.and_then(|job| job.metadata.name.as_deref());
        match self.review.name.as_str() {
            "" => own.unwrap_or_default(),
            name => name,
        }
    }

    /// What the name will begin with, where there is none yet.
    #[must_use]
    pub fn generate_name(&self) -> &str {
        let job = self.object;
        job.and_then(|job| job.metadata.generate_name.as_deref())
            .unwrap_or_default()
    }

    /// The reason for which the job is to pass a denial.
    #[must_use]
    pub fn bypass(&self) -> Option<&'r str> {
        let annotations = &self.object?.metadata.annotations;
        let reason = annotations.get(ANNOTATION_BYPASS)?.trim();
        (!reason.is_empty()).then_some(reason)
    }

    /// Whether a condition holds, at the cost of the conditions after it.
    pub(super) fn holds(&self, condition: &Expression) -> Result<bool, EvaluationError> {
        condition.holds_within(&self.inputs(), &self.steps)
    }

    /// What conditions can see; read when the first one asks.
    fn inputs(&self) -> Inputs<'_> {
        let read = |raw: Option<&RawValue>| {
            raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
                .unwrap_or(Value::Null)
        };
        let seen = self.seen.get_or_init(|| Seen {
            object: read(self.review.object.as_deref()),
            old_object: read(self.review.old_object.as_deref()),
            request: Inputs::request(self.review),
            namespace: Inputs::namespace_object(self.namespace.name(), self.namespace.labels()),
        });
        Inputs {
            object: &seen.object,
            old_object: &seen.old_object,
            request: &seen.request,
            namespace_object: &seen.namespace,
        }
    }
}

/// What was decided, and on what grounds.
#[derive(Clone, Debug)]
pub struct Ruling {
    /// The rule that holds for this requester.
    pub rule: Rule,
    /// What comes of the request.
    pub decision: Decision,
    /// What keeps the request from being refused, if anything does.
    pub excuse: Option<Excuse>,
    /// An exemption that would keep it from being refused, had it not ended.
    pub ended: Option<Exemption>,
    /// Conditions that could not be evaluated, and so count as holding.
    pub failures: Vec<Failure>,
}

/// What keeps a request from being refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Excuse {
    /// An exemption of the policy.
    Exemption(Exemption),
    /// The requester's right to pass a denial, and the reason that he gives.
    Bypass(String),
}

impl Ruling {
    /// The same for somebody who may pass the denial and gives a reason.
    #[must_use]
    pub fn bypassed(self, reason: &str) -> Self {
        Self {
            decision: Decision::Warn,
            excuse: Some(Excuse::Bypass(reason.to_owned())),
            ..self
        }
    }
}

/// Decides about `request` at `now`.
///
/// The first policy of the namespace that looks at no object says what holds, or the default; one before it that looks at
/// the object counts where it is stricter, or as strict from an earlier time. Exemptions of the policy that counts turn
/// Deny into Warn. The stricter mode that comes next is announced whichever of these policies brings it.
#[must_use]
pub fn judge(snapshot: &Snapshot, request: &Request<'_>, now: Timestamp) -> Ruling {
    let scope = snapshot.scope(request.namespace);
    let wish = request.namespace.wish();
    let base = scope.base.as_ref();
    let base = base.map(|policy| Course::new(policy, wish, request));
    let mut standing = match &base {
        Some(course) => Standing::at(now, course),
        None => Standing::built_in(snapshot.default, wish),
    };
    let mut failures = Vec::new();
    let mut courses: Vec<_> = base.into_iter().collect();
    for policy in &scope.narrow {
        let course = Course::new(policy, None, request);
        let narrower = Standing::at(now, &course);
        let is_stricter = narrower.strictness() > standing.strictness();
        let will_be = || course.stricter_than(standing.rule.mode, now).is_some();
        if (is_stricter || will_be()) && policy.is_about(request, &mut failures) {
            if is_stricter {
                standing = narrower;
            }
            courses.push(course);
        }
    }
    // Whoever counts now, what comes is said by whoever comes first.
    standing.rule.next = courses
        .iter()
        .filter_map(|course| course.stricter_than(standing.rule.mode, now))
        .min_by_key(|(mode, from)| (*from, Reverse(*mode)));
    let Standing {
        rule,
        excuse,
        ended,
    } = standing;
    Ruling {
        decision: decide(rule.mode, request),
        rule,
        excuse,
        ended,
        failures,
    }
}

/// Names of all policies that deny `request` at `now`. Whoever gives a reason to pass has to be allowed to pass each of them:
/// else a job could be written so that one more policy is about it, and that one's right would open the others.
#[must_use]
pub fn denials(snapshot: &Snapshot, request: &Request<'_>, now: Timestamp) -> Vec<String> {
    let scope = snapshot.scope(request.namespace);
    let wish = request.namespace.wish();
    let first = match &scope.base {
        Some(policy) => Standing::at(now, &Course::new(policy, wish, request)),
        None => Standing::built_in(snapshot.default, wish),
    };
    let first = Some(first.rule).filter(|rule| rule.mode == Mode::Deny);
    let narrow = scope.narrow.iter().filter(|policy| {
        Course::new(policy, None, request).mode(now) == Mode::Deny
            && policy.is_about(request, &mut Vec::new())
    });
    let first = first.iter().map(Rule::name);
    first
        .chain(narrow.map(|policy| policy.name()))
        .map(str::to_owned)
        .collect()
}

fn decide(mode: Mode, request: &Request<'_>) -> Decision {
    let is_queued_start = request.is_queue && *request.change == Change::Started;
    if !request.change.is_judged() || is_queued_start {
        return Decision::Admit;
    }
    match mode {
        Mode::Audit => Decision::Admit,
        Mode::Warn => Decision::Warn,
        Mode::Deny => Decision::Deny,
    }
}

/// What one policy says to a requester now.
struct Standing {
    rule: Rule,
    excuse: Option<Excuse>,
    ended: Option<Exemption>,
}

impl Standing {
    fn built_in(default: Mode, wish: Option<Mode>) -> Self {
        let mode = wish.map_or(default, |wish| wish.max(default));
        Self {
            rule: Rule {
                by_label: mode > default,
                ..Rule::built_in(mode)
            },
            excuse: None,
            ended: None,
        }
    }

    fn at(now: Timestamp, course: &Course<'_>) -> Self {
        let phase = course.policy.schedule.at(now);
        let (asked, mode) = (course.asked(now), course.mode(now));
        let exemption = course.exemption.filter(|_| asked == Mode::Deny).cloned();
        let (excuse, ended) = match exemption {
            Some(exemption) if is_in_force(&exemption, now) => {
                (Some(Excuse::Exemption(exemption)), None)
            }
            ended => (None, ended),
        };
        Self {
            rule: Rule {
                mode,
                policy: Some(Arc::clone(course.policy)),
                since: phase.since.filter(|_| mode == phase.mode),
                next: course.stricter_than(mode, now),
                by_label: asked > phase.mode,
            },
            excuse,
            ended,
        }
    }

    /// By the mode, then by what comes next: the stricter, and of two the sooner; then by since when.
    fn strictness(&self) -> impl Ord + use<> {
        let next = self.rule.next.map(|(mode, from)| (mode, Reverse(from)));
        (self.rule.mode, next, Reverse(self.rule.since))
    }
}

#[cfg(test)]
mod tests;
