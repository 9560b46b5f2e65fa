//! What happens to jobs, and how they stand afterwards.

mod endings;
mod failures;

use super::scenario::Scenario;

/// All scenarios.
pub(super) fn scenarios() -> Vec<Scenario> {
    [endings::scenarios(), failures::scenarios()].concat()
}
