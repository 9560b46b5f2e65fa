//! Which mode holds when.

use jiff::Timestamp;

use super::Mode;
use crate::api::policy::ScheduleEntry;

/// A moment for readers, in UTC: `2027-02-01`, and with the time where it isn't midnight, such as that of a date written
/// for another time zone: `2027-01-31 23:00 UTC`.
#[must_use]
pub fn date(time: Timestamp) -> String {
    let day = time.strftime("%Y-%m-%d").to_string();
    match time.strftime("%H:%M").to_string().as_str() {
        "00:00" => day,
        hour => format!("{day} {hour} UTC"),
    }
}

/// The modes of a policy by the time at which they begin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Schedule(Vec<(Timestamp, Mode)>);

/// Where in a schedule a moment is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Phase {
    /// The mode in force.
    pub mode: Mode,
    /// Since when; none for the mode that holds before the first date.
    pub since: Option<Timestamp>,
    /// The next entry and its beginning.
    pub next: Option<(Mode, Timestamp)>,
}

impl Schedule {
    /// In any order; an entry without `from` holds from ever, and one that changes nothing begins nothing. No entries at
    /// all: `Audit`.
    #[must_use]
    pub fn new(entries: &[ScheduleEntry]) -> Self {
        let begins = |entry: &ScheduleEntry| entry.from.unwrap_or(Timestamp::MIN);
        let mut entries: Vec<_> = entries
            .iter()
            .map(|entry| (begins(entry), entry.mode))
            .collect();
        entries.sort_by_key(|(from, _)| *from);
        entries.dedup_by_key(|(_, mode)| *mode);
        Self(entries)
    }

    /// What holds at `now`.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Phase {
        let begun = self.0.partition_point(|(from, _)| *from <= now);
        let current = begun.checked_sub(1).and_then(|last| self.0.get(last));
        Phase {
            mode: current.map_or(Mode::Audit, |(_, mode)| *mode),
            since: current
                .map(|(from, _)| *from)
                .filter(|from| *from > Timestamp::MIN),
            next: self.0.get(begun).map(|(from, mode)| (*mode, *from)),
        }
    }

    /// The moments after `now` at which an entry begins, in order.
    pub fn beginnings(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        self.0
            .iter()
            .map(|(from, _)| *from)
            .filter(move |from| *from > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn entry(mode: Mode, from: &str) -> ScheduleEntry {
        ScheduleEntry {
            mode,
            from: (!from.is_empty()).then(|| time(from)),
        }
    }

    const JANUARY: &str = "2027-01-01T00:00:00Z";
    const FEBRUARY: &str = "2027-02-01T00:00:00Z";

    fn schedule() -> Schedule {
        // Not in order, as people write them.
        Schedule::new(&[
            entry(Mode::Deny, FEBRUARY),
            entry(Mode::Audit, ""),
            entry(Mode::Warn, JANUARY),
        ])
    }

    #[test]
    fn the_newest_entry_that_has_begun_is_in_force() {
        let phase = |now| schedule().at(time(now));
        assert_eq!(
            phase("2026-12-31T23:59:59Z"),
            Phase {
                mode: Mode::Audit,
                since: None,
                next: Some((Mode::Warn, time(JANUARY)))
            }
        );
        assert_eq!(
            phase(JANUARY),
            Phase {
                mode: Mode::Warn,
                since: Some(time(JANUARY)),
                next: Some((Mode::Deny, time(FEBRUARY)))
            }
        );
        assert_eq!(
            phase("2030-01-01T00:00:00Z"),
            Phase {
                mode: Mode::Deny,
                since: Some(time(FEBRUARY)),
                next: None
            }
        );
    }

    #[test]
    fn an_entry_that_changes_nothing_begins_nothing() {
        let schedule = Schedule::new(&[
            entry(Mode::Warn, ""),
            entry(Mode::Warn, "2026-12-01T00:00:00Z"),
            entry(Mode::Deny, JANUARY),
            entry(Mode::Deny, FEBRUARY),
        ]);
        let phase = |now| schedule.at(time(now));
        let before = phase("2026-11-01T00:00:00Z");
        assert_eq!(before.next, Some((Mode::Deny, time(JANUARY))));
        let after = phase(FEBRUARY);
        assert_eq!((after.since, after.next), (Some(time(JANUARY)), None));
    }

    #[test]
    fn beginnings_lie_ahead_in_order() {
        let ahead = |now| schedule().beginnings(time(now)).collect::<Vec<_>>();
        assert_eq!(
            ahead("2026-12-01T00:00:00Z"),
            [time(JANUARY), time(FEBRUARY)]
        );
        assert_eq!(ahead(JANUARY), [time(FEBRUARY)]);
        assert_eq!(ahead(FEBRUARY), []);
    }

    #[test]
    fn a_date_tells_the_time_unless_it_is_midnight() {
        for (time, told) in [
            ("2027-02-01T00:00:00Z", "2027-02-01"),
            ("2027-02-01T00:00:00+01:00", "2027-01-31 23:00 UTC"),
            ("2027-02-01T18:30:00Z", "2027-02-01 18:30 UTC"),
        ] {
            assert_eq!(date(self::time(time)), told);
        }
    }

    #[test]
    fn without_entries_a_policy_only_records() {
        assert_eq!(Schedule::new(&[]).at(time(JANUARY)).mode, Mode::Audit);
    }
}
