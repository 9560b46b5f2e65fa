//! From when to when, and in which steps.

use clap::ValueEnum;
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};

/// Steps of time, in UTC.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum By {
    /// Days: 2026-11-23
    #[default]
    Day,
    /// Weeks of ISO 8601, from Monday: 2026-W48
    Week,
}

impl By {
    /// Its name, which is part of the interface.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// The step in which `at` is; sorts as time does.
    pub(super) fn period(self, at: Timestamp) -> String {
        let date = Offset::UTC.to_datetime(at).date();
        match self {
            Self::Day => date.to_string(),
            Self::Week => {
                let week = date.iso_week_date();
                format!("{}-W{:02}", week.year(), week.week())
            }
        }
    }
}

/// From when to when.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Span {
    /// The first moment in it.
    pub(super) since: Option<Timestamp>,
    /// The first moment after it.
    pub(super) until: Option<Timestamp>,
}

impl Span {
    /// Whether `at` is in it; what has no time is in the span that has no ends only.
    pub(super) fn holds(self, at: Option<Timestamp>) -> bool {
        let Some(at) = at else {
            return self == Self::default();
        };
        self.since.is_none_or(|since| since <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// `--since`: a time, or a date, which is its first moment in UTC.
pub(super) fn since(typed: &str) -> Result<Timestamp, String> {
    moment(typed, 0)
}

/// `--until`: a time, or a date, which is taken in: the first moment of the next one in UTC.
pub(super) fn until(typed: &str) -> Result<Timestamp, String> {
    moment(typed, 1)
}

fn moment(typed: &str, days: i64) -> Result<Timestamp, String> {
    if let Ok(time) = typed.parse::<Timestamp>() {
        return Ok(time);
    }
    let date = typed.parse::<Date>().ok();
    let date = date.filter(|_| typed.len() == "2026-11-23".len());
    date.and_then(|date| date.checked_add(days.days()).ok())
        .and_then(|date| Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok())
        .ok_or_else(|| {
            "write a date such as 2026-11-23, or a time such as 2026-11-23T18:00:00Z".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_taken_in_by_both_ends() {
        let span = Span {
            since: since("2026-11-23").ok(),
            until: until("2026-11-23").ok(),
        };
        let holds = |time: &str| span.holds(time.parse().ok());
        assert!(holds("2026-11-23T00:00:00Z") && holds("2026-11-23T23:59:59.999Z"));
        assert!(!holds("2026-11-22T23:59:59Z") && !holds("2026-11-24T00:00:00Z"));
        assert!(!span.holds(None) && Span::default().holds(None));
        assert_eq!(since("2026-11-23T01:00:00+01:00"), since("2026-11-23"));
    }

    #[test]
    fn what_has_no_day_or_no_zone_is_no_moment() {
        for typed in [
            "",
            "2026-11",
            "yesterday",
            "2026-11-31",
            "2026-11-23T18:00:00",
            "23",
        ] {
            assert!(since(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn weeks_begin_on_monday() {
        let week = |time: &str| By::Week.period(time.parse().expect("a time"));
        assert_eq!(week("2026-11-22T23:59:59Z"), "2026-W47");
        assert_eq!(week("2026-11-23T00:00:00Z"), "2026-W48");
        assert_eq!(week("2027-01-01T12:00:00Z"), "2026-W53");
    }
}
