//! Where the pieces go, in order: objects to stdout or a tree, reports to stderr, verdicts into the exit code.

use std::io::Write;

use anstyle::AnsiColor;
use serde_json::value::RawValue;

use super::settings::Settings;
use super::work::{Done, Piece};
use crate::cli::Io;
use crate::cli::exit::Exit;
use crate::cli::input::Problem;
use crate::cli::input::files::Source;
use crate::cli::output::Stream;
use crate::cli::output::tree::Tree;
use crate::cli::report::{Document, Kind, Passed, Report, Tally, plain};

/// Takes the pieces of all sources.
pub(super) struct Sink<'a> {
    settings: &'a Settings,
    stdout: Stream<&'a mut dyn Write>,
    tree: Option<Tree>,
    err: &'a mut dyn Write,
    tally: Tally,
    exit: Exit,
    reports: Vec<Box<RawValue>>,
    passed: Vec<Passed>,
    problems: Vec<Problem>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(settings: &'a Settings, tree: Option<Tree>, io: &'a mut Io<'_>) -> Self {
        Self {
            settings,
            stdout: Stream::new(&mut *io.out, settings.format),
            tree,
            err: &mut *io.err,
            tally: Tally::default(),
            exit: Exit::Done,
            reports: Vec::new(),
            passed: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Takes the pieces of one source.
    pub(super) fn source(&mut self, source: &Source, pieces: Vec<Piece>) -> anyhow::Result<()> {
        let mut content = Vec::new();
        let mut file = self
            .tree
            .is_some()
            .then(|| Stream::new(&mut content, self.settings.format));
        for piece in pieces {
            let objects = match piece {
                Piece::Job(done) => self.done(&source.label, *done)?,
                Piece::Other { what, object } => {
                    self.other(&source.label, &what)?;
                    vec![object]
                }
                Piece::Problem(problem) => {
                    self.problem(problem)?;
                    Vec::new()
                }
            };
            for object in &objects {
                match &mut file {
                    Some(file) => file.push(object)?,
                    None => self.stdout.push(object)?,
                }
            }
        }
        let written = file.map_or(Ok(0), Stream::finish)?;
        match &self.tree {
            Some(tree) if written > 0 => tree.write(source, &content),
            _ => Ok(()),
        }
    }

    fn done(&mut self, file: &str, done: Done) -> anyhow::Result<Vec<String>> {
        self.tally.add(done.verdict);
        self.tally.shipped_runtime |= done.shipped_runtime;
        if done.verdict >= self.settings.fail_on {
            self.exit = self.exit.max(Exit::Refused);
        }
        match done.report {
            Some(Report::Text(text)) => self.err.write_all(text.as_bytes())?,
            Some(Report::Json(value)) => self.reports.push(value),
            None => {
                for refusal in done.refusals {
                    let name = plain(&done.name);
                    writeln!(self.err, "refused: {file}: {name}: {}", plain(&refusal))?;
                }
            }
        }
        Ok(done.objects)
    }

    fn other(&mut self, file: &str, what: &str) -> anyhow::Result<()> {
        self.tally.others += 1;
        match self.settings.report {
            Kind::Text => writeln!(self.err, "{file}: {} passed through", plain(what))?,
            Kind::Json => self.passed.push(Passed {
                file: file.to_owned(),
                object: what.to_owned(),
            }),
            Kind::None => {}
        }
        Ok(())
    }

    /// Takes something that can't be read: the rest goes on, but the exit code tells.
    pub(super) fn problem(&mut self, problem: Problem) -> anyhow::Result<()> {
        self.tally.problems += 1;
        self.exit = Exit::Usage;
        if self.settings.report == Kind::Json {
            self.problems.push(problem);
        } else {
            let red = AnsiColor::Red.on_default().bold();
            writeln!(self.err, "{red}error:{red:#} {}", problem_text(&problem))?;
        }
        Ok(())
    }

    /// Ends everything and says what it came to.
    pub(super) fn finish(self) -> anyhow::Result<Exit> {
        self.stdout.finish()?;
        match self.settings.report {
            Kind::Text => writeln!(self.err, "{}", self.tally)?,
            Kind::Json => {
                let report = Document {
                    jobs: self.reports,
                    passed_through: self.passed,
                    unreadable: self.problems,
                    summary: self.tally.into(),
                };
                serde_json::to_writer(&mut *self.err, &report)?;
                writeln!(self.err)?;
            }
            Kind::None if self.tally.refused > 0 || self.tally.problems > 0 => {
                writeln!(self.err, "{}", self.tally)?;
            }
            Kind::None => {}
        }
        Ok(self.exit)
    }
}

/// The problem without control characters, but for the line end before its hint.
fn problem_text(problem: &Problem) -> String {
    let text = problem.to_string();
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}
