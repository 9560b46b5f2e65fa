//! One condition of a policy's status.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::{Stored, condition};

/// Longest message of a condition, in characters.
pub(super) const MAX_MESSAGE: usize = 1024;
/// Most names that a message lists.
const MAX_NAMES: usize = 8;

/// One condition of the status.
pub(super) struct Finding {
    pub(super) kind: &'static str,
    /// `Unknown` where it is none.
    pub(super) holds: Option<bool>,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl Finding {
    pub(super) fn new(
        kind: &'static str,
        holds: bool,
        reason: &'static str,
        message: String,
    ) -> Self {
        Self {
            kind,
            holds: Some(holds),
            reason,
            message,
        }
    }

    /// As it is written, with the time of the last change of its status.
    pub(super) fn condition(self, now: Timestamp, stored: &Stored) -> Condition {
        let status = match self.holds {
            Some(true) => "True",
            Some(false) => "False",
            None => "Unknown",
        };
        let unchanged = condition(&stored.status, self.kind).filter(|known| known.status == status);
        // The API server keeps whole seconds.
        let begun = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Condition {
            type_: self.kind.to_owned(),
            status: status.to_owned(),
            reason: self.reason.to_owned(),
            message: cut(&self.message),
            last_transition_time: unchanged
                .map_or(Time(begun), |known| known.last_transition_time.clone()),
            observed_generation: stored.generation,
        }
    }
}

/// The first few names, and how many more there are.
pub(super) fn listed<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    let more = names.len().saturating_sub(MAX_NAMES);
    let shown: Vec<_> = names.take(MAX_NAMES).collect();
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

pub(super) fn cut(text: &str) -> String {
    text.chars().take(MAX_MESSAGE).collect()
}
