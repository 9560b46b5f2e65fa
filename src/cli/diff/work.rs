//! One pair: both sides predicted, put into facts, compared, and grouped.

use std::collections::{BTreeSet, HashMap};

use super::groups::{self, Group};
use super::pairs::{Pair, Written};
use crate::convert::convert;
use crate::convert::finding::Finding;
use crate::convert::target::Target;
use crate::parity::compare::{Case, Difference, compare};
use crate::parity::predict::{self, Caveat, caveats, runtimes};
use crate::parity::{Facts, Shape, facts};

/// A pair and what came of it.
pub(super) struct Compared<'a> {
    /// The pair.
    pub pair: &'a Pair,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a pair.
pub(super) enum Outcome {
    /// There is no `TrainJob`, and why.
    Refused(Vec<Finding>),
    /// Both sides have pods.
    Pods(Pods),
}

/// Both sides' pods, compared.
pub(super) struct Pods {
    /// `ClusterTrainingRuntime torch-distributed`.
    pub runtime: String,
    /// How many pods there are under v1.
    pub v1: usize,
    /// How many there are under v2.
    pub v2: usize,
    /// Facts that are the same, over all ranks.
    pub equal: usize,
    /// Groups that nothing explains.
    pub undeclared: usize,
    /// Groups with a reason.
    pub declared: usize,
    /// All differences, by ranks that differ in the same way: first those that nothing explains.
    pub groups: Vec<Group>,
    /// Why a `TrainJob` that somebody wrote may have other pods than these.
    pub caveats: Vec<Caveat>,
    /// Whether a conversion would have none of the undeclared differences of a `TrainJob` that somebody wrote.
    pub can_be_equal: bool,
}

impl Compared<'_> {
    /// Whether the pods are equal but for declared differences, and sure to be those that there will be.
    pub(super) fn is_equal(&self) -> bool {
        matches!(&self.outcome, Outcome::Pods(pods) if pods.undeclared == 0 && pods.caveats.is_empty())
    }
}

/// Compares one pair.
pub(super) fn compared<'a>(pair: &'a Pair, target: &Target) -> Compared<'a> {
    let v1 = facts::of_v1(&predict::v1(&pair.job, target.gang));
    let outcome = match &pair.written {
        None => converted(pair, target, &v1).map_or_else(Outcome::Refused, |converted| {
            Outcome::Pods(pods(
                converted.runtime,
                &v1,
                &converted.v2,
                converted.differences,
            ))
        }),
        Some(written) => {
            let v2 = facts::of_v2(&predict::v2(
                &written.trainjob,
                &written.runtime,
                target.dialect,
            ));
            let mut differences = compare(&Case {
                v1: &v1,
                v2: &v2,
                findings: &[],
            });
            let converted = converted(pair, target, &v1);
            let reference =
                converted.map_or_else(|_| Vec::new(), |converted| converted.differences);
            excuse(&mut differences, &reference);
            let all_declared = reference
                .iter()
                .all(|difference| difference.declared.is_some());
            Outcome::Pods(Pods {
                can_be_equal: all_declared && !reference.is_empty(),
                caveats: caveats(&written.trainjob, &written.runtime, target.dialect),
                ..pods(runtime_of(written), &v1, &v2, differences)
            })
        }
    };
    Compared { pair, outcome }
}

/// What the conversion comes to.
struct Converted {
    runtime: String,
    v2: Shape,
    differences: Vec<Difference>,
}

fn converted(pair: &Pair, target: &Target, v1: &Shape) -> Result<Converted, Vec<Finding>> {
    let conversion = convert(&pair.job, target);
    let findings = conversion.ledger.findings;
    let Some(output) = conversion.output else {
        return Err(findings);
    };
    let name = &output.trainjob.spec.runtime_ref.name;
    let known = || runtimes::known(name, target.dialect).unwrap_or_default();
    let generated = output
        .runtime
        .as_ref()
        .map(|runtime| predict::v2(&output.trainjob, runtime, target.dialect));
    let objects =
        generated.unwrap_or_else(|| predict::v2(&output.trainjob, &known(), target.dialect));
    let v2 = facts::of_v2(&objects);
    let differences = compare(&Case {
        v1,
        v2: &v2,
        findings: &findings,
    });
    let kind = if output.runtime.is_some() {
        "generated TrainingRuntime"
    } else {
        "ClusterTrainingRuntime"
    };
    Ok(Converted {
        runtime: format!("{kind} {name}"),
        v2,
        differences,
    })
}

fn runtime_of(written: &Written) -> String {
    let text = |pointer| {
        written
            .runtime
            .pointer(pointer)
            .and_then(|value| value.as_str())
    };
    let (kind, name) = (text("/kind"), text("/metadata/name"));
    format!("{} {}", kind.unwrap_or_default(), name.unwrap_or_default())
}

/// Declares what trainshift's own conversion, in style exact, differs in just as well, and has announced: no `TrainJob` does
/// better.
fn excuse(differences: &mut [Difference], reference: &[Difference]) {
    let known: HashMap<_, _> = reference
        .iter()
        .map(|difference| ((difference.rank, difference.field.as_str()), difference))
        .collect();
    for difference in differences
        .iter_mut()
        .filter(|difference| difference.declared.is_none())
    {
        let same = known.get(&(difference.rank, difference.field.as_str()));
        let same = same.filter(|same| same.v1 == difference.v1 && same.v2 == difference.v2);
        difference.declared = same.and_then(|same| same.declared);
    }
}

fn pods(runtime: String, v1: &Shape, v2: &Shape, differences: Vec<Difference>) -> Pods {
    let count = |shape: &Shape| {
        let pods = shape.pods.iter();
        pods.filter(|facts| facts.contains_key(facts::NAME)).count()
    };
    let equal = equal(v1, v2, &differences);
    let groups = groups::of(&groups::without_secrets(differences, [v1, v2]));
    let declared = groups
        .iter()
        .filter(|group| group.declared.is_some())
        .count();
    Pods {
        runtime,
        v1: count(v1),
        v2: count(v2),
        equal,
        undeclared: groups.len() - declared,
        declared,
        groups,
        caveats: Vec::new(),
        can_be_equal: false,
    }
}

/// Facts that both sides have, and that are no difference.
fn equal(v1: &Shape, v2: &Shape, differences: &[Difference]) -> usize {
    let both = |a: &Facts, b: &Facts| a.keys().filter(|name| b.contains_key(*name)).count();
    let of_pods: usize = v1.pods.iter().zip(&v2.pods).map(|(a, b)| both(a, b)).sum();
    let differing: BTreeSet<_> = differences
        .iter()
        .filter(|difference| difference.v1.is_some() && difference.v2.is_some())
        .map(|difference| (difference.rank, &difference.field))
        .collect();
    both(&v1.job, &v2.job) + of_pods - differing.len()
}
