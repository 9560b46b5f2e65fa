//! Conversions broken on purpose, one way each: what compares must see it, and say which field it is.
//!
//! The rich golden case is converted, one thing in the result is dropped or changed, and the rest is as always: created
//! for real, and compared. A mutant that is admitted and not named is a hole in the comparison.

mod changed;
mod dropped;
mod resized;

use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use trainshift::convert::target::{Layout, Style};
use trainshift::parity::Shape;

use super::cases::{self, Case};
use super::run::{Parity, differences};
use super::side::{Made, Sent, State};

/// The golden case that has something to break of everything.
const RICH: &str = "everything-that-a-mutant-can-break";

/// What is done to the conversion.
#[derive(Clone)]
enum Break {
    /// The value at this pointer goes.
    Drop(String),
    /// The value at this pointer, there or not, becomes this one.
    Set(String, Value),
}

/// One way to break it.
#[derive(Clone)]
pub(super) struct Mutant {
    /// What is wrong with it.
    pub(super) name: &'static str,
    layout: Layout,
    broken: Break,
    /// The fact that must be named.
    pub(super) field: &'static str,
    /// How many pods it comes to.
    pods: usize,
}

/// All of them.
pub(super) fn all() -> Vec<Mutant> {
    let all = dropped::mutants().chain(changed::mutants());
    all.chain(resized::mutants()).collect()
}

/// Where a place is in what is sent: in the training container (`C`), the sidecar (`S`), the pod's spec (`P`) or metadata (`M`),
/// the Job (`J`), the TrainJob (`T`).
fn place(at: &str) -> String {
    let (what, rest) = at.split_at(1);
    let within = match what {
        "C" => format!("{POD}/spec/containers/0"),
        "S" => format!("{POD}/spec/containers/1"),
        "P" => format!("{POD}/spec"),
        "M" => format!("{POD}/metadata"),
        "J" => JOB.to_owned(),
        _ => "/trainjob/spec".to_owned(),
    };
    within + rest
}

/// A variable's source: the pod's annotation.
fn annotation(key: &str) -> Value {
    json!({ "fieldRef": { "fieldPath": format!("metadata.annotations['{key}']") } })
}

const JOB: &str = "/runtime/spec/template/spec/replicatedJobs/0/template/spec";
const POD: &str = "/runtime/spec/template/spec/replicatedJobs/0/template/spec/template";

fn mutant(name: &'static str, broken: Break, field: &'static str) -> Mutant {
    Mutant {
        name,
        layout: Layout::Auto,
        broken,
        field,
        pods: 3,
    }
}

impl Parity {
    /// Creates the mutant, and fails unless it is named.
    pub(super) fn catch(&self, mutant: &Mutant) -> Result<()> {
        // What v1 makes of the rich case is the same for all mutants.
        static V1: OnceLock<Result<Vec<Shape>, String>> = OnceLock::new();
        let case = rich()?;
        let v1 = V1.get_or_init(|| match self.v1(&case) {
            Ok(Made::Whole(shapes)) => Ok(shapes),
            Ok(Made::Refused(why)) => Err(why),
            Err(error) => Err(format!("{error:#}")),
        });
        let v1 = v1.as_ref().map_err(|why| anyhow::anyhow!("{why}"))?;
        let conversion = self.convert(&case, Style::Exact, mutant.layout)?;
        let output = conversion.output.as_ref().context("it is refused")?;
        let sent = mutant.applied(&Sent::of(output)?)?;
        let states = match mutant.pods {
            0 => vec![State::Suspended],
            pods => vec![State::Pods(pods)],
        };
        let v2 = match self.v2_in(&case, &sent, &states)? {
            Made::Whole(shapes) => shapes,
            Made::Refused(why) => bail!("the API server catches it before: {why}"),
        };
        let differences = differences(v1, &v2, &conversion.ledger.findings);
        let undeclared: Vec<String> = differences
            .iter()
            .filter(|difference| difference.declared.is_none())
            .map(ToString::to_string)
            .collect();
        let named = differences.iter().any(|difference| {
            difference.declared.is_none() && is_within(&difference.field, mutant.field)
        });
        ensure!(
            named,
            "nobody sees that {} differs; seen: {undeclared:#?}",
            mutant.field
        );
        Ok(())
    }
}

/// Whether a fact is the expected one, or part of it.
fn is_within(field: &str, expected: &str) -> bool {
    field
        .strip_prefix(expected)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', ' ']))
}

fn rich() -> Result<Case> {
    let mut golden = cases::golden()?.into_iter();
    golden.find(|case| case.name == RICH).context(RICH)
}

impl Mutant {
    fn applied(&self, sent: &Sent) -> Result<Sent> {
        let mut objects = json!({ "runtime": sent.runtime, "trainjob": sent.trainjob });
        let (Break::Drop(at) | Break::Set(at, _)) = &self.broken;
        let (parent, last) = at.rsplit_once('/').context("a pointer")?;
        let last = last.replace("~1", "/");
        let parent = objects
            .pointer_mut(parent)
            .with_context(|| format!("there is no {at} to break"))?;
        match (&self.broken, parent) {
            (Break::Drop(_), Value::Object(fields)) => {
                fields
                    .remove(&last)
                    .with_context(|| format!("there is no {at}"))?;
            }
            (Break::Drop(_), Value::Array(items)) => {
                let index: usize = last.parse()?;
                ensure!(index < items.len(), "there is no {at}");
                items.remove(index);
            }
            (Break::Set(_, value), Value::Array(items)) => {
                let index: usize = last.parse()?;
                *items
                    .get_mut(index)
                    .with_context(|| format!("there is no {at}"))? = value.clone();
            }
            (Break::Set(_, value), parent) => parent[last] = value.clone(),
            (Break::Drop(_), _) => bail!("there is no {at}"),
        }
        Ok(Sent {
            runtime: Some(objects["runtime"].take()),
            trainjob: objects["trainjob"].take(),
        })
    }
}
