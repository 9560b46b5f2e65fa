//! `trainshift diff`: the pods of PyTorchJobs beside those of their TrainJobs, by pure code.
//!
//! ```text
//! paths -> pairs (a job, and the TrainJob that it becomes or that somebody wrote) -> work (predict, facts, compare)
//!       -> groups (ranks that differ in the same way) -> text or JSON
//! ```

mod groups;
mod json;
mod names;
mod objects;
mod pairs;
mod text;
mod work;

use std::path::PathBuf;

use anyhow::bail;
use clap::ValueEnum;
use rayon::prelude::*;

use super::Io;
use super::exit::Exit;
use super::target::TargetArgs;
use crate::parity::predict::runtimes;

use pairs::Input;

/// Arguments of `diff`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// PyTorchJobs: a file, a directory, or - for stdin
    v1: PathBuf,
    /// TrainJobs that somebody wrote, with their runtimes unless those are torch-distributed or trainshift-pytorch; without
    /// this, the PyTorchJobs are converted
    #[arg(conflicts_with_all = ["style", "layout", "runtime"])]
    v2: Option<PathBuf>,
    #[command(flatten)]
    target: TargetArgs,
    /// How the differences are printed
    #[arg(long, short, value_enum, default_value_t)]
    output: Output,
}

/// How the differences are printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
enum Output {
    /// For people
    #[default]
    Text,
    /// For machines: one JSON document
    Json,
}

/// Runs the command.
pub(super) fn run(args: &Args, io: &mut Io<'_>) -> anyhow::Result<Exit> {
    let target = args.target.target();
    if args
        .v2
        .as_ref()
        .is_some_and(|v2| *v2 == args.v1 && v2.as_os_str() == "-")
    {
        bail!("stdin can be read once: give one of the two as a file");
    }
    if let Some(name) = &target.runtime
        && runtimes::known(name, target.dialect).is_none()
    {
        bail!(
            "--runtime {name:?} is unknown; known: {}. Give the TrainJob and its runtime in a second file instead",
            runtimes::KNOWN.join(", ")
        );
    }
    let input = Input::read(&args.v1, args.v2.as_deref(), &target);
    let jobs: Vec<_> = input
        .pairs
        .par_iter()
        .map(|pair| work::compared(pair, &target))
        .collect();
    let unpaired = !input.unpaired.is_empty();
    match args.output {
        Output::Text => text::print(&jobs, &input, io)?,
        Output::Json => json::print(&jobs, &input, &target, io)?,
    }
    let is_unequal = |job: &work::Compared<'_>| !job.is_equal();
    Ok(if !input.problems.is_empty() || input.pairs.is_empty() {
        Exit::Usage
    } else if unpaired || jobs.iter().any(is_unequal) {
        Exit::Refused
    } else {
        Exit::Done
    })
}
