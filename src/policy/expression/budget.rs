//! What an evaluation may cost, counted in steps.

use super::EvaluationError;

/// Bytes of text that count as a step, when they are read or written once.
const BYTES_PER_STEP: usize = 16;
/// What a new text or list counts, beside its bytes or elements.
const STEPS_TO_MAKE: usize = 4;

/// The steps that are left.
pub(super) struct Budget(u64);

impl Budget {
    /// So many steps.
    pub(super) fn of(steps: u64) -> Self {
        Self(steps)
    }

    pub(super) fn left(&self) -> u64 {
        self.0
    }

    pub(super) fn step(&mut self) -> Result<(), EvaluationError> {
        self.spend(1)
    }

    /// Counts text that is read or written once.
    pub(super) fn read(&mut self, bytes: usize) -> Result<(), EvaluationError> {
        self.spend(bytes / BYTES_PER_STEP)
    }

    /// Counts a new text or list.
    pub(super) fn make(&mut self) -> Result<(), EvaluationError> {
        self.spend(STEPS_TO_MAKE)
    }

    pub(super) fn spend(&mut self, steps: usize) -> Result<(), EvaluationError> {
        let left = u64::try_from(steps)
            .ok()
            .and_then(|steps| self.0.checked_sub(steps));
        self.0 = left.unwrap_or_default();
        left.map(|_| ()).ok_or(EvaluationError::TooLarge)
    }
}
