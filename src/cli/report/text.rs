//! The report for people: what became of a job at one glance, then every field, grouped as it moved.
//!
//! ```text
//! research/mnist  adapted  train.yaml: 31 fields: 28 kept, 3 adapted
//!   adapted  TS014 spec.runPolicy.backoffLimit: unset (unlimited) -> 2147483647 (v1 retries without limit ...)
//!   kept     spec.pytorchReplicaSpecs.Worker.template (12 fields) -> spec.template of the TrainingRuntime
//!   routine  apiVersion, kind (TS029); metadata.uid (TS028)
//! ```

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{Job, counted, plain};
use crate::convert::Verdict;
use crate::convert::finding::{Code, Finding, Outcome};
use crate::convert::ledger::{Destination, Fate, Ledger, Line, Move};

/// Stands for a code where a rule is missing: no finding of the catalogue, but a defect.
pub(super) const UNACCOUNTED_CODE: &str = "TS000";
/// More routine fields than this are counted, not listed.
const MAX_LISTED: usize = 12;
const UNACCOUNTED: &str = "no rule for this field: a defect of trainshift, please report";
/// Where replica types stand, and a mark for one.
const REPLICAS: &str = "spec.pytorchReplicaSpecs.";
const ROLE: &str = "{}";

/// One job.
pub(super) fn job(job: &Job<'_>) -> String {
    let mut text = String::new();
    header(job, &mut text);
    let fields = by_finding(&job.lines);
    findings(job, &fields, &mut text);
    for line in job
        .lines
        .iter()
        .filter(|line| line.fate == Fate::Unaccounted)
    {
        entry(
            Outcome::Lost,
            &format!("{UNACCOUNTED_CODE} {} ({UNACCOUNTED})", line.path),
            &mut text,
        );
    }
    kept(job, &mut text);
    routine(job, &fields, &mut text);
    text
}

