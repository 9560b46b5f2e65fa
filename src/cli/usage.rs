//! `trainshift report`: who still uses v1, by the API server's audit log or by the jobs that exist.
//!
//! ```text
//! log (lines) -> requests (entry of an event) -> tally -> output (table, json, csv)
//! input, live -> jobs     (entry of a job)    ->
//! ```
//!
//! Nothing here decides or judges: with an audit log, verdicts are those that trainshift noted at that time.

mod count;
mod facts;
mod jobs;
mod live;
mod log;
mod output;
mod progress;
mod requests;
mod span;
mod tally;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::ArgGroup;
use jiff::Timestamp;
use rayon::prelude::*;

use super::Io;
use super::exit::Exit;
use super::input::{self, Object, Problem, files, split};
use crate::api::pytorchjob::PyTorchJob;
use crate::discovery::{self, Connection};

use facts::Facts;
use jobs::View;
use log::Log;
use output::{Format, Report, Source};
use progress::Progress;
use span::{By, Span};
use tally::{Entry, Field, Tally};

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("source").required(true).multiple(false).args(["paths", "audit_log", "live"])))]
pub(super) struct Args {
    /// Dumps of PyTorchJobs: files, directories to search for .yaml, .yml and .json, or - for stdin
    paths: Vec<PathBuf>,
    /// Audit logs of the API server, rotated ones too, in any order; - for stdin
    #[arg(long, value_name = "FILE", num_args = 1..)]
    audit_log: Vec<PathBuf>,
    /// The PyTorchJobs that the cluster has now
    #[arg(long)]
    live: bool,
    /// Kubeconfig of the cluster
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "audit_log"])]
    kubeconfig: Option<PathBuf>,
    /// A context of the kubeconfig
    #[arg(long, value_name = "NAME", conflicts_with_all = ["paths", "audit_log"])]
    context: Option<String>,
    /// Only this namespace; without it, all
    #[arg(long, short, conflicts_with_all = ["paths", "audit_log"])]
    namespace: Option<String>,
    /// Label or annotation of PyTorchJobs that says who made them, if your platform sets one
    #[arg(long, value_name = "KEY", conflicts_with = "audit_log")]
    creator: Option<String>,
    /// Steps of time
    #[arg(long, value_enum, default_value_t)]
    by: By,
    /// Leave out what is before this time, or before this date in UTC
    #[arg(long, value_name = "TIME", value_parser = span::since)]
    since: Option<Timestamp>,
    /// Leave out what is at this time or later, or after this date in UTC
    #[arg(long, value_name = "TIME", value_parser = span::until)]
    until: Option<Timestamp>,
    /// Rows of each table, the rest together as one; 0 for all. JSON and CSV have all
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// How the report is written
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
}

/// Runs the command.
///
/// # Errors
/// When writing fails, or what was typed makes no sense.
pub(super) fn run(args: Args, io: &mut Io<'_>) -> anyhow::Result<Exit> {
    let span = Span {
        since: args.since,
        until: args.until,
    };
    if let (Some(since), Some(until)) = (span.since, span.until)
        && since >= until
    {
        bail!("--since {since} is not before --until {until}");
    }
    let (format, top) = (args.output, args.top);
    let report = if args.audit_log.is_empty() {
        match of_jobs(args, span) {
            Ok(report) => report,
            Err(error) => {
                writeln!(io.err, "error: {error:#}")?;
                return Ok(Exit::Cluster);
            }
        }
    } else {
        of_requests(&args.audit_log, args.by, span)
    };
    report.print(format, top, io)?;
    Ok(if report.facts.unreadable > 0 {
        Exit::Usage
    } else {
        Exit::Done
    })
}

fn of_requests(paths: &[PathBuf], by: By, span: Span) -> Report {
    let mut log = Log::new(by, span);
    let mut progress = Progress::new(log::size(paths));
    for path in paths {
        log.file(path, &mut progress);
    }
    progress.finish();
    let notes = log.notes();
    Report {
        source: Source::AuditLog,
        by,
        span,
        tally: log.tally,
        facts: log.facts,
        notes,
    }
}

