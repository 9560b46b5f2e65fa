//! The report for people: totals in words, then a table by each thing, the greatest first.
//!
//! ```text
//! PyTorchJob requests from 2026-11-23 18:46 to 2026-11-23 18:47 (UTC)
//!   12  requests: 10 creates, 1 change, 1 delete
//!    7  jobs created
//!   ...
//! by user
//!   user               creates  jobs  refused  first seen   last seen
//!   alice (via admin)        3     2        1  2026-11-23  2026-11-23
//! ```

mod totals;

use std::fmt::Write as _;
use std::io;

use anstream::{AutoStream, ColorChoice, adapter};
use anstyle::Style;
use jiff::Timestamp;
use jiff::tz::Offset;

use super::{Report, Source, sorted};
use crate::cli::Io;
use crate::cli::report::plain;
use crate::cli::usage::count::{Count, Counts};
use crate::cli::usage::span::By;
use crate::cli::usage::tally::{Field, Section};
use crate::convert::finding::Code;

const BOLD: Style = Style::new().bold();
const DIMMED: Style = Style::new().dimmed();
/// Longest name in a table, in characters.
const WIDEST: usize = 80;

/// Writes the report.
pub(super) fn print(report: &Report, top: usize, io: &mut Io<'_>) -> io::Result<()> {
    let mut text = String::new();
    totals::head(report, &mut text);
    if !report.tally.total.is_empty() {
        totals::numbers(report, &mut text);
        for section in &report.tally.sections {
            if let Some(table) = Table::of(report, section, top) {
                table.write(&mut text);
            }
        }
    }
    let left_out = report.facts.left_out();
    if left_out.is_some() || !report.notes.is_empty() {
        text.push('\n');
    }
    for line in left_out.iter().chain(&report.notes) {
        let _ = writeln!(text, "{DIMMED}{}{DIMMED:#}", plain(line));
    }
    if AutoStream::choice(&io::stdout()) == ColorChoice::Never {
        write!(io.out, "{}", adapter::strip_str(&text))
    } else {
        io.out.write_all(text.as_bytes())
    }
}

/// A section as text.
struct Table {
    title: String,
    heads: Vec<&'static str>,
    /// Columns before this one are names, those after numbers.
    names: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Nothing where there are no rows, or where people have no use for them.
    fn of(report: &Report, section: &Section, top: usize) -> Option<Self> {
        let field = *section.fields.first()?;
        if section.rows.is_empty() || section.fields.len() > 2 {
            return None;
        }
        let by_time = field == Field::Period;
        let by_finding = field == Field::Finding;
        let rows = sorted(section);
        let shown = if top == 0 {
            rows.len()
        } else {
            top.min(rows.len())
        };
        // Of time, the latest is what people look at.
        let (rest, rows) = if by_time {
            rows.split_at(rows.len() - shown)
        } else {
            let (rows, rest) = rows.split_at(shown);
            (rest, rows)
        };
        let mut rows: Vec<_> = rows
            .iter()
            .map(|(key, counts)| (name(section, key), (*counts).clone()))
            .collect();
        let mut other = section.beyond.clone();
        // Most requests have several findings: a sum over findings would count them more than once.
        for (_, counts) in rest.iter().filter(|_| !by_finding) {
            other.merge(counts);
        }
        if !rest.is_empty() || !other.is_empty() {
            let more = if section.beyond.is_empty() {
                ""
            } else {
                "at least "
            };
            let word = if by_time { "earlier" } else { "other" };
            let row = (format!("{word} ({more}{} more)", rest.len()), other);
            rows.insert(if by_time { 0 } else { rows.len() }, row);
        }
        let columns = columns(report.source, by_finding, &rows);
        let has_times = !by_time && rows.iter().any(|(_, counts)| counts.first.is_some());
        let title = if by_time {
            report.by.name()
        } else {
            field.name()
        };
        let mut heads = vec![title];
        heads.extend(columns.iter().map(|count| count.head()));
        heads.extend(
            has_times
                .then_some(["first seen", "last seen"])
                .into_iter()
                .flatten(),
        );
        heads.extend(by_finding.then_some("meaning"));
        let names = heads.len() - usize::from(by_finding);
        let cells = |(name, counts): &(String, Counts)| {
            let mut cells = vec![name.clone()];
            cells.extend(columns.iter().map(|count| number(counts.get(*count))));
            if has_times {
                cells.extend([counts.first, counts.last].map(|at| at.map(day).unwrap_or_default()));
            }
            cells.extend(by_finding.then(|| meaning(name).to_owned()));
            cells
        };
        Some(Self {
            title: format!("by {title}"),
            heads,
            names,
            rows: rows.iter().map(cells).collect(),
        })
    }

