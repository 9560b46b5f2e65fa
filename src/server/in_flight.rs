//! How many requests are being answered: for a shutdown to wait for, and for a connection to know that it is idle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A count of requests. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlight {
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    now: AtomicUsize,
    begun: AtomicUsize,
}

/// One request is in flight for as long as this lives.
#[derive(Debug)]
pub(super) struct Flight {
    counts: Arc<Counts>,
}

impl InFlight {
    /// A request begins.
    pub(super) fn begin(&self) -> Flight {
        self.counts.now.fetch_add(1, Ordering::AcqRel);
        self.counts.begun.fetch_add(1, Ordering::AcqRel);
        Flight {
            counts: Arc::clone(&self.counts),
        }
    }

    /// How many have begun and not ended.
    pub(super) fn now(&self) -> usize {
        self.counts.now.load(Ordering::Acquire)
    }

    /// How many have begun since the start.
    pub(super) fn begun(&self) -> usize {
        self.counts.begun.load(Ordering::Acquire)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.counts.now.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_until_the_flight_is_dropped() {
        let all = InFlight::default();
        let first = all.clone().begin();
        let second = all.begin();
        assert_eq!((all.now(), all.begun()), (2, 2));
        drop(first);
        drop(second);
        assert_eq!((all.now(), all.begun()), (0, 2));
    }
}
