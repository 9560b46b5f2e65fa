//! Conditions that failed on requests: of each the last time, for a while.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::admission::{Clock, Observer, Summary};
use crate::policy::standing::{Noted, REMEMBERED};

/// Most conditions that are remembered.
const MAX_REMEMBERED: usize = 1024;

/// Policy and condition, by name.
type Key = (String, String);

/// Remembers the last failure of each condition.
pub struct Failures {
    clock: Clock,
    kept: Mutex<BTreeMap<Key, Noted>>,
}

impl Failures {
    /// Remembers by this clock.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            kept: Mutex::default(),
        }
    }

    /// Those that are young enough to count, in order.
    #[must_use]
    pub fn recent(&self, now: Timestamp) -> Vec<Noted> {
        let mut kept = self.lock();
        kept.retain(|_, noted| now.duration_since(noted.at).unsigned_abs() < REMEMBERED);
        kept.values().cloned().collect()
    }

    /// Forgets those of the policies of which `is_kept` says so.
    pub(super) fn keep(&self, is_kept: impl Fn(&str) -> bool) {
        self.lock().retain(|(policy, _), _| is_kept(policy));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Noted>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Failures {
    /// A dry run leaves no trace, and so no failure that would be written.
    fn answered(&self, summary: &Summary<'_>) {
        let (Some(request), Some(ruling)) = (summary.request, summary.ruling) else {
            return;
        };
        if ruling.failures.is_empty() || request.dry_run == Some(true) {
            return;
        }
        let at = (self.clock)();
        let mut kept = self.lock();
        for failure in &ruling.failures {
            let key = (failure.policy.clone(), failure.condition.clone());
            if kept.len() < MAX_REMEMBERED || kept.contains_key(&key) {
                let failure = failure.clone();
                kept.insert(key, Noted { failure, at });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::admission::{Door, Outcome};
    use crate::policy::ranked::Failure;
    use crate::policy::{Decision, Mode, Rule, Ruling};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn fail(failures: &Failures, condition: &str, error: &str, dry_run: bool) {
        let request =
            serde_json::from_value(json!({"uid": "1", "operation": "CREATE", "dryRun": dry_run}));
        let failure = Failure {
            policy: "research".to_owned(),
            condition: condition.to_owned(),
            error: error.to_owned(),
        };
        let ruling = Ruling {
            rule: Rule::built_in(Mode::Warn),
            decision: Decision::Warn,
            excuse: None,
            ended: None,
            failures: vec![failure],
        };
        failures.answered(&Summary {
            door: Door::Validate,
            request: Some(&request.unwrap()),
            ruling: Some(&ruling),
            conversion: None,
            outcome: Outcome::Warned,
            took: Duration::ZERO,
        });
    }

    #[test]
    fn the_last_failure_of_each_condition_is_kept_for_a_while() {
        let failures = Failures::new(Arc::new(|| NOW));
        fail(&failures, "big", "first", false);
        fail(&failures, "big", "second", false);
        fail(&failures, "odd", "dry", true);
        let errors: Vec<_> = failures
            .recent(NOW)
            .into_iter()
            .map(|noted| noted.failure.error)
            .collect();
        assert_eq!(errors, ["second"]);
        assert!(failures.recent(NOW + REMEMBERED).is_empty());
    }

    #[test]
    fn only_so_many_are_kept() {
        let failures = Failures::new(Arc::new(|| NOW));
        for number in 0..2 * MAX_REMEMBERED {
            fail(&failures, &number.to_string(), "error", false);
        }
        assert_eq!(failures.recent(NOW).len(), MAX_REMEMBERED);
    }
}