    fn write(&self, text: &mut String) {
        let _ = writeln!(text, "\n{BOLD}{}{BOLD:#}", self.title);
        let cells = self
            .rows
            .iter()
            .map(|row| row.iter().map(String::as_str).collect());
        let lines: Vec<Vec<&str>> = [self.heads.clone()].into_iter().chain(cells).collect();
        let width = |column: usize| {
            let widths = lines.iter().map(|line| line[column].chars().count());
            widths.max().unwrap_or_default()
        };
        let widths: Vec<_> = (0..self.heads.len()).map(width).collect();
        for (index, line) in lines.iter().enumerate() {
            let mut row = String::new();
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                let _ = match column {
                    0 => write!(row, "  {cell:<width$}"),
                    column if column < self.names => write!(row, "  {cell:>width$}"),
                    _ => write!(row, "  {cell}"),
                };
            }
            let style = if index == 0 { DIMMED } else { Style::new() };
            let _ = writeln!(text, "{style}{}{style:#}", row.trim_end());
        }
    }
}

/// What is counted in any row, and what always is.
fn columns(source: Source, by_finding: bool, rows: &[(String, Counts)]) -> Vec<Count> {
    const OF_REQUESTS: [Count; 10] = [
        Count::Creates,
        Count::Jobs,
        Count::Changes,
        Count::Deletes,
        Count::Refused,
        Count::Warned,
        Count::Exempted,
        Count::Bypassed,
        Count::Failed,
        Count::Unjudged,
    ];
    const ALWAYS: usize = 2;
    let (all, always) = match (source, by_finding) {
        (Source::AuditLog, true) => (&[Count::Requests, Count::Jobs][..], ALWAYS),
        (Source::Jobs, true) => (&[Count::Jobs][..], 1),
        (Source::AuditLog, false) => (&OF_REQUESTS[..], ALWAYS),
        (Source::Jobs, false) => (Count::OF_JOBS, 1),
    };
    let is_counted = |count: Count| rows.iter().any(|(_, counts)| counts.get(count) > 0);
    all.iter()
        .enumerate()
        .filter(|(index, count)| *index < always || is_counted(**count))
        .map(|(_, count)| *count)
        .collect()
}

/// `alice (via admin)`
fn name(section: &Section, key: &[String]) -> String {
    let mut name = match key[0].as_str() {
        "" => "(none)".to_owned(),
        name => plain(name),
    };
    if let (Some(Field::Via), Some(via)) = (section.fields.get(1), key.get(1))
        && !via.is_empty()
    {
        let _ = write!(name, " (via {})", plain(via));
    }
    match name.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}...", &name[..end]),
        None => name,
    }
}

fn meaning(code: &str) -> &'static str {
    let known = Code::ALL.iter().find(|known| known.as_str() == code);
    known.map_or("", |code| code.entry().title)
}

/// Zeros are what nobody looks for.
fn number(number: u64) -> String {
    match number {
        0 => "-".to_owned(),
        number => number.to_string(),
    }
}

fn day(at: Timestamp) -> String {
    By::Day.period(at)
}

fn minute(at: Timestamp) -> String {
    let time = Offset::UTC.to_datetime(at);
    time.strftime("%Y-%m-%d %H:%M").to_string()
}
