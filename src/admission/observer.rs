//! What is told of an answered request, for counting and reporting.

use std::sync::Arc;
use std::time::Duration;

use super::Door;
use crate::api::review::{Request, Response};
use crate::convert::Conversion;
use crate::policy::Ruling;

/// What came of a request, for counting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Admitted without a word.
    Allowed,
    /// Admitted with warnings.
    Warned,
    /// Refused.
    Denied,
    /// Nothing that could be judged.
    Bad,
}

/// One answered request.
#[derive(Debug)]
pub struct Summary<'a> {
    /// By which path.
    pub door: Door,
    /// What was asked; none for a body that is no review.
    pub request: Option<&'a Request>,
    /// What was decided, where anybody had to decide.
    pub ruling: Option<&'a Ruling>,
    /// What the conversion came to, where there was one.
    pub conversion: Option<&'a Conversion>,
    /// What was answered.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

impl Outcome {
    pub(super) fn of(response: &Response) -> Self {
        match (response.allowed, response.warnings.is_empty()) {
            (false, _) => Self::Denied,
            (true, false) => Self::Warned,
            (true, true) => Self::Allowed,
        }
    }
}

/// Told of every request that was answered.
pub trait Observer: Send + Sync {
    /// `summary` says what was asked and what came of it.
    fn answered(&self, summary: &Summary<'_>);
}

/// An observer that isn't interested.
impl Observer for () {
    fn answered(&self, _summary: &Summary<'_>) {}
}

impl<T: Observer + ?Sized> Observer for Arc<T> {
    fn answered(&self, summary: &Summary<'_>) {
        self.as_ref().answered(summary);
    }
}

/// Three that are told one after the other.
impl<A: Observer, B: Observer, C: Observer> Observer for (A, B, C) {
    fn answered(&self, summary: &Summary<'_>) {
        self.0.answered(summary);
        self.1.answered(summary);
        self.2.answered(summary);
    }
}
