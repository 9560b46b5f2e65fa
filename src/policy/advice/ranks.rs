//! Warnings about policies beside each other: a Deny that is looser next door, and a policy that never comes first.

use std::cmp::Reverse;

use jiff::Timestamp;
use kube::ResourceExt as _;

use super::place::Place;
use super::{Advice, Background, Code, Notes};
use crate::api::policy::{MigrationPolicy, MigrationPolicySpec};
use crate::policy::Mode;
use crate::policy::schedule::{Schedule, date};

/// A policy among others.
struct Ranked<'p> {
    index: usize,
    name: String,
    spec: &'p MigrationPolicySpec,
    place: Place,
    schedule: Schedule,
    /// Whether it looks at what a submitter writes.
    narrow: bool,
}

pub(super) fn advice(policies: &[&MigrationPolicy], background: &Background<'_>) -> Vec<Advice> {
    let mut ranked: Vec<_> = policies
        .iter()
        .enumerate()
        .map(|(index, policy)| {
            let matches = &policy.spec.matches;
            Ranked {
                index,
                name: policy.name_any(),
                spec: &policy.spec,
                place: Place::of(matches),
                schedule: Schedule::new(&policy.spec.schedule),
                narrow: matches.object_selector.is_some() || !matches.conditions.is_empty(),
            }
        })
        .collect();
    ranked.sort_by(|one, other| {
        let rank = |policy: &Ranked<'_>| (Reverse(policy.spec.priority), policy.name.clone());
        rank(one).cmp(&rank(other))
    });
    let mut found = Vec::new();
    for (rank, policy) in ranked.iter().enumerate() {
        let (before, after) = (&ranked[..rank], &ranked[rank + 1..]);
        let mut notes = Notes {
            policy: policy.index,
            found: &mut found,
        };
        if let Some(why) = policy.shadowed(before, after, background.now) {
            notes.add(Code::Shadowed, "metadata.name", why);
            continue;
        }
        policy.left_by_job(after, background, &mut notes);
        policy.left_by_label(before, after, background, &mut notes);
    }
    found
}

