//! What the first policy says that looks at the namespace only.
//!
//! Each such policy is a variable: either the namespace is one of its own, and it says what holds, or the next one does.
//! The value is empty, or the name of who denies and the reason.

use super::text::{list, quoted};
use super::{ADVICE, Ranked, Variable, place};
use crate::api::meta::{BUILT_IN, LABEL_MODE};
use crate::policy::Mode;

/// The variables, of which the last is `base`.
pub(super) fn variables(ranked: &[Ranked], default: Mode) -> Vec<Variable> {
    let mut variables = Vec::new();
    let mut next = built_in(default);
    let plain = ranked
        .iter()
        .filter(|ranked| !ranked.policy.looks_at_object());
    for ranked in plain.rev() {
        let says = says(ranked);
        next = match place::of_namespace(&ranked.policy.spec().matches) {
            None => says,
            Some(place) => {
                variables.push(Variable {
                    name: inside(ranked),
                    expression: place,
                });
                let inside = inside(ranked);
                format!("variables.{inside} ? ({says}) : ({next})")
            }
        };
        variables.push(Variable {
            name: ranked.id.clone(),
            expression: next,
        });
        next = format!("variables.{}", ranked.id);
    }
    variables.push(Variable {
        name: "base".to_owned(),
        expression: next,
    });
    variables
}

/// The variable that says whether the namespace is one of the policy's.
pub(super) fn inside(ranked: &Ranked) -> String {
    format!("{}_inside", ranked.id)
}

fn built_in(default: Mode) -> String {
    let denial = |reason: &str| list([BUILT_IN, &format!(" ({reason}){ADVICE}")]);
    match default {
        Mode::Deny => denial("the cluster's default"),
        Mode::Audit | Mode::Warn => {
            let label = denial(&format!("the namespace's label {LABEL_MODE}"));
            format!("variables.wish ? {label} : []")
        }
    }
}

fn says(ranked: &Ranked) -> String {
    let name = ranked.policy.name();
    let label = format!(" (the namespace's label {LABEL_MODE}){}", ranked.help());
    let mut says = format!("variables.wish ? {} : []", list([name, &label]));
    for span in &ranked.spans {
        let denial = list([name, &ranked.reason(span)]);
        says = match span.holds() {
            None => denial,
            Some(holds) => format!("{holds} ? {denial} : {says}"),
        };
    }
    match ranked.excused_now() {
        None => says,
        Some(excused) => format!("{excused} ? [] : {says}"),
    }
}

/// The reasons of a policy, in CEL: that of the span that is now.
pub(super) fn reason(ranked: &Ranked) -> String {
    let mut spans = ranked.spans.iter();
    let first = spans.next().map(|span| ranked.reason(span));
    let mut reason = quoted(&first.unwrap_or_default());
    for span in spans {
        let later = quoted(&ranked.reason(span));
        reason = match span.holds() {
            None => later,
            Some(holds) => format!("({holds} ? {later} : {reason})"),
        };
    }
    reason
}
