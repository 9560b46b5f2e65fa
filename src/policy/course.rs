//! What one policy says to a requester, by date: its schedule, the namespace's wish and his exemption together.

use std::sync::Arc;

use jiff::Timestamp;

use super::exemption::is_in_force;
use super::judge::Request;
use super::{Mode, Policy};
use crate::api::policy::Exemption;

/// What one policy says to a requester over time.
pub(super) struct Course<'p> {
    pub(super) policy: &'p Arc<Policy>,
    /// What the namespace's own label asks for besides.
    wish: Option<Mode>,
    /// The one that covers him, whether or not it has ended.
    pub(super) exemption: Option<&'p Exemption>,
}

impl<'p> Course<'p> {
    /// Of `policy` to whoever makes `request`.
    pub(super) fn new(policy: &'p Arc<Policy>, wish: Option<Mode>, request: &Request<'_>) -> Self {
        Self {
            policy,
            wish,
            exemption: policy.exemptions.covering(request),
        }
    }

    /// Of somebody who is not excused.
    pub(super) fn asked(&self, time: Timestamp) -> Mode {
        let wish = self.wish.unwrap_or(Mode::Audit);
        self.policy.schedule.at(time).mode.max(wish)
    }

    /// An exemption is from Deny: whoever is excused is warned.
    pub(super) fn mode(&self, time: Timestamp) -> Mode {
        match self.exemption {
            Some(exemption) if is_in_force(exemption, time) => self.asked(time).min(Mode::Warn),
            _ => self.asked(time),
        }
    }

    /// The first time after `now` at which it is stricter than `mode`, and how strict.
    pub(super) fn stricter_than(&self, mode: Mode, now: Timestamp) -> Option<(Mode, Timestamp)> {
        let until = self.exemption.map(|exemption| exemption.until);
        let times = self.policy.schedule.beginnings(now);
        times
            .chain(until.filter(|until| *until > now))
            .map(|time| (self.mode(time), time))
            .filter(|(then, _)| *then > mode)
            .min_by_key(|(_, time)| *time)
    }
}