impl Ranked<'_> {
    /// The moments from now on at which its mode or the other's changes.
    fn moments(&self, other: Option<&Schedule>, now: Timestamp) -> Vec<Timestamp> {
        let theirs = other.into_iter().flat_map(|other| other.beginnings(now));
        let mine = self.schedule.beginnings(now);
        [now].into_iter().chain(mine).chain(theirs).collect()
    }

    /// The first moment at which it denies while the other, or the default, is looser; and the other's mode then.
    fn looser(
        &self,
        other: Option<&Ranked<'_>>,
        background: &Background<'_>,
    ) -> Option<(Timestamp, Mode)> {
        let schedule = other.map(|other| &other.schedule);
        let mode = |time| schedule.map_or(background.default, |schedule| schedule.at(time).mode);
        let mut moments = self.moments(schedule, background.now);
        moments.sort_unstable();
        moments
            .into_iter()
            .find(|time| self.schedule.at(*time).mode == Mode::Deny && mode(*time) < Mode::Deny)
            .map(|time| (time, mode(time)))
    }

    /// What holds in `place` if this policy doesn't: the first in which it is looser, in words.
    fn next(
        &self,
        place: &Place,
        after: &[Ranked<'_>],
        background: &Background<'_>,
    ) -> Option<String> {
        let told = |name: &str, (from, mode): (Timestamp, Mode)| {
            let when = if from <= background.now {
                "now".to_owned()
            } else {
                format!("from {}", date(from))
            };
            format!("{name} holds, which is {mode} where this one denies ({when})")
        };
        for other in after.iter().filter(|other| !other.narrow) {
            if !other.place.meets(place) {
                continue;
            }
            if let Some(looser) = self.looser(Some(other), background) {
                return Some(told(&format!("policy {}", other.name), looser));
            }
            if other.place.covers(place) {
                return None;
            }
        }
        self.looser(None, background)
            .map(|looser| told("the server's default", looser))
    }

    fn left_by_job(
        &self,
        after: &[Ranked<'_>],
        background: &Background<'_>,
        notes: &mut Notes<'_>,
    ) {
        let matches = &self.spec.matches;
        let by_condition = matches
            .conditions
            .iter()
            .position(|condition| is_chosen_by_submitter(&condition.expression));
        let (field, how) = match (&matches.object_selector, by_condition) {
            (Some(_), _) => (
                "spec.match.objectSelector".to_owned(),
                "whoever submits a job chooses its labels: without these".to_owned(),
            ),
            (None, Some(index)) => (
                format!("spec.match.conditions[{index}].expression"),
                "whoever submits a job chooses what the condition looks at: where it is false"
                    .to_owned(),
            ),
            (None, None) => return,
        };
        if let Some(next) = self.next(&self.place, after, background) {
            notes.add(Code::LeftByJob, field, format!("{how}, {next}"));
        }
    }

    fn left_by_label(
        &self,
        before: &[Ranked<'_>],
        after: &[Ranked<'_>],
        background: &Background<'_>,
        notes: &mut Notes<'_>,
    ) {
        const FIELD: &str = "spec.match.namespaceSelector";
        let labels = self.place.labels();
        if !labels.is_empty()
            && let Some(next) = self.next(&self.place.whatever_labels(), after, background)
        {
            let labels = labels.join(", ");
            notes.add(
                Code::LeftByNamespaceLabel,
                FIELD,
                format!("whoever may update a namespace can change {labels}: then {next}"),
            );
        }
        // A looser policy of higher rank that a namespace can be labelled into.
        for other in before.iter().filter(|other| !other.narrow && !self.narrow) {
            let labels = other.place.labels();
            if labels.is_empty() || !other.place.whatever_labels().meets(&self.place) {
                continue;
            }
            if let Some((_, mode)) = self.looser(Some(other), background) {
                let mut notes = Notes {
                    policy: other.index,
                    found: notes.found,
                };
                let (labels, name) = (labels.join(", "), &self.name);
                notes.add(
                    Code::LeftByNamespaceLabel,
                    FIELD,
                    format!("whoever may update a namespace can set {labels}, and leave the Deny of policy {name} for {mode} here"),
                );
            }
        }
    }

    /// Why it counts nowhere.
    fn shadowed(
        &self,
        before: &[Ranked<'_>],
        after: &[Ranked<'_>],
        now: Timestamp,
    ) -> Option<String> {
        if !self.place.meets(&self.place) {
            let why = "it counts nowhere: no namespace is all that spec.match asks for";
            return Some(why.to_owned());
        }
        let mut by = Vec::new();
        let covered = self.place.by_name().iter().all(|place| {
            let first = before
                .iter()
                .find(|other| !other.narrow && other.place.covers(place));
            by.extend(first.map(|other| other.name.as_str()));
            first.is_some()
        });
        by.sort_unstable();
        by.dedup();
        if covered {
            return Some(format!(
                "it counts nowhere: wherever it holds, policy {} ranks before it",
                by.join(" or ")
            ));
        }
        let base = after
            .iter()
            .find(|other| !other.narrow && other.place.meets(&self.place))
            .filter(|other| self.narrow && other.place.covers(&self.place))
            // Whom the other excuses, this one may refuse.
            .filter(|other| other.spec.exemptions.is_empty())?;
        let is_stricter = |time| self.schedule.at(time).mode > base.schedule.at(time).mode;
        let moments = self.moments(Some(&base.schedule), now);
        (!moments.into_iter().any(is_stricter)).then(|| {
            format!(
                "it counts nowhere: it looks at jobs, so that it can only be stricter than policy {}, and never is",
                base.name
            )
        })
    }
}

/// Whether a condition looks at the job, its name, or the operation: who creates a job parked chooses when it is started.
fn is_chosen_by_submitter(expression: &str) -> bool {
    const CHOSEN: [&str; 4] = ["object", "oldObject", "request.name", "request.operation"];
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let mut words = expression.split(|c| !is_word(c));
    words.any(|word| {
        let below = |chosen: &str| word.strip_prefix(chosen);
        CHOSEN
            .into_iter()
            .filter_map(below)
            .any(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}