/// Jobs of files or of a cluster; an error is the cluster's.
fn of_jobs(args: Args, span: Span) -> anyhow::Result<Report> {
    let mut shelf = Shelf {
        view: View {
            by: args.by,
            creator: args.creator,
            ..View::default()
        },
        span,
        tally: Tally::new(jobs::SECTIONS),
        facts: Facts::default(),
    };
    let mut notes = Vec::new();
    if args.live {
        let connection = Connection {
            kubeconfig: args.kubeconfig,
            context: args.context,
        };
        notes = shelf.cluster(&connection, args.namespace.as_deref())?;
    } else {
        shelf.files(&args.paths);
    }
    let without_manager = shelf
        .tally
        .sections
        .iter()
        .any(|section| section.fields == [Field::Client] && section.rows.is_empty());
    if without_manager && !shelf.tally.total.is_empty() {
        notes.push("no job says by what client it was made: dump them with kubectl get --show-managed-fields".to_owned());
    }
    notes.extend(shelf.tally.notes());
    Ok(Report {
        source: Source::Jobs,
        by: args.by,
        span,
        tally: shelf.tally,
        facts: shelf.facts,
        notes,
    })
}

/// Where jobs are counted.
struct Shelf {
    view: View,
    span: Span,
    tally: Tally,
    facts: Facts,
}

impl Shelf {
    fn files(&mut self, paths: &[PathBuf]) {
        let (sources, problems) = files::sources(paths, None);
        for problem in problems {
            self.facts.unreadable(problem);
        }
        for source in &sources {
            self.facts.files += 1;
            let text = match source.read() {
                Ok(text) => text,
                Err(problem) => {
                    self.facts.unreadable(problem);
                    continue;
                }
            };
            let documents = split::documents(&text);
            let several = documents.len() > 1;
            let view = &self.view;
            let read: Vec<_> = documents
                .par_iter()
                .enumerate()
                .flat_map(|(index, document)| {
                    let number = several.then_some(index + 1);
                    input::objects(&source.label, document, number).into_par_iter()
                })
                .map(|object| match object? {
                    Object::Job(job, value) => Ok(Some(view.entry(&job, &value))),
                    Object::Other { .. } => Ok(None),
                })
                .collect();
            for entry in read {
                self.take(entry);
            }
        }
    }

    /// Gives what is to be noted.
    fn cluster(
        &mut self,
        connection: &Connection,
        namespace: Option<&str>,
    ) -> anyhow::Result<Vec<String>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listed = runtime.block_on(async {
            let client = discovery::connect(connection).await?;
            let (target, note) = live::target(&client).await;
            self.view.target = target;
            let known = live::jobs(&client, namespace, |value| {
                let read = serde_json::from_value::<PyTorchJob>(value.clone());
                let entry = read.map(|job| Some(self.view.entry(&job, &value)));
                self.take(entry.map_err(|error| {
                    let metadata = &value["metadata"];
                    let text = |key: &str| metadata[key].as_str().unwrap_or_default();
                    let name = format!("{}/{}", text("namespace"), text("name"));
                    Problem::of_file(&name, error.to_string())
                }));
            });
            anyhow::Ok((note, known.await.context("listing PyTorchJobs")?))
        });
        let (note, is_known) = listed.context("the cluster can't be asked")?;
        let unknown = "the cluster knows no PyTorchJob of kubeflow.org/v1".to_owned();
        Ok(note
            .into_iter()
            .chain((!is_known).then_some(unknown))
            .collect())
    }

    fn take(&mut self, entry: Result<Option<Entry>, Problem>) {
        match entry {
            Ok(Some(entry)) if self.span.holds(entry.at) => self.tally.add(&entry),
            Ok(Some(_)) => self.facts.outside += 1,
            Ok(None) => self.facts.others += 1,
            Err(problem) => self.facts.unreadable(problem),
        }
    }
}
