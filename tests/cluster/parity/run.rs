//! One case on both sides, in every style and layout.

use std::collections::BTreeSet;
use std::sync::Mutex;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::Value;
use trainshift::api::meta::SERVER_FIELDS;
use trainshift::api::pytorchjob::PyTorchJob;
use trainshift::convert::dialect::Dialect;
use trainshift::convert::finding::{self, Finding};
use trainshift::convert::target::{Layout, Style};
use trainshift::convert::{Conversion, convert};
use trainshift::parity::compare::{self, Difference, unfounded};
use trainshift::parity::{Shape, facts};

use super::api::Api;
use super::cases::Case;
use super::gang::Gangs;
use super::random::Tally;
use super::seen::Outcome;
use super::side::{self, Made, Sent, State};

/// Differences that a message names; more of the same kind tell no more.
const NAMED: usize = 20;

/// Where cases run.
pub(super) struct Parity {
    pub(super) api: Api,
    pub(super) gangs: Gangs,
    pub(super) dialect: Dialect,
    pub(super) rows: Mutex<Vec<Row>>,
    pub(super) random: Mutex<Tally>,
}

/// What was seen of a case in one style and layout.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) case: String,
    pub(super) form: String,
    pub(super) outcome: Outcome,
    /// Names of all declared differences, those too that every job has.
    pub(super) differences: BTreeSet<&'static str>,
}

impl Parity {
    /// Compares a case in all its styles and layouts.
    pub(super) fn check(&self, case: &Case) -> Result<()> {
        let v1 = match self.v1(case)? {
            Made::Whole(shapes) => shapes,
            Made::Refused(why) => bail!("v1 refuses it: {why}"),
        };
        let mut done = Vec::new();
        let mut problems = Vec::new();
        let running = v1.last().context("a job is looked at")?;
        if let Err(error) = self.check_prediction_of_v1(case, running) {
            problems.push(format!("{error:#}"));
        }
        for (style, layout) in case.variants() {
            let conversion = self.convert(case, style, layout)?;
            if conversion.output.is_some() && done.contains(&conversion.output) {
                continue;
            }
            let form = form(style, layout);
            match self.judge(case, &v1, &conversion, style) {
                Ok((outcome, differences)) => self.record(Row {
                    case: case.name.clone(),
                    form,
                    outcome,
                    differences,
                })?,
                Err(error) => problems.push(format!("{form}: {error:#}")),
            }
            done.push(conversion.output);
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(anyhow!(problems.join("\n")))
        }
    }

    /// What the converter makes of a case.
    pub(super) fn convert(&self, case: &Case, style: Style, layout: Layout) -> Result<Conversion> {
        let job: PyTorchJob = serde_json::from_value(case.job.clone())?;
        Ok(convert(&job, &case.target(self.dialect, style, layout)?))
    }

    pub(super) fn judge(
        &self,
        case: &Case,
        v1: &[Shape],
        conversion: &Conversion,
        style: Style,
    ) -> Result<(Outcome, BTreeSet<&'static str>)> {
        let findings = &conversion.ledger.findings;
        let Some(output) = &conversion.output else {
            let codes: BTreeSet<String> = findings
                .iter()
                .filter(|finding| finding.outcome == finding::Outcome::Refused)
                .map(|finding| finding.code.to_string())
                .collect();
            ensure!(!codes.is_empty(), "refused without a reason");
            let codes = codes.into_iter().collect();
            return Ok((Outcome::Refused(codes), BTreeSet::new()));
        };
        let sent = Sent::of(output)?;
        let v2 = match self.v2(case, &sent)? {
            Made::Whole(shapes) => shapes,
            Made::Refused(why) => bail!("v2 refuses what it is converted to: {why}"),
        };
        let differences = differences(v1, &v2, findings);
        let undeclared: Vec<&Difference> = differences
            .iter()
            .filter(|difference| difference.declared.is_none())
            .collect();
        if !undeclared.is_empty() {
            let lines = undeclared.iter().take(NAMED).map(ToString::to_string);
            let lines: Vec<String> = lines.collect();
            bail!(
                "{} differences that are not declared:\n  {}",
                undeclared.len(),
                lines.join("\n  ")
            );
        }
        let empty = unfounded(findings, &differences);
        if case.is_example && style == Style::Idiomatic && !empty.is_empty() {
            let lines: Vec<String> = empty.iter().map(ToString::to_string).collect();
            bail!("findings without a difference:\n  {}", lines.join("\n  "));
        }
        let running = v2.last().context("a job is looked at")?;
        self.check_prediction_of_v2(case, &sent, running)?;
        let declared = differences
            .iter()
            .filter_map(|difference| difference.declared);
        let announced: BTreeSet<&str> = declared
            .clone()
            .filter(|declared| !declared.announced_by.is_empty())
            .map(|declared| declared.name)
            .collect();
        let announced = announced.into_iter().map(str::to_owned).collect();
        Ok((
            Outcome::Same(announced),
            declared.map(|declared| declared.name).collect(),
        ))
    }

