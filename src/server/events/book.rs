//! What is to be written, counted by what is alike. Pure: both clocks are arguments.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::events::v1::EventSeries;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use tokio::time::Instant;

use super::{Event, News};

/// Most things that are counted at once.
pub(super) const MAX_ENTRIES: usize = 256;
/// How often one of them is written at most.
pub(super) const INTERVAL: Duration = Duration::from_mins(1);
/// How long after the last time it is one thing; what comes later begins a new Event.
pub(super) const SERIES: Duration = Duration::from_mins(10);

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    home: String,
    policy: String,
    reason: &'static str,
    by: String,
}

/// What happened, how often and when.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Of the Event.
    pub(super) name: String,
    pub(super) news: News,
    first: Timestamp,
    last: Timestamp,
    count: i32,
    /// The count that the API server has.
    written: Option<i32>,
    not_before: Instant,
    touched: Instant,
}

/// Something to write.
#[derive(Debug)]
pub(super) struct Write {
    /// Whether there is no such Event yet.
    pub(super) is_first: bool,
    pub(super) entry: Entry,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The API server has it.
    Written,
    /// It never will.
    Refused,
    /// The Event is gone, and is to be made anew.
    Gone,
}

/// Everything that is counted now.
#[derive(Debug)]
pub(super) struct Book {
    entries: HashMap<Key, Entry>,
    /// Makes names that no other replica makes.
    names: RandomState,
}

impl Book {
    pub(super) fn new() -> Self {
        Self {
            entries: HashMap::new(),
            names: RandomState::new(),
        }
    }

    /// Counts `news`; false where there is no room for one more thing.
    pub(super) fn note(&mut self, news: News, time: Timestamp, now: Instant) -> bool {
        let key = Key {
            home: news.regarding.home().to_owned(),
            policy: news.policy.clone(),
            reason: news.reason,
            by: news.by.clone(),
        };
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.count = entry.count.saturating_add(1);
            entry.last = time;
            entry.touched = now;
            return true;
        }
        if self.entries.len() >= MAX_ENTRIES {
            self.forget(now);
        }
        if self.entries.len() >= MAX_ENTRIES {
            return false;
        }
        let entry = Entry {
            name: self.name(&key, time),
            news,
            first: time,
            last: time,
            count: 1,
            written: None,
            not_before: now,
            touched: now,
        };
        self.entries.insert(key, entry);
        true
    }

    /// What has waited longest of all that may be written.
    pub(super) fn due(&self, now: Instant) -> Option<(Key, Write)> {
        let due = self
            .entries
            .iter()
            .filter(|(_, entry)| !entry.is_written() && entry.not_before <= now);
        let (key, entry) = due.min_by_key(|(_, entry)| entry.not_before)?;
        let write = Write {
            is_first: entry.written.is_none(),
            entry: entry.clone(),
        };
        Some((key.clone(), write))
    }

    /// Puts down what became of `write`.
    pub(super) fn written(&mut self, key: &Key, write: &Write, outcome: Outcome, now: Instant) {
        let name = self.name(key, write.entry.last);
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        entry.not_before = now + INTERVAL;
        match outcome {
            Outcome::Written | Outcome::Refused => entry.written = Some(write.entry.count),
            Outcome::Gone => {
                let before = entry.written.take().unwrap_or_default();
                entry.name = name;
                entry.count = (entry.count - before).max(1);
                entry.first = write.entry.last;
            }
        }
    }

    /// Forgets what has not happened for a while.
    pub(super) fn forget(&mut self, now: Instant) {
        self.entries.retain(|_, entry| {
            !entry.is_written() || now.saturating_duration_since(entry.touched) < SERIES
        });
    }

    fn name(&self, key: &Key, time: Timestamp) -> String {
        format!("trainshift.{:016x}", self.names.hash_one((key, time)))
    }
}

impl Entry {
    fn is_written(&self) -> bool {
        self.written == Some(self.count)
    }

    /// How often it was; none for once.
    pub(super) fn series(&self) -> Option<EventSeries> {
        (self.count > 1).then_some(EventSeries {
            count: self.count,
            last_observed_time: MicroTime(self.last),
        })
    }

