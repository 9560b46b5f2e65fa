//! Readiness as a set of named parts, each with the reason why it isn't ready.
//!
//! What comes in: whoever is responsible for a part takes its handle ([`Readiness::part`]) and reports. What goes out:
//! one [`Report`] over all parts, which `/readyz` writes. A part begins as not ready, so that what was never started
//! can't be forgotten; no parts at all is not ready either.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Parts = BTreeMap<&'static str, State>;

/// All parts. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    parts: Arc<Mutex<Parts>>,
}

/// How one part is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    ready: bool,
    /// Why it isn't ready, or what an operator should know though it is.
    detail: Option<String>,
}

impl Readiness {
    /// Adds a part, not ready yet.
    #[must_use]
    pub fn part(&self, name: &'static str) -> Part {
        let part = Part {
            name,
            parts: Arc::clone(&self.parts),
        };
        part.unready("not started");
        part
    }

    /// How all parts are at this moment.
    #[must_use]
    pub fn report(&self) -> Report {
        Report {
            parts: lock(&self.parts).clone(),
        }
    }
}

/// The handle of one part, for whoever knows how it is.
#[derive(Debug)]
pub struct Part {
    name: &'static str,
    parts: Arc<Mutex<Parts>>,
}

impl Part {
    /// It works.
    pub fn ready(&self) {
        self.set(true, None);
    }

    /// It works, and there is something that an operator should know, such as a new file that could not be used.
    pub fn ready_but(&self, note: impl Into<String>) {
        self.set(true, Some(note.into()));
    }

    /// It doesn't work, and why.
    pub fn unready(&self, why: impl Into<String>) {
        self.set(false, Some(why.into()));
    }

    fn set(&self, ready: bool, detail: Option<String>) {
        lock(&self.parts).insert(self.name, State { ready, detail });
    }
}

/// How all parts were at one moment. Written out, it is what `/readyz` answers: `ok` or `not ready`, then a line a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    parts: Parts,
}

impl Report {
    /// Whether every part is ready, and there is one.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.parts.is_empty() && self.parts.values().all(|state| state.ready)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", if self.is_ready() { "ok" } else { "not ready" })?;
        for (name, State { ready, detail }) in &self.parts {
            let word = if *ready { "ok" } else { "not ready" };
            match detail {
                Some(detail) => writeln!(f, "{name}: {word}: {detail}")?,
                None => writeln!(f, "{name}: {word}")?,
            }
        }
        Ok(())
    }
}

/// A panic elsewhere while the lock was held leaves a whole map behind: every change is one insert.
fn lock(parts: &Mutex<Parts>) -> MutexGuard<'_, Parts> {
    parts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_not_ready_without_parts() {
        assert!(!Readiness::default().report().is_ready());
    }

    #[test]
    fn names_the_part_that_is_missing_and_why() {
        let readiness = Readiness::default();
        let tls = readiness.part("tls");
        let snapshot = readiness.part("snapshot");
        tls.ready();
        snapshot.unready("no answer from https://10.0.0.1");
        let report = readiness.report();
        assert!(!report.is_ready());
        assert_eq!(
            report.to_string(),
            "not ready\nsnapshot: not ready: no answer from https://10.0.0.1\ntls: ok\n"
        );
    }

    #[test]
    fn a_part_that_never_reports_is_not_ready() {
        let readiness = Readiness::default();
        let _forgotten = readiness.part("snapshot");
        assert_eq!(
            readiness.report().to_string(),
            "not ready\nsnapshot: not ready: not started\n"
        );
    }

    #[test]
    fn stays_ready_with_a_note() {
        let readiness = Readiness::default();
        let tls = readiness.part("tls");
        tls.ready_but("tls.crt on disk has expired; the one before is served");
        assert!(readiness.report().is_ready());
        assert!(
            readiness
                .report()
                .to_string()
                .contains("tls: ok: tls.crt on disk has expired")
        );
    }
}
