//! When a policy denies.

use jiff::Timestamp;

use super::text::{all, any, quoted};
use crate::policy::Mode;
use crate::policy::schedule::Schedule;

/// A time in which a policy denies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Span {
    /// Since when, for readers; none for what was never otherwise.
    pub(super) since: Option<Timestamp>,
    /// When it begins; none for one that has begun when the floor is made.
    pub(super) begins: Option<Timestamp>,
    /// When the schedule is less strict again.
    pub(super) ends: Option<Timestamp>,
}

/// The spans of a schedule that aren't over at `at`, in order.
pub(super) fn spans(schedule: &Schedule, at: Timestamp) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for time in std::iter::once(at).chain(schedule.beginnings(at)) {
        let phase = schedule.at(time);
        let open = spans.last_mut().filter(|span| span.ends.is_none());
        match (phase.mode, open) {
            (Mode::Deny, None) => spans.push(Span {
                since: phase.since,
                begins: (time > at).then_some(time),
                ends: None,
            }),
            (Mode::Audit | Mode::Warn, Some(span)) => span.ends = Some(time),
            _ => {}
        }
    }
    spans
}

impl Span {
    /// Whether it is now; none where it always is. An update's time may lag behind, and would still deny after the end.
    pub(super) fn holds(&self) -> Option<String> {
        let time = |operator: &str, time: Timestamp| {
            format!(
                "variables.now {operator} timestamp({})",
                quoted(&time.to_string())
            )
        };
        let create = self
            .ends
            .map(|_| "request.operation == 'CREATE'".to_owned());
        let begun = self.begins.map(|begins| time(">=", begins));
        let goes_on = self.ends.map(|ends| time("<", ends));
        all(&create
            .into_iter()
            .chain(begun)
            .chain(goes_on)
            .collect::<Vec<_>>())
    }
}

/// Whether one of them is now; none where one always is.
pub(super) fn one_holds(spans: &[Span]) -> Option<String> {
    let conditions: Option<Vec<_>> = spans.iter().map(Span::holds).collect();
    any(conditions?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::policy::ScheduleEntry;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const JANUARY: &str = "2027-01-01T00:00:00Z";
    const FEBRUARY: &str = "2027-02-01T00:00:00Z";

    fn schedule(entries: &[(Mode, Option<&str>)]) -> Schedule {
        let entries: Vec<_> = entries
            .iter()
            .map(|(mode, from)| ScheduleEntry {
                mode: *mode,
                from: from.map(time),
            })
            .collect();
        Schedule::new(&entries)
    }

    #[test]
    fn what_begins_later_has_a_date() {
        let later = schedule(&[(Mode::Warn, None), (Mode::Deny, Some(FEBRUARY))]);
        let condition = "variables.now >= timestamp('2027-02-01T00:00:00Z')";
        let one = |at| one_holds(&spans(&later, time(at)));
        assert_eq!(one(JANUARY).as_deref(), Some(condition));
        assert_eq!(one(FEBRUARY), None);
        let never = schedule(&[(Mode::Warn, None)]);
        assert_eq!(spans(&never, time(JANUARY)), []);
    }

    #[test]
    fn what_ends_holds_for_creations_only() {
        let pause = schedule(&[(Mode::Deny, None), (Mode::Warn, Some(FEBRUARY))]);
        assert_eq!(
            one_holds(&spans(&pause, time(JANUARY))).unwrap(),
            "request.operation == 'CREATE' && variables.now < timestamp('2027-02-01T00:00:00Z')"
        );
        assert_eq!(spans(&pause, time(FEBRUARY)), []);
    }
}