fn header(job: &Job<'_>, text: &mut String) {
    let outcomes = [
        Outcome::Kept,
        Outcome::Adapted,
        Outcome::Lost,
        Outcome::Refused,
    ];
    let counts: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| (job.count(outcome), outcome.as_str()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let bold = Style::new().bold();
    let verdict = job.verdict();
    let style = of_verdict(verdict).bold();
    let document = job
        .document
        .map_or_else(String::new, |number| format!(" document {number}"));
    let _ = writeln!(
        text,
        "{bold}{}{bold:#}  {style}{}{style:#}  {}{document}: {}: {}",
        plain(&job.name),
        verdict.as_str(),
        plain(job.file),
        counted(job.lines.len(), "field"),
        counts.join(", "),
    );
}

/// What somebody should read, worst first, each with the other fields that it tells the fate of.
fn findings(job: &Job<'_>, all: &Fields<'_>, text: &mut String) {
    for finding in job.conversion.notable() {
        entry(finding.outcome, &finding.to_string(), text);
        let fields = fields_of(finding, all);
        let others = |covered: &&String| {
            // What covers the whole object needs no words: the header says that it is refused.
            !covered.is_empty()
                && **covered != finding.at
                && fields.iter().any(|field| is_below(field, covered))
        };
        let others: Vec<_> = finding.covers.iter().filter(others).cloned().collect();
        if !others.is_empty() {
            let count = counted(fields.len(), "field");
            let message = format!("also {} ({count} in all)", listed(&others));
            line(Style::new().dimmed(), "", &message, text);
        }
    }
}

/// The leaves that each finding tells the fate of, by the finding's place in memory: asking every leaf again for every
/// finding would take minutes where there are thousands of both.
type Fields<'a> = HashMap<*const Finding, Vec<&'a str>>;

fn by_finding<'a>(lines: &'a [Line<'_>]) -> Fields<'a> {
    let mut fields = Fields::new();
    for line in lines {
        if let Fate::Found(finding) = line.fate {
            let of_finding = fields.entry(std::ptr::from_ref(finding)).or_default();
            of_finding.push(line.path.as_str());
        }
    }
    fields
}

fn fields_of<'f>(finding: &Finding, fields: &'f Fields<'f>) -> &'f [&'f str] {
    fields
        .get(&std::ptr::from_ref(finding))
        .map_or(&[], Vec::as_slice)
}

fn is_below(path: &str, from: &str) -> bool {
    path.strip_prefix(from)
        .is_some_and(|rest| from.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Paths with those that differ by their replica type only said once: `...{Master,Worker}.template`.
fn listed(paths: &[String]) -> String {
    let mut together: Vec<(String, Vec<&str>)> = Vec::new();
    for path in paths {
        let (pattern, role) = by_role(path);
        match together.iter_mut().find(|(known, _)| *known == pattern) {
            Some((_, roles)) => roles.extend(role),
            None => together.push((pattern, role.into_iter().collect())),
        }
    }
    let said = together
        .into_iter()
        .map(|(pattern, roles)| match roles.as_slice() {
            [] => pattern,
            [role] => pattern.replacen(ROLE, role, 1),
            roles => pattern.replacen(ROLE, &format!("{{{}}}", roles.join(",")), 1),
        });
    said.collect::<Vec<_>>().join(", ")
}

/// The path with a mark in place of its replica type, and that.
fn by_role(path: &str) -> (String, Option<&str>) {
    match path.strip_prefix(REPLICAS) {
        Some(rest) => {
            let end = rest.find('.').unwrap_or(rest.len());
            (
                format!("{REPLICAS}{ROLE}{}", &rest[end..]),
                Some(&rest[..end]),
            )
        }
        None => (path.to_owned(), None),
    }
}

/// Fields that stand unchanged, a line for each place that a subtree moved to.
fn kept(job: &Job<'_>, text: &mut String) {
    let mut groups: Vec<Group> = Vec::new();
    for line in &job.lines {
        let Fate::Kept(to) = &line.fate else { continue };
        let Some(carried) = carrier(&job.conversion.ledger, &line.path) else {
            continue;
        };
        let to = match to {
            Destination::TrainJob(path) if *path == line.path => {
                "TrainJob, at the same path".to_owned()
            }
            _ => place(&carried.to),
        };
        let group = match groups.iter_mut().position(|group| group.to == to) {
            Some(known) => &mut groups[known],
            None => groups.push_mut(Group {
                to,
                from: Vec::new(),
                fields: 0,
            }),
        };
        group.fields += 1;
        if !group.from.contains(&carried.from) {
            group.from.push(carried.from.clone());
        }
    }
    for Group { to, from, fields } in groups {
        let message = match fields {
            1 => format!("{} -> {to}", listed(&from)),
            _ => format!("{} ({fields} fields) -> {to}", listed(&from)),
        };
        entry(Outcome::Kept, &message, text);
    }
}

/// Subtrees that moved to one place.
struct Group {
    to: String,
    from: Vec<String>,
    fields: usize,
}

/// The most specific move that carried this leaf.
fn carrier<'a>(ledger: &'a Ledger, path: &str) -> Option<&'a Move> {
    // Of equal ones the first counts, as it does in the account.
    let carriers = ledger
        .moves
        .iter()
        .rev()
        .filter(|carried| is_below(path, &carried.from));
    carriers.max_by_key(|carried| carried.from.len())
}

fn place(to: &Destination) -> String {
    match to {
        Destination::TrainJob(path) => format!("TrainJob {path}"),
        Destination::Runtime(path) => format!("TrainingRuntime {path}"),
        Destination::Default => "v2's default says the same".to_owned(),
    }
}

/// What follows for every job alike, on one line.
fn routine(job: &Job<'_>, all: &Fields<'_>, text: &mut String) {
    let mut by_code: BTreeMap<Code, Vec<String>> = BTreeMap::new();
    for finding in job
        .conversion
        .ledger
        .findings
        .iter()
        .filter(|finding| finding.is_routine())
    {
        let mut fields: Vec<_> = fields_of(finding, all)
            .iter()
            .map(|field| (*field).to_owned())
            .collect();
        if fields.is_empty() {
            fields.push(finding.at.clone());
        }
        by_code.entry(finding.code).or_default().extend(fields);
    }
    let entries: Vec<_> = by_code
        .into_iter()
        .map(|(code, fields)| match fields.as_slice() {
            fields if fields.len() <= MAX_LISTED => format!("{} ({code})", listed(fields)),
            fields => format!(
                "{} below {} ({code})",
                counted(fields.len(), "field"),
                common(fields)
            ),
        })
        .collect();
    if !entries.is_empty() {
        line(Style::new().dimmed(), "routine", &entries.join("; "), text);
    }
}

/// The longest path that holds all of these.
fn common(fields: &[String]) -> &str {
    let Some((first, rest)) = fields.split_first() else {
        return "";
    };
    let mut common = first.as_str();
    while !rest.iter().all(|field| is_below(field, common)) {
        common = common.rfind(['.', '[']).map_or("", |end| &common[..end]);
    }
    common
}

fn entry(outcome: Outcome, message: &str, text: &mut String) {
    line(of_outcome(outcome), outcome.as_str(), message, text);
}

fn line(style: Style, word: &str, message: &str, text: &mut String) {
    let _ = writeln!(text, "  {style}{word:<8}{style:#} {}", plain(message));
}

fn of_outcome(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Kept => Style::new().dimmed(),
        Outcome::Adapted => of_verdict(Verdict::Adapted),
        Outcome::Lost => of_verdict(Verdict::Lossy),
        Outcome::Refused => of_verdict(Verdict::Refused),
    }
}

fn of_verdict(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::Exact => AnsiColor::Green,
        Verdict::Adapted => AnsiColor::Cyan,
        Verdict::Lossy => AnsiColor::Yellow,
        Verdict::Refused => AnsiColor::Red,
    };
    colour.on_default()
}
