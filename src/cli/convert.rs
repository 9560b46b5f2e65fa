//! `trainshift convert`: what was typed, checked into [`Settings`], then the batches of the work.
//!
//! Sources are read and converted in parallel, a batch at a time, and written in order: objects to stdout or to a tree
//! of files, the report to stderr.

mod settings;
mod sink;
mod work;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anstyle::AnsiColor;
use clap::ValueEnum;
use indicatif::ProgressBar;
use rayon::prelude::*;

use super::Io;
use super::cluster::{self, ClusterArgs};
use super::exit::Exit;
use super::input::files;
use super::output::Format;
use super::output::tree::Tree;
use super::report::Kind;
use super::target::TargetArgs;

use settings::Settings;
use sink::Sink;

/// Sources that are held in memory at a time.
const BATCH: usize = 256;
/// How long a run may take before it shows how far it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// Arguments of `convert`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files, or directories to search for .yaml, .yml and .json; - or nothing for stdin
    paths: Vec<PathBuf>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// How objects are written
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
    /// Write a tree of files of the same shape below this directory, instead of stdout
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,
    /// Overwrite files that exist in --out-dir
    #[arg(long, requires = "out_dir")]
    force: bool,
    /// The report of every field, on stderr
    #[arg(long, value_enum, default_value_t)]
    report: Kind,
    /// From which verdict on the exit code is 1
    #[arg(long, value_enum, default_value_t, value_name = "VERDICT")]
    fail_on: FailOn,
}

/// The best verdict that fails.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum FailOn {
    /// A job has no TrainJob
    #[default]
    Refused,
    /// A field can't be said
    Lossy,
    /// A field is said in another way
    Adapted,
}

/// Runs the command.
pub(super) fn run(args: Args, io: &mut Io<'_>) -> anyhow::Result<Exit> {
    let (cluster, named) = (args.cluster.named(), args.target.dialect());
    let mut settings = Settings::new(args);
    if let Some(connection) = cluster {
        match cluster::ask(&connection, named, settings.target.clone()) {
            Ok(target) => settings.target = target,
            Err(error) => {
                writeln!(io.err, "error: {error:#}")?;
                return Ok(Exit::Cluster);
            }
        }
    }
    let tree = settings
        .out_dir
        .as_ref()
        .map(|root| Tree::new(root.clone(), settings.format));
    let (sources, problems) = files::sources(&settings.paths, settings.out_dir.as_deref());
    if let Some(tree) = &tree {
        let conflicts = tree.conflicts(&sources, settings.force);
        if !conflicts.is_empty() {
            report_conflicts(&conflicts, io)?;
            return Ok(Exit::Usage);
        }
    }
    let may_show_progress = settings.may_show_progress();
    let mut sink = Sink::new(&settings, tree, io);
    for problem in problems {
        sink.problem(problem)?;
    }
    let begun = Instant::now();
    let mut bar: Option<ProgressBar> = None;
    for (index, batch) in sources.chunks(BATCH).enumerate() {
        let done: Vec<_> = batch
            .par_iter()
            .map(|source| work::source(source, &settings))
            .collect();
        for (source, pieces) in batch.iter().zip(done) {
            sink.source(source, pieces)?;
        }
        if may_show_progress && begun.elapsed() > PATIENCE {
            bar.get_or_insert_with(|| ProgressBar::new(sources.len() as u64))
                .set_position((index * BATCH + batch.len()) as u64);
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    sink.finish()
}

fn report_conflicts(conflicts: &[String], io: &mut Io<'_>) -> anyhow::Result<()> {
    let red = AnsiColor::Red.on_default();
    writeln!(io.err, "{red}error:{red:#} nothing is written:")?;
    for conflict in conflicts {
        writeln!(io.err, "  {conflict}")?;
    }
    Ok(())
}
