//! Answers for people: a row for each job, and with several times a column for each.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;

use super::Row;
use super::cases::Outcome;
use super::world::Answer;
use crate::cli::report::{counted, plain};
use crate::policy::judge::Excuse;
use crate::policy::{Decision, Rule};

const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const BOLD: Style = Style::new().bold();

/// Longest part of a text that is shown as what a case got.
const MOST_SHOWN: usize = 300;

/// The table, and with `verbose` what each client is told.
pub(super) fn text(rows: &[Row], verbose: bool) -> String {
    let Some(first) = rows.first() else {
        return String::new();
    };
    let times: Vec<_> = first.answers.iter().map(|(at, _)| *at).collect();
    let mut text = match times.as_slice() {
        [at] => format!("{BOLD}at {at}{BOLD:#}\n\n{}", columns(&at_once(rows, *at))),
        times => columns(&over_time(rows, times)),
    };
    if verbose {
        for row in rows {
            for (at, answer) in &row.answers {
                told(row, *at, answer, &mut text);
            }
        }
    }
    text.push('\n');
    for (index, at) in times.iter().enumerate() {
        let count = |decision| {
            let answers = rows.iter().filter_map(|row| row.answers.get(index));
            answers
                .filter(|(_, answer)| answer.decision == decision)
                .count()
        };
        let [denied, warned, admitted] =
            [Decision::Deny, Decision::Warn, Decision::Admit].map(count);
        let jobs = counted(rows.len(), "job");
        let _ = writeln!(
            text,
            "{jobs} at {at}: {denied} denied, {warned} warned, {admitted} admitted"
        );
    }
    text
}

fn at_once(rows: &[Row], at: Timestamp) -> Vec<Vec<String>> {
    let heads = [
        "NAMESPACE",
        "NAME",
        "POLICY",
        "MODE",
        "VERDICT",
        "DECISION",
        "EXCUSE",
        "NEXT",
    ];
    let mut table = vec![heads.map(str::to_owned).to_vec()];
    for row in rows {
        for (_, answer) in row.answers.iter().filter(|(time, _)| *time == at) {
            let rule = answer.ruling.as_ref().map(|ruling| &ruling.rule);
            let mode = rule.map(|rule| {
                let by = if rule.by_label { " (by label)" } else { "" };
                format!("{}{by}", rule.mode)
            });
            let next = rule.and_then(|rule| rule.next);
            let next = next.map(|(mode, from)| format!("{mode} from {from}"));
            table.push(
                [
                    Some(row.job.namespace().to_owned()),
                    Some(row.job.name()),
                    rule.map(Rule::name).map(str::to_owned),
                    mode,
                    answer.verdict.map(|verdict| verdict.as_str().to_owned()),
                    Some(decided(answer).to_owned()),
                    excuse(answer),
                    next,
                ]
                .map(Option::unwrap_or_default)
                .to_vec(),
            );
        }
    }
    table
}

fn over_time(rows: &[Row], times: &[Timestamp]) -> Vec<Vec<String>> {
    let mut heads = ["NAMESPACE", "NAME", "VERDICT"].map(str::to_owned).to_vec();
    heads.extend(times.iter().map(ToString::to_string));
    let mut table = vec![heads];
    for row in rows {
        // None of a change that nobody judges.
        let mut verdicts = row.answers.iter().filter_map(|(_, answer)| answer.verdict);
        let verdict = verdicts.next().map(|verdict| verdict.as_str().to_owned());
        let mut cells = vec![
            row.job.namespace().to_owned(),
            row.job.name(),
            verdict.unwrap_or_default(),
        ];
        cells.extend(row.answers.iter().map(|(_, answer)| {
            let rule = answer.ruling.as_ref().map(|ruling| &ruling.rule);
            let by = rule.map(Rule::name).map(str::to_owned);
            let why: Vec<_> = by.into_iter().chain(excuse(answer)).collect();
            format!("{} ({})", decided(answer), why.join(", "))
        }));
        table.push(cells);
    }
    table
}

fn decided(answer: &Answer) -> &'static str {
    match answer.decision {
        Decision::Admit => "admitted",
        Decision::Warn => "warned",
        Decision::Deny => "denied",
    }
}

fn excuse(answer: &Answer) -> Option<String> {
    let ruling = answer.ruling.as_ref()?;
    match (&ruling.excuse, &ruling.ended) {
        (Some(Excuse::Exemption(exemption)), _) => Some(format!("exemption {}", exemption.name)),
        (Some(Excuse::Bypass(_)), _) => Some("bypass".to_owned()),
        (None, Some(ended)) => Some(format!("exemption {} ended", ended.name)),
        (None, None) => None,
    }
}

fn told(row: &Row, at: Timestamp, answer: &Answer, text: &mut String) {
    let name = format!("{}/{}", row.job.namespace(), row.job.name());
    let _ = writeln!(
        text,
        "\n{BOLD}{}{BOLD:#} at {at}: {}",
        plain(&name),
        decided(answer)
    );
    for warning in &answer.warnings {
        let _ = writeln!(text, "  Warning: {}", plain(warning));
    }
    for line in answer.message.iter().flat_map(|message| message.lines()) {
        let _ = writeln!(text, "  {}", plain(line));
    }
    let failures = answer.ruling.iter().flat_map(|ruling| &ruling.failures);
    for failure in failures {
        let _ = writeln!(
            text,
            "  condition {} of policy {} failed, and so counts as true: {}",
            plain(&failure.condition),
            plain(&failure.policy),
            plain(&failure.error)
        );
    }
}

/// Columns that are as wide as they must be.
fn columns(table: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = table.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let mut text = String::new();
    for row in table {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let cell = match plain(cell) {
                cell if cell.is_empty() => "-".to_owned(),
                cell => cell,
            };
            let width = width(column) + 2;
            let _ = write!(line, "{cell:width$}");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The cases, and what is wrong with those that failed.
pub(super) fn cases(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        let name = plain(&format!("{}: {}", outcome.test, outcome.name));
        if outcome.passed() {
            let _ = writeln!(text, "{GREEN}ok{GREEN:#}      {name}");
            continue;
        }
        let place = format!(
            "{}:{}:{}",
            outcome.file, outcome.place.line, outcome.place.column
        );
        let _ = writeln!(text, "{RED}FAILED{RED:#}  {name}  ({})", plain(&place));
        for failure in &outcome.failures {
            let mut got: String = failure.got.chars().take(MOST_SHOWN).collect();
            if got.len() < failure.got.len() {
                got.push_str("...");
            }
            let got = got
                .lines()
                .map(plain)
                .collect::<Vec<_>>()
                .join("\n            ");
            let _ = writeln!(
                text,
                "        {}\n          expected {}\n          got      {got}",
                failure.field,
                plain(&failure.expected)
            );
        }
    }
    if !outcomes.is_empty() {
        let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
        let _ = writeln!(
            text,
            "{}: {} passed, {failed} failed",
            counted(outcomes.len(), "case"),
            outcomes.len() - failed
        );
    }
    text
}
