//! `trainshift generate`: what an installation needs, on stdout.

mod crd;
mod rbac;
pub(super) mod review;
mod vap;
mod webhook;

use clap::{CommandFactory as _, Subcommand};
use clap_complete::Shell;

use super::exit::Exit;
use super::{Cli, Io, docs, output};
use crate::convert::runtime;

/// What to print.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The webhook configurations, which send PyTorchJobs to `trainshift serve`
    Webhook(webhook::Args),
    /// The ClusterTrainingRuntime that most converted jobs refer to; installed once in a cluster
    Runtimes,
    /// The CustomResourceDefinition of MigrationPolicy, to be installed before the first policy
    Crd,
    /// A ValidatingAdmissionPolicy that refuses what the MigrationPolicies deny when trainshift doesn't answer
    Vap(vap::Args),
    /// The rights of `trainshift serve` in a cluster, as a ClusterRole and its binding
    Rbac(rbac::Args),
    /// The AdmissionReview that the API server would send for a PyTorchJob, to try a policy or a server with
    Review(review::Args),
    /// A script that completes commands in a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// docs/cli.md
    #[command(hide = true)]
    CliDocs,
    /// docs/conversion.md
    #[command(hide = true)]
    ConversionDocs,
    /// docs/policy-fields.md
    #[command(hide = true)]
    PolicyDocs,
}

/// Runs the command.
///
/// # Errors
/// When its arguments, its files or its cluster can't be used.
pub(super) fn run(command: Command, io: &mut Io<'_>) -> Result<Exit, (Exit, anyhow::Error)> {
    match command {
        Command::Vap(args) => vap::run(&args, io),
        others => print(others, io).map_err(|error| (Exit::Usage, error)),
    }
}

fn print(command: Command, io: &mut Io<'_>) -> anyhow::Result<Exit> {
    match command {
        // It has errors of its own.
        Command::Vap(_) => {}
        Command::Webhook(args) => return webhook::run(&args, io),
        Command::Rbac(args) => return rbac::run(&args, io),
        Command::Review(args) => return review::run(&args, io),
        Command::Crd => io
            .out
            .write_all(output::yaml(&crd::definition())?.as_bytes())?,
        Command::Runtimes => io
            .out
            .write_all(output::yaml(&runtime::shipped())?.as_bytes())?,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "trainshift", &mut script);
            io.out.write_all(&script)?;
        }
        Command::CliDocs => io
            .out
            .write_all(docs::command_line::markdown().as_bytes())?,
        Command::PolicyDocs => io
            .out
            .write_all(docs::policy_fields::markdown()?.as_bytes())?,
        Command::ConversionDocs => io.out.write_all(docs::conversion::markdown()?.as_bytes())?,
    }
    Ok(Exit::Done)
}
