//! What was typed, turned into validated settings, turned into work.
//!
//! What comes in: the arguments of the process. What goes out: an [`Exit`] code, and one line on stderr when it isn't 0.
//! Each command is a module with the flags (what was typed), the settings (what they mean) and the work.

mod exit;
mod serve;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::Exit;

/// Moves a cluster from Kubeflow Training Operator v1 (PyTorchJob) to Kubeflow Trainer v2 (TrainJob).
#[derive(Debug, Parser)]
#[command(name = "trainshift", version, after_help = exit::HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Flags),
}

/// Does what `args` say; the first of them is the program's own name.
#[must_use]
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors to clap, and not to us.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            return if error.print().is_ok() {
                exit
            } else {
                Exit::Usage
            }
            .into();
        }
    };
    let done = match cli.command {
        Command::Serve(flags) => serve::run(flags),
    };
    match done {
        Ok(()) => Exit::Done,
        Err((exit, error)) => {
            complain(&error);
            exit
        }
    }
    .into()
}

/// One line: what was wrong, from the outside in.
fn complain(error: &anyhow::Error) {
    // Nobody is left to be told when stderr is gone.
    let _ = writeln!(io::stderr().lock(), "trainshift: {error:#}");
}
