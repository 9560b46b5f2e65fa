//! Warnings about dates.

use jiff::{SignedDuration, Timestamp};

use super::{Code, Notes};
use crate::api::policy::{MigrationPolicySpec, Mode};
use crate::policy::schedule::date;

/// How long everybody should be warned before he is refused.
const NOTICE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A policy's entries by time, each with its place in the file; without those that change nothing.
pub(super) fn entries(spec: &MigrationPolicySpec) -> Vec<(Timestamp, Mode, usize)> {
    let mut entries: Vec<_> = spec
        .schedule
        .iter()
        .enumerate()
        .map(|(index, entry)| (entry.from.unwrap_or(Timestamp::MIN), entry.mode, index))
        .collect();
    entries.sort_by_key(|(from, _, _)| *from);
    entries.dedup_by_key(|(_, mode, _)| *mode);
    entries
}

pub(super) fn advise(spec: &MigrationPolicySpec, now: Timestamp, notes: &mut Notes<'_>) {
    let entries = entries(spec);
    for pair in entries.windows(2) {
        let [(begun, before, _), (from, after, index)] = pair else {
            continue;
        };
        if after < before {
            notes.add(
                Code::Loosened,
                format!("spec.schedule[{index}]"),
                format!(
                    "from {} the mode is {after}, looser than {before} before it",
                    date(*from)
                ),
            );
        }
        let told = match before {
            Mode::Audit => SignedDuration::ZERO,
            Mode::Warn | Mode::Deny => from.duration_since(*begun),
        };
        if *after == Mode::Deny && *before != Mode::Deny && told < NOTICE {
            let notice = match told.as_hours() / 24 {
                _ if *before == Mode::Audit => "nobody is warned".to_owned(),
                1 => "warnings begin 1 day".to_owned(),
                days => format!("warnings begin {days} days"),
            };
            notes.add(
                Code::NoNotice,
                format!("spec.schedule[{index}]"),
                format!("Deny begins on {}, and {notice} before", date(*from)),
            );
        }
    }
    match entries.as_slice() {
        [(_, Mode::Deny, index)] => notes.add(
            Code::NoNotice,
            format!("spec.schedule[{index}]"),
            "the policy denies from the moment when it is applied, and nobody is warned before",
        ),
        [_, .., (from, mode, index)] if *from <= now && *mode != Mode::Deny => notes.add(
            Code::NothingPlanned,
            format!("spec.schedule[{index}]"),
            format!(
                "the last date, {}, lies behind, and the mode stays {mode} for good",
                date(*from)
            ),
        ),
        _ => {}
    }
}
