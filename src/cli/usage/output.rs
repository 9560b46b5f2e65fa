//! A report, and how it is written: for people, for machines, for spreadsheets.

mod csv;
mod json;
mod table;

use std::cmp::Reverse;

use clap::ValueEnum;

use super::count::{Count, Counts};
use super::facts::Facts;
use super::span::{By, Span};
use super::tally::{Field, Section, Tally};
use crate::cli::Io;

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Table,
    /// For machines: one JSON document
    Json,
    /// For spreadsheets: one table, RFC 4180
    Csv,
}

/// What a report is made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    /// Requests of an audit log.
    AuditLog,
    /// Jobs that exist.
    Jobs,
}

impl Source {
    /// Its name, which is part of the interface.
    fn name(self) -> &'static str {
        match self {
            Self::AuditLog => "auditLog",
            Self::Jobs => "jobs",
        }
    }

    /// What is counted.
    fn counts(self) -> &'static [Count] {
        match self {
            Self::AuditLog => Count::OF_REQUESTS,
            Self::Jobs => Count::OF_JOBS,
        }
    }
}

/// All that there is to say.
#[derive(Debug)]
pub(super) struct Report {
    /// What it is made of.
    pub(super) source: Source,
    /// The step of its periods.
    pub(super) by: By,
    /// What was asked for.
    pub(super) span: Span,
    /// The counts.
    pub(super) tally: Tally,
    /// What was read.
    pub(super) facts: Facts,
    /// What the counts can't tell.
    pub(super) notes: Vec<String>,
}

impl Report {
    /// Writes the report to stdout, and what can't be read to stderr.
    ///
    /// # Errors
    /// When writing fails.
    pub(super) fn print(&self, format: Format, top: usize, io: &mut Io<'_>) -> anyhow::Result<()> {
        match format {
            Format::Table => table::print(self, top, io)?,
            Format::Json => json::print(self, io)?,
            Format::Csv => csv::print(self, io)?,
        }
        self.facts.tell(io.err)?;
        if format == Format::Csv {
            for note in &self.notes {
                writeln!(io.err, "note: {note}")?;
            }
        }
        Ok(())
    }
}

/// The rows of a section: time in its order, all else by count, then by name.
fn sorted(section: &Section) -> Vec<(&Vec<String>, &Counts)> {
    let mut rows: Vec<_> = section.rows.iter().collect();
    let by_time = section.fields.first() == Some(&Field::Period);
    rows.sort_by(|(a, of_a), (b, of_b)| {
        let by_count = || Reverse(of_a.weight()).cmp(&Reverse(of_b.weight()));
        if by_time {
            a[0].cmp(&b[0]).then_with(by_count).then_with(|| a.cmp(b))
        } else {
            by_count().then_with(|| a.cmp(b))
        }
    });
    rows
}
