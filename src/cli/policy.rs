//! `trainshift policy`: what somebody who writes policies wants to know before he applies them.

mod check;
pub(super) mod files;
mod test;

use std::io::stdout;

use anstream::{AutoStream, ColorChoice, adapter};
use clap::Subcommand;
use jiff::Timestamp;

use super::Io;
use super::exit::Exit;
use super::input::time;

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Finds mistakes in files of MigrationPolicies, and ways round them
    ///
    /// Mistakes are errors, with line and column, and the exit code is 2: the file has no effect as it is. Warnings are about
    /// policies that work as they are written, and not as somebody may think: a Deny that can be left by editing a label, an
    /// exemption through which everybody goes, a policy that never counts. Each has a code that --explain explains, and with
    /// --strict the exit code is 1.
    ///
    /// With --output json, stdout is one document: `policies` (`name`, `file`, `line`), `errors` and `warnings`, each with
    /// `file`, `line`, `column`, `policy`, `field`, `message`; an error has a `hint` besides, a warning its `code`.
    #[command(verbatim_doc_comment)]
    Check(check::Args),
    /// Tells what policies would do with PyTorchJobs, and holds that against what a file expects
    ///
    /// Each job is sent, offline, through the very code of the webhook: the same decision, the same warnings and denials. Several
    /// --at show a whole migration. Namespaces have the labels of the Namespace objects that are found in any of the files.
    ///
    /// Files may hold objects of kind MigrationPolicyTest besides, whose cases say what is asked (`given`) and what must come of
    /// it (`expect`). Where there are any and no --jobs, they alone are run. The exit code is 1 when one of them fails.
    ///
    /// With --output json, stdout is one document: `answers` (`file`, `namespace`, `name`, and for each `at`: `policy`, `mode`,
    /// `since`, `next`, `verdict`, `decision`, `excuse`, `exemption`, `endedExemption`, `failedConditions`, `warnings`,
    /// `message`), `cases` (`file`, `line`, `test`, `name`, `passed`, `failures` with `field`, `expected`, `got`) and `errors`.
    #[command(verbatim_doc_comment)]
    Test(test::Args),
}

/// Runs the command.
pub(super) fn run(command: Command, io: &mut Io<'_>) -> anyhow::Result<Exit> {
    match command {
        Command::Check(args) => check::run(&args, io),
        Command::Test(args) => test::run(&args, io),
    }
}

/// Reads a time that was typed.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    time::parse(text)
}

/// Prints to stdout, in colours if somebody sees them.
fn print(text: &str, io: &mut Io<'_>) -> anyhow::Result<()> {
    if AutoStream::choice(&stdout()) == ColorChoice::Never {
        write!(io.out, "{}", adapter::strip_str(text))?;
    } else {
        io.out.write_all(text.as_bytes())?;
    }
    Ok(())
}
