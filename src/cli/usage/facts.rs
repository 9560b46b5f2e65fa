//! What was read, beside what was counted: how much, what was left out, and what could not be read.

use std::io::Write;

use anstyle::AnsiColor;
use serde::Serialize;

use crate::cli::input::Problem;
use crate::cli::report::plain;

/// Problems that are told one by one.
const MAX_PROBLEMS: usize = 5;

/// What was read.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facts {
    /// Files, stdin too.
    pub(super) files: usize,
    /// Lines that hold something: one event each, unless somebody laid them out otherwise.
    pub(super) lines: u64,
    /// Requests that were counted already, from another file.
    pub(super) duplicates: u64,
    /// What is before `--since` or after `--until`.
    pub(super) outside: u64,
    /// Requests that asked to store nothing.
    pub(super) dry_runs: u64,
    /// Writes to a job's status.
    pub(super) status_updates: u64,
    /// Objects that are no PyTorchJob.
    pub(super) others: u64,
    /// Lines, files or jobs that can't be read.
    pub(super) unreadable: u64,
    /// The first of them.
    pub(super) problems: Vec<Problem>,
}

impl Facts {
    /// Notes something that can't be read.
    pub(super) fn problem(&mut self, file: &str, line: Option<usize>, message: impl Into<String>) {
        self.unreadable(Problem {
            line,
            ..Problem::of_file(file, message)
        });
    }

    /// The same.
    pub(super) fn unreadable(&mut self, problem: Problem) {
        self.unreadable += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// Tells what can't be read: the first by name, the others by number.
    pub(super) fn tell(&self, err: &mut dyn Write) -> std::io::Result<()> {
        let red = AnsiColor::Red.on_default().bold();
        for problem in &self.problems {
            let lines: Vec<_> = problem.to_string().lines().map(plain).collect();
            writeln!(err, "{red}error:{red:#} {}", lines.join("\n"))?;
        }
        match self.unreadable - self.problems.len() as u64 {
            0 => Ok(()),
            more => writeln!(err, "{red}error:{red:#} and {more} more that can't be read"),
        }
    }

    /// One line: what was left out, and why.
    pub(super) fn left_out(&self) -> Option<String> {
        let said: Vec<_> = [
            (
                self.duplicates,
                "request read before",
                "requests read before",
            ),
            (self.dry_runs, "dry run", "dry runs"),
            (
                self.status_updates,
                "write of a status by a controller",
                "writes of a status by a controller",
            ),
            (
                self.others,
                "object of another kind",
                "objects of other kinds",
            ),
            (
                self.outside,
                "outside the time asked for",
                "outside the time asked for",
            ),
            (self.unreadable, "that can't be read", "that can't be read"),
        ]
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
        (!said.is_empty()).then(|| format!("left out: {}", said.join(", ")))
    }
}
