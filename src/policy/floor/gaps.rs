//! What trainshift denies and the floor can't.

use jiff::Timestamp;

use super::{Ranked, Settings};
use crate::policy::expression::Expression;

/// A line for each gap that these policies leave.
pub(super) fn of(ranked: &[Ranked], settings: &Settings<'_>) -> Vec<String> {
    let mut gaps: Vec<_> = later(ranked, settings.at).into_iter().collect();
    for policy in ranked {
        let name = policy.policy.name();
        for span in &policy.spans {
            if let Some(ends) = span.ends {
                gaps.push(format!(
                    "policy {name} denies until {ends}: the floor refuses new jobs until then, but neither updates nor /scale"
                ));
            }
        }
        for condition in &policy.policy.spec().matches.conditions {
            let condition_name = &condition.name;
            gaps.push(if Expression::compile(&condition.expression).is_ok() {
                format!(
                    "policy {name}, condition {condition_name}: where it fails the floor refuses in the API server's words, and who may \
                     bypass this policy passes those that rank below it as well, whether or not the condition holds"
                )
            } else {
                format!(
                    "policy {name}, condition {condition_name}: it can't be compiled, and counts as true"
                )
            });
        }
    }
    gaps
}

/// On updates the time is known by the API server's notes, of which a Scale has none, and which its requester can take
/// away.
fn later(ranked: &[Ranked], at: Timestamp) -> Option<String> {
    let mut dates: Vec<_> = ranked
        .iter()
        .flat_map(|policy| {
            let begins = policy.spans.iter().filter_map(|span| span.begins);
            let exemptions = policy.policy.exemptions.all().iter();
            begins.chain(exemptions.map(|exemption| exemption.until))
        })
        .filter(|date| *date > at)
        .collect();
    dates.sort_unstable();
    dates.dedup();
    let first = dates.first()?;
    let times = match dates.len() {
        1 => "once more".to_owned(),
        more => format!("after each of {more} dates"),
    };
    Some(format!(
        "from {first} on: /scale, and an update that only takes fields away or takes away metadata.managedFields as well, \
         are judged as of {at}; make the floor anew then, {times}"
    ))
}
