//! What became of a field in one form, for one version of Trainer.

use crate::api::pytorchjob::PyTorchJob;
use crate::convert::finding::{Finding, Outcome};
use crate::convert::ledger::{Destination, Fate, Ledger, Line};
use crate::convert::target::{Dialect, GangScheduler};
use crate::convert::{Conversion, convert};

use super::probe::{Probe, below};
use super::{Form, by_dialect, code, place, told};

/// In place of what the shared runtime can't say.
pub(super) const OWN: &str = "*own runtime*";
/// In place of a fate that no rule gave: a defect, which a test finds.
pub(super) const NOBODY: &str = "nobody accounts for it";

/// The cell of a probe: where the field stands, or the findings that tell what became of it; then what else is found in
/// this job only because it has the field, and where.
pub(super) fn cell(probe: &Probe, form: Form, dialect: Dialect) -> String {
    let target = form.target(dialect, probe.gang);
    let conversion = convert(&probe.job, &target);
    if form == Form::Shared && has_own_runtime(&conversion) {
        return OWN.to_owned();
    }
    let mut parts = Vec::new();
    let mut add = |part: String| {
        if !parts.contains(&part) {
            parts.push(part);
        }
    };
    for (line, below) in fates(probe, &conversion.ledger) {
        match &line.fate {
            Fate::Kept(destination) => add(kept(destination, &below, &conversion)),
            Fate::Found(finding) => add(told(finding)),
            Fate::Unaccounted => add(NOBODY.to_owned()),
        }
    }
    let before = convert(&probe.without, &target).ledger.findings;
    for finding in &conversion.ledger.findings {
        let is_about_it = probe.paths.first() == Some(&finding.at);
        let is_old = |old: &Finding| (old.code, &old.at) == (finding.code, &finding.at);
        if is_about_it || finding.covers.iter().any(|field| probe.is_about(field)) {
            add(told(finding));
        } else if !before.iter().any(is_old) {
            add(format!("`{}`: {}", in_replica(&finding.at), told(finding)));
        }
    }
    parts.join("<br>")
}

/// The path without its replica type, which says nothing in a cell.
fn in_replica(path: &str) -> &str {
    let below = path.strip_prefix("spec.pytorchReplicaSpecs.");
    below
        .and_then(|path| Some(path.split_once('.')?.1))
        .unwrap_or(path)
}

/// The fates of the field's leaves, and what of each leaf's path is below the field. Replica types share their fate, so
/// that the first tells it.
fn fates<'l>(probe: &'l Probe, ledger: &'l Ledger) -> Vec<(Line<'l>, String)> {
    let lines = ledger.account(&probe.manifest).into_iter();
    let field = probe.paths.first();
    lines
        .filter_map(|line| {
            let below = below(&line.path, field?)?.to_owned();
            Some((line, below))
        })
        .collect()
}

/// Rows about what v1 does by itself: what it is, what v1 does, and a cell for each column.
pub(super) fn unasked(job: &PyTorchJob) -> Vec<String> {
    let conversion = |form: Form, dialect| convert(job, &form.target(dialect, GangScheduler::None));
    let is_unasked =
        |finding: &Finding| finding.covers.is_empty() && finding.outcome != Outcome::Refused;
    let mut seen: Vec<(String, Option<String>)> = Vec::new();
    for (dialect, form) in Dialect::ALL
        .into_iter()
        .flat_map(|dialect| Form::COLUMNS.map(|form| (dialect, form)))
    {
        for finding in conversion(form, dialect).ledger.findings {
            if is_unasked(&finding) && !seen.iter().any(|(at, _)| *at == finding.at) {
                seen.push((finding.at, finding.old));
            }
        }
    }
    let row = |(at, old): (String, Option<String>)| {
        let mut cells = vec![
            format!("`{at}`"),
            old.as_deref().map_or_else(String::new, code),
        ];
        cells.extend(Form::COLUMNS.map(|form| {
            by_dialect(|dialect| {
                let conversion = conversion(form, dialect);
                if form == Form::Shared && has_own_runtime(&conversion) {
                    return OWN.to_owned();
                }
                let findings = conversion.ledger.findings.iter();
                let here = findings.filter(|finding| {
                    finding.outcome == Outcome::Refused || (is_unasked(finding) && finding.at == at)
                });
                here.map(told).collect::<Vec<_>>().join("<br>")
            })
        }));
        cells.join(" | ")
    };
    seen.into_iter().map(row).collect()
}

fn has_own_runtime(conversion: &Conversion) -> bool {
    conversion
        .output
        .as_ref()
        .is_some_and(|output| output.runtime.is_some())
}

/// Where the field stands whose leaf at `below` was kept.
fn kept(destination: &Destination, below: &str, conversion: &Conversion) -> String {
    let field = match destination {
        Destination::TrainJob(path) => Destination::TrainJob(without(path, below)),
        Destination::Runtime(path) => Destination::Runtime(without(path, below)),
        Destination::Default => Destination::Default,
    };
    let place = conversion
        .output
        .as_ref()
        .and_then(|output| place::name(&field, output));
    place.map_or_else(|| "left out".to_owned(), |place| format!("`{place}`"))
}

fn without(path: &str, end: &str) -> String {
    path.strip_suffix(end).unwrap_or(path).to_owned()
}