    /// The Event, but for who reports it.
    pub(super) fn event(&self) -> Event {
        let news = &self.news;
        Event {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                namespace: Some(news.regarding.home().to_owned()),
                ..ObjectMeta::default()
            },
            action: Some("Judge".to_owned()),
            event_time: Some(MicroTime(self.first)),
            note: Some(bounded(&news.note)),
            reason: Some(news.reason.to_owned()),
            regarding: Some(news.regarding.reference()),
            series: self.series(),
            type_: Some(if news.is_warning { "Warning" } else { "Normal" }.to_owned()),
            ..Event::default()
        }
    }
}

/// At most the 1024 bytes that the API server takes (kubernetes v1.36.3 `NoteLengthLimit`), on one line.
fn bounded(note: &str) -> String {
    const MAX: usize = 1024;
    let end = note.floor_char_boundary(MAX);
    let kept = note.get(..end).unwrap_or_default();
    kept.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::super::Object;
    use super::*;

    const TIME: Timestamp = Timestamp::UNIX_EPOCH;

    fn news(by: &str) -> News {
        News {
            regarding: Object::namespace("research"),
            policy: "research".to_owned(),
            reason: "PyTorchJobRefused",
            is_warning: true,
            by: by.to_owned(),
            note: "refused\n\u{1b}[31m".to_owned() + &"ä".repeat(2000),
        }
    }

    /// The next write, as if it had succeeded.
    fn written(book: &mut Book, now: Instant) -> Option<Write> {
        let (key, write) = book.due(now)?;
        book.written(&key, &write, Outcome::Written, now);
        Some(write)
    }

    #[test]
    fn what_is_alike_is_written_at_once_and_then_once_a_minute() {
        let mut book = Book::new();
        let now = Instant::now();
        assert!(book.note(news("jane"), TIME, now));
        let first = written(&mut book, now).unwrap();
        assert!(first.is_first && first.entry.event().series.is_none());
        for second in 1..=100 {
            assert!(book.note(news("jane"), TIME + Duration::from_secs(second), now));
        }
        assert!(book.due(now + Duration::from_secs(59)).is_none());
        let next = written(&mut book, now + INTERVAL).unwrap();
        assert!(!next.is_first);
        assert_eq!(next.entry.name, first.entry.name);
        let series = next.entry.series().unwrap();
        assert_eq!(series.count, 101);
        assert_eq!(series.last_observed_time.0, TIME + Duration::from_secs(100));
        assert!(book.due(now + 10 * INTERVAL).is_none());
    }

    #[test]
    fn users_are_told_apart() {
        let mut book = Book::new();
        let now = Instant::now();
        book.note(news("jane"), TIME, now);
        book.note(news("john"), TIME, now);
        let names = [0, 1].map(|_| written(&mut book, now).unwrap().entry.name);
        assert_ne!(names[0], names[1]);
    }

    #[test]
    fn more_than_there_is_room_for_is_dropped_until_something_is_over() {
        let mut book = Book::new();
        let now = Instant::now();
        for number in 0..MAX_ENTRIES {
            assert!(book.note(news(&number.to_string()), TIME, now));
        }
        assert!(!book.note(news("one more"), TIME, now));
        assert!(book.note(news("0"), TIME, now), "what is known is counted");
        while written(&mut book, now).is_some() {}
        assert!(book.note(news("one more"), TIME, now + SERIES));
    }

    #[test]
    fn a_series_that_was_deleted_begins_anew() {
        let mut book = Book::new();
        let now = Instant::now();
        book.note(news("jane"), TIME, now);
        let first = written(&mut book, now).unwrap();
        book.note(news("jane"), TIME + INTERVAL, now);
        let (key, write) = book.due(now + INTERVAL).unwrap();
        book.written(&key, &write, Outcome::Gone, now + INTERVAL);
        let again = written(&mut book, now + 2 * INTERVAL).unwrap();
        assert!(again.is_first && again.entry.name != first.entry.name);
        assert_eq!(again.entry.event().series, None);
    }

    #[test]
    fn a_note_is_one_line_that_the_api_server_takes() {
        let mut book = Book::new();
        let now = Instant::now();
        book.note(news("jane"), TIME, now);
        let event = written(&mut book, now).unwrap().entry.event();
        let note = event.note.unwrap();
        assert!(note.len() <= 1024 && note.len() > 1000, "{}", note.len());
        assert!(!note.contains(char::is_control), "{note}");
    }
}
