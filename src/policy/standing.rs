//! What is reported of a policy: its mode, its next date, and whether it works as it is written.
//!
//! What comes in: a compiled policy, what is known besides, and what its object says now. What goes out: the status that it
//! should have. The same facts make the same status, so any number of replicas agree on it. One thing they do not see
//! alike: a condition that failed on a request was seen by the replica that judged it. The time of the last failure is
//! therefore part of the status, rounded down to five minutes, and the later one counts: whoever saw nothing leaves it be.

mod failing;
mod finding;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::Policy;
use super::ranked::Failure;
use super::reach::Reach;
use crate::api::meta::{EXEMPTIONS_EXPIRED, MATCHES_NOTHING, READY, RUNTIME_UNKNOWN, SHADOWED};
use crate::api::policy::MigrationPolicyStatus;

pub use failing::REMEMBERED;
use failing::failing;
use finding::{Finding, listed};

/// What is known besides the policies.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// Where each policy counts.
    pub reach: &'f BTreeMap<String, Reach>,
    /// Names of the cluster's ClusterTrainingRuntimes; none where nobody knows.
    pub runtimes: Option<&'f BTreeSet<String>>,
    /// Conditions that failed on requests.
    pub failures: &'f [Noted],
    /// The time.
    pub now: Timestamp,
}

/// A condition that failed on a request, and when it did so last.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Noted {
    /// Which one, and why.
    pub failure: Failure,
    /// When.
    pub at: Timestamp,
}

/// What a policy's object says.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// The generation of its spec.
    pub generation: Option<i64>,
    /// Its status.
    pub status: MigrationPolicyStatus,
}

/// The status that `policy` should have where `stored` is what there is.
#[must_use]
pub fn status(policy: &Policy, facts: &Facts<'_>, stored: &Stored) -> MigrationPolicyStatus {
    let phase = policy.schedule.at(facts.now);
    let (last_failure, failing) = failing(policy, facts, stored);
    let (shadowed, nothing) = reached(facts.reach.get(policy.name()));
    let wrong = [failing, runtime(policy, facts), shadowed, nothing];
    let ready = match wrong.iter().find(|finding| finding.holds == Some(true)) {
        // The type says more than the reason, to whoever reads nothing but the reason.
        Some(first) => Finding::new(READY, false, first.kind, first.message.clone()),
        None => Finding::new(READY, true, "InForce", "works as it is written".to_owned()),
    };
    let conditions = [ready]
        .into_iter()
        .chain(wrong)
        .chain([expired(policy, facts)])
        .map(|finding| finding.condition(facts.now, stored))
        .collect();
    MigrationPolicyStatus {
        active_mode: Some(phase.mode),
        next_mode: phase.next.map(|(mode, _)| mode),
        next_transition: phase.next.map(|(_, from)| from),
        observed_generation: stored.generation,
        last_failure,
        conditions,
    }
}

/// The condition of that type.
#[must_use]
pub fn condition<'s>(status: &'s MigrationPolicyStatus, kind: &str) -> Option<&'s Condition> {
    status
        .conditions
        .iter()
        .find(|condition| condition.type_ == kind)
}

/// Whether the policy is ready, as far as the status says.
#[must_use]
pub fn is_ready(status: &MigrationPolicyStatus) -> bool {
    condition(status, READY).is_some_and(|ready| ready.status == "True")
}

/// The first moment after `now` at which the policy's status changes by itself.
#[must_use]
pub fn next_moment(policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    let ends = policy.exemptions.all().iter().map(|it| it.until);
    policy
        .schedule
        .beginnings(now)
        .chain(ends.filter(|until| *until > now))
        .min()
}

fn runtime(policy: &Policy, facts: &Facts<'_>) -> Finding {
    let finding = |holds, reason, message| Finding::new(RUNTIME_UNKNOWN, holds, reason, message);
    let conversion = policy.spec().conversion.as_ref();
    let named = conversion.and_then(|conversion| conversion.runtime.as_deref());
    match (named, facts.runtimes) {
        (None, _) => finding(false, "NoneNamed", "the policy names no runtime".to_owned()),
        (Some(name), None) => Finding {
            holds: None,
            ..finding(
                false,
                "ClusterUnknown",
                format!("nobody knows whether ClusterTrainingRuntime {name} exists"),
            )
        },
        (Some(name), Some(runtimes)) if runtimes.contains(name) => finding(
            false,
            "InCluster",
            format!("ClusterTrainingRuntime {name} is in the cluster"),
        ),
        (Some(name), Some(runtimes)) => {
            let there = if runtimes.is_empty() {
                "there is none".to_owned()
            } else {
                format!("there are {}", listed(runtimes.iter().map(String::as_str)))
            };
            let message = format!(
                "spec.conversion.runtime: ClusterTrainingRuntime {name} is not in the cluster ({there}); create it, or name another one"
            );
            finding(true, "NotInCluster", message)
        }
    }
}

fn reached(reach: Option<&Reach>) -> (Finding, Finding) {
    let shadowed = |holds, reason, message| Finding::new(SHADOWED, holds, reason, message);
    let nothing = |holds, reason, message| Finding::new(MATCHES_NOTHING, holds, reason, message);
    let nothing_less = || {
        nothing(
            false,
            "Matches",
            "there are namespaces in which it holds".to_owned(),
        )
    };
    match reach {
        None | Some(Reach::Counts) => (
            shadowed(
                false,
                "Counts",
                "in some namespace no other policy comes before it".to_owned(),
            ),
            nothing_less(),
        ),
        Some(Reach::Behind(others)) => (
            shadowed(
                true,
                "OthersComeFirst",
                format!(
                    "in every namespace where it holds another policy comes first: {}; give it a higher priority, or remove it",
                    listed(others.iter().map(String::as_str))
                ),
            ),
            nothing_less(),
        ),
        Some(Reach::Nowhere) => (
            shadowed(false, "HoldsNowhere", "it holds in no namespace".to_owned()),
            nothing(
                true,
                "NoNamespace",
                "spec.match: no namespace has such a name and such labels; mend the names or the selector, unless the namespaces are yet to come"
                    .to_owned(),
            ),
        ),
    }
}

/// An exemption that has ended works as it is written, so it makes no policy unready.
fn expired(policy: &Policy, facts: &Facts<'_>) -> Finding {
    let ended: Vec<_> = policy
        .exemptions
        .all()
        .iter()
        .filter(|exemption| exemption.until <= facts.now)
        .map(|exemption| exemption.name.as_str())
        .collect();
    if ended.is_empty() {
        let message = "no exemption has ended".to_owned();
        return Finding::new(EXEMPTIONS_EXPIRED, false, "NoneEnded", message);
    }
    let message = format!(
        "ended, and excusing nobody any more: {}; remove them, or set a later date",
        listed(ended.into_iter())
    );
    Finding::new(EXEMPTIONS_EXPIRED, true, "Ended", message)
}

#[cfg(test)]
mod tests;
