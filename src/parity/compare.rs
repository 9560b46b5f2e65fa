//! Two shapes in, their differences out: each declared, with a reason, or not.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::address::Addresses;
use super::declared::{DECLARED, Declared, Scene, changes_nothing, speaks_of};
use super::facts::NAME;
use super::{Facts, Shape};
use crate::convert::finding::{Code, Finding};

/// What is compared.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What v1 makes of the job.
    pub v1: &'a Shape,
    /// What v2 makes of it.
    pub v2: &'a Shape,
    /// What the conversion reported; nothing for a `TrainJob` that a person wrote.
    pub findings: &'a [Finding],
}

/// One fact that isn't the same under v1 and v2.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Whose fact it is: a pod's, or the whole job's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// The fact's name.
    pub field: String,
    /// What it is under v1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub v1: Option<Value>,
    /// What it is under v2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub v2: Option<Value>,
    /// Why it may differ, if it may: by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<&'static Declared>,
}

impl Difference {
    /// The text that it is under v1, if it is one.
    #[must_use]
    pub fn v1_text(&self) -> Option<&str> {
        self.v1.as_ref().and_then(Value::as_str)
    }

    /// The text that it is under v2, if it is one.
    #[must_use]
    pub fn v2_text(&self) -> Option<&str> {
        self.v2.as_ref().and_then(Value::as_str)
    }
}

impl fmt::Display for Difference {
    /// `rank 1: containers[trainer].env[RANK]: "1" -> absent`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rank {
            Some(rank) => write!(f, "rank {rank}: ")?,
            None => write!(f, "job: ")?,
        }
        let value = |value: &Option<Value>| match value {
            Some(value) => value.to_string(),
            None => "absent".to_owned(),
        };
        write!(
            f,
            "{}: {} -> {}",
            self.field,
            value(&self.v1),
            value(&self.v2)
        )?;
        if self.v1 == self.v2 {
            write!(f, " (an address of v1, which v2 doesn't have)")?;
        }
        Ok(())
    }
}

/// Everything that differs, job first, then by rank, each in the order of names.
#[must_use]
pub fn compare(case: &Case) -> Vec<Difference> {
    let addresses = Addresses::new(case.v1, case.v2);
    let nothing = Facts::new();
    let mut scene = Scene {
        case,
        addresses: &addresses,
        rank: None,
        v1: &case.v1.job,
        v2: &case.v2.job,
    };
    let mut differences = Vec::new();
    facts(&scene, &mut differences);
    for rank in 0..case.v1.pods.len().max(case.v2.pods.len()) {
        scene.rank = Some(rank);
        scene.v1 = case.v1.pods.get(rank).unwrap_or(&nothing);
        scene.v2 = case.v2.pods.get(rank).unwrap_or(&nothing);
        facts(&scene, &mut differences);
    }
    differences
}

fn facts(scene: &Scene, differences: &mut Vec<Difference>) {
    let is_pod = |facts: &Facts| scene.rank.is_none() || facts.contains_key(NAME);
    let missing = is_pod(scene.v1) != is_pod(scene.v2);
    let names: BTreeSet<&String> = scene.v1.keys().chain(scene.v2.keys()).collect();
    for name in names {
        // Of a pod that isn't there, that is enough to know.
        if missing && name != NAME {
            continue;
        }
        let (v1, v2) = (scene.v1.get(name), scene.v2.get(name));
        let differs = match (v1, v2) {
            (Some(v1), Some(v2)) if v1 == v2 => {
                may_hold_addresses(name) && scene.addresses.has_v1(v1)
            }
            _ => true,
        };
        if differs {
            let mut difference = Difference {
                rank: scene.rank,
                field: name.clone(),
                v1: v1.cloned(),
                v2: v2.cloned(),
                declared: None,
            };
            difference.declared = DECLARED
                .iter()
                .find(|entry| entry.covers(scene, &difference));
            differences.push(difference);
        }
    }
}

/// Whether what stands there may be used as an address by what runs in the pod.
fn may_hold_addresses(name: &str) -> bool {
    const PLACES: [&str; 5] = ["].env[", "].command", "].args", "Probe.", "].lifecycle."];
    PLACES.iter().any(|place| name.contains(place))
}

/// Findings about something changed or lost that no difference bears out: either nothing changed, or what changed isn't
/// seen. Findings that change nothing at run time are none of them.
#[must_use]
pub fn unfounded<'f>(findings: &'f [Finding], differences: &[Difference]) -> Vec<&'f Finding> {
    let told: BTreeSet<Code> = differences
        .iter()
        .filter_map(|difference| difference.declared)
        .flat_map(|declared| declared.announced_by.iter().chain(declared.told_by))
        .copied()
        .collect();
    let is_founded = |finding: &Finding| {
        if finding.code == Code::RuntimeCannot {
            let mut fields = differences
                .iter()
                .map(|difference| difference.field.as_str());
            return fields.any(|field| speaks_of(finding, field));
        }
        told.contains(&finding.code)
    };
    let findings = findings.iter();
    findings
        .filter(|finding| changes_nothing(finding).is_none() && !is_founded(finding))
        .collect()
}

#[cfg(test)]
mod tests;