    fn record(&self, row: Row) -> Result<()> {
        let rows = self.rows.lock();
        rows.map_err(|_| anyhow!("another case has panicked"))?
            .push(row);
        Ok(())
    }

    /// What v1 makes of a case: as it is created, and once more when it is resumed.
    pub(super) fn v1(&self, case: &Case) -> Result<Made<Vec<Shape>>> {
        let namespace = self.namespace(case)?;
        let made = side::v1(
            self.place(case, &namespace)?,
            &sendable(&case.job),
            &states(case),
        )?;
        Ok(made.map(|mut seen| {
            for stage in &mut seen {
                let names = names(case, &namespace, &stage.job);
                let objects = stage.pods.iter_mut().chain(&mut stage.pod_group);
                let objects = objects.chain([&mut stage.job]);
                objects.for_each(|object| rename_all(object, &names));
            }
            seen.iter().map(facts::of_v1).collect()
        }))
    }

    /// What v2 makes of what a case was converted to, likewise.
    pub(super) fn v2(&self, case: &Case, sent: &Sent) -> Result<Made<Vec<Shape>>> {
        self.v2_in(case, sent, &states(case))
    }

    /// What v2 makes of it in these states.
    pub(super) fn v2_in(
        &self,
        case: &Case,
        sent: &Sent,
        states: &[State],
    ) -> Result<Made<Vec<Shape>>> {
        let namespace = self.namespace(case)?;
        let mut place = self.place(case, &namespace)?;
        let runtime = sent.runtime.as_ref();
        if runtime.is_none_or(|runtime| runtime["spec"]["podGroupPolicy"].is_null()) {
            place.pod_groups = None;
        }
        let made = side::v2(place, sent, states)?;
        Ok(made.map(|mut seen| {
            for stage in &mut seen {
                let names = names(case, &namespace, &stage.job);
                let objects = stage.pods.iter_mut().chain(&mut stage.jobs);
                let objects = objects.chain(&mut stage.pod_group);
                let objects = objects.chain([&mut stage.job, &mut stage.jobset]);
                objects.for_each(|object| rename_all(object, &names));
            }
            seen.iter().map(facts::of_v2).collect()
        }))
    }
}

/// What differs at any stage.
pub(super) fn differences(v1: &[Shape], v2: &[Shape], findings: &[Finding]) -> Vec<Difference> {
    v1.iter()
        .zip(v2)
        .flat_map(|(v1, v2)| compare::compare(&compare::Case { v1, v2, findings }))
        .collect()
}

/// A suspended job is looked at twice.
fn states(case: &Case) -> Vec<State> {
    let running = State::Pods(case.pods());
    if case.is_suspended() {
        vec![State::Suspended, running]
    } else {
        vec![running]
    }
}

/// What is called otherwise only because each side has a namespace of its own, and a name that the API server made up.
pub(super) fn names(case: &Case, namespace: &str, job: &Value) -> Vec<(String, String)> {
    let mut names = vec![(namespace.to_owned(), case.namespace().to_owned())];
    let metadata = &job["metadata"];
    if let (Some(prefix), Some(name)) =
        (metadata["generateName"].as_str(), metadata["name"].as_str())
    {
        names.push((name.to_owned(), format!("{prefix}xxxxx")));
    }
    names
}

pub(super) fn rename_all(object: &mut Value, names: &[(String, String)]) {
    for (from, to) in names {
        rename(object, from, to);
    }
}

fn rename(object: &mut Value, from: &str, to: &str) {
    match object {
        Value::String(text) if text.contains(from) => *text = text.replace(from, to),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, from, to)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| rename(field, from, to)),
        _ => {}
    }
}

/// The job without what only the API server writes, and without the namespace that is written in it.
fn sendable(job: &Value) -> Value {
    let mut job = job.clone();
    if let Some(metadata) = job["metadata"].as_object_mut() {
        metadata.retain(|key, _| key != "namespace" && !SERVER_FIELDS.contains(&key.as_str()));
    }
    job
}

fn form(style: Style, layout: Layout) -> String {
    let style = match style {
        Style::Exact => "exact",
        Style::Idiomatic => "idiomatic",
    };
    match layout {
        Layout::Auto => style.to_owned(),
        Layout::One => format!("{style}, one"),
        Layout::Roles => format!("{style}, roles"),
    }
}
