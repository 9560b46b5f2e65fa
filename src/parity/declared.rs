//! Why v1 and v2 may differ: a closed list, with a reason for each entry.
//!
//! An entry explains as little as it can. One with codes explains only what the conversion reported under one of them; one
//! without is what v2 is by nature, for every job alike. What no entry explains is a defect of the conversion.

mod change;
mod ending;
mod list;
mod place;
mod pod;
mod speaks;
mod unsaid;
mod variable;

use serde::{Serialize, Serializer};

use super::Facts;
use super::address::Addresses;
use super::compare::{Case, Difference};
use super::facts::RUNTIME;
use crate::api::meta::{CLUSTER_TRAINING_RUNTIME, SHIPPED_RUNTIME};
use crate::convert::finding::{Code, Finding};

pub use change::changes_nothing;
pub use list::DECLARED;
pub use speaks::speaks_of;

/// A difference that may be.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// What it is called in reports.
    pub name: &'static str,
    /// Why it may be, in a sentence or two.
    pub reason: &'static str,
    /// The codes of which the conversion must have reported one; none for what v2 is by nature.
    pub announced_by: &'static [Code],
    /// Codes that tell of it, though it needs no telling.
    pub told_by: &'static [Code],
    /// Whether a difference is this one.
    pub explains: fn(&Scene, &Difference) -> bool,
}

impl PartialEq for Declared {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Serialize for Declared {
    /// Its name, which is enough to look the rest up.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl Declared {
    /// Whether the difference is this one, and was announced if it must be.
    #[must_use]
    pub fn covers(&self, scene: &Scene, difference: &Difference) -> bool {
        let codes = self.announced_by;
        (codes.is_empty() || scene.reported(codes).next().is_some())
            && (self.explains)(scene, difference)
    }
}

/// Where a difference was found.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Everything that is compared.
    pub case: &'a Case<'a>,
    /// The pods' addresses.
    pub addresses: &'a Addresses<'a>,
    /// Whose facts these are.
    pub rank: Option<usize>,
    /// The facts of the same pod, or of the job, under v1.
    pub v1: &'a Facts,
    /// The same under v2.
    pub v2: &'a Facts,
}

impl Scene<'_> {
    /// What the conversion reported under one of `codes`.
    fn reported(&self, codes: &[Code]) -> impl Iterator<Item = &Finding> {
        let findings = self.case.findings.iter();
        findings.filter(|finding| codes.contains(&finding.code))
    }

    /// How v1 has the variable that resolves to the fact `name`, where it refers to others.
    fn written(&self, name: &str) -> Option<&str> {
        let Case { v1, .. } = self.case;
        v1.written.get(self.rank?)?.get(name)?.as_str()
    }

    /// Whether the job runs on a runtime of the cluster that isn't trainshift's: Trainer's own, with a torch policy.
    fn is_on_torch_policy(&self) -> bool {
        let runtime = self
            .case
            .v2
            .job
            .get(RUNTIME)
            .and_then(|runtime| runtime.as_str());
        let named = runtime.and_then(|runtime| runtime.split_once(' '));
        named
            .is_some_and(|(kind, name)| kind == CLUSTER_TRAINING_RUNTIME && name != SHIPPED_RUNTIME)
    }
}

#[cfg(test)]
mod tests;
