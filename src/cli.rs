//! What was typed, turned into validated settings, turned into work.
//!
//! [`run`] reads the command line and calls the one module that does the command. A module's `Args` are what was
//! typed; it checks them, does its work through the writers of [`Io`], and answers with an [`Exit`]. Nothing here
//! knows a cluster, and no other module of the library imports this one.

mod cluster;
mod convert;
mod diff;
pub mod docs;
pub mod exit;
pub mod explain;
mod generate;
pub mod input;
pub mod output;
mod policy;
mod report;
mod serve;
mod target;
mod usage;

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anstream::AutoStream;
use clap::{Parser, Subcommand};

pub use exit::Exit;

/// Moves PyTorchJobs of Kubeflow Training Operator v1 to TrainJobs of Kubeflow Trainer v2.
///
/// No field is lost in silence: every one ends as kept, adapted, lost or refused, with a stable code that
/// `trainshift explain` explains.
///
#[derive(Debug, Parser)]
#[command(name = "trainshift", version, after_help = exit::HELP, disable_help_subcommand = true)]
struct Cli {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Flags),
    /// Converts files of PyTorchJobs: objects on stdout, a report of every field on stderr
    Convert(convert::Args),
    /// Compares the pods of PyTorchJobs with those of their TrainJobs, without a cluster
    ///
    /// The pods that Training Operator v1.9 would make stand beside those that Kubeflow Trainer would make: of the conversion
    /// of each job, or of TrainJobs that somebody wrote. What v2 does differently by nature, and what the conversion reports, is
    /// declared, with a reason; anything else is undeclared, and the exit code is 1. Of a TrainJob that somebody wrote, a
    /// difference is declared too if the conversion in style exact has, and reports, the very same. What that version of
    /// Trainer doesn't take as it is written, and what isn't predicted, is told as uncertain, and the exit code is 1 as well.
    ///
    /// With --output json, stdout is one document: `trainer` (the version), `jobs`, `reasons` (by the name of what is
    /// declared), `unpaired` and `unreadable`. A job has `name`, `v1` and `v2` (file, kind, namespace, name; `v2` is null for a
    /// conversion), `verdict` (`equal` but for declared differences, `different`, `uncertain` where nothing but a caveat stands
    /// against equal, or `refused` with `findings`), `runtime`, `caveats` (`field`, `reason`, `taken_by`: the versions that take
    /// it), `pods`, `equal` (how many facts are, over all ranks), the counts `undeclared` and `declared`, and `differences`:
    /// `ranks` (such as `0-3,5`; null for the job as a whole), `field`, `v1` and `v2` (null where absent), `declared` (a name in `reasons`, or null),
    /// `pattern` (the values are JSON text in which `<rank>`, `<rank-1>` stand for numbers that grow with the rank) and
    /// `example` (each rank has values of its own, and these are those of the first). Undeclared differences come first.
    /// Values of variables that look like credentials are hidden.
    #[command(verbatim_doc_comment)]
    Diff(diff::Args),
    /// Explains a finding's code, or lists all codes
    Explain(explain::Args),
    /// Tells who still uses PyTorchJobs: by the API server's audit log, or by the jobs that exist
    ///
    /// With --audit-log, requests to create, change or delete PyTorchJobs are counted by who sent them (the impersonated user,
    /// with the real one behind), by namespace, client, finding and time, and by what trainshift answered: its audit
    /// annotations are in the log. A request without them is counted too, with the verdict `unknown`; what was carried out
    /// without a judgement, because trainshift did not answer or was not asked, is told as `unjudged`. A job counts once by its
    /// name, however often it was created. Dry runs, writes of a job's status, and events that an earlier file had (same audit
    /// ID, time, user and request) are left out. An audit policy of level Metadata, stage ResponseComplete, is enough. Logs may
    /// be of any size: memory is bounded by what is different, up to 100,000 rows of a list and 2,000,000 requests and names that
    /// are known again, and a note says where that was not enough. A line that can't be read is named, the rest is counted, and
    /// the exit code is 2. Of a compressed log, pipe it in: `zcat FILE | trainshift report --audit-log -`.
    ///
    /// With --live or PATH, jobs are counted by namespace, by the client that made them (the first manager of managedFields:
    /// `kubectl get pytorchjobs -A -o yaml --show-managed-fields`), by the kind of their owner, by state, and by what a
    /// conversion would come to.
    ///
    /// With --output json, stdout is one document: `schema` (`trainshift.dev/report/v1`), `source` (`auditLog` or `jobs`), `by`,
    /// `since`, `until` (the first moment after the span), `total`, a list for each of `users`, `namespaces`, `clients`,
    /// `owners` (jobs), `findings`, `periods` and `detail` (all of these together, but for findings), `beyondLimit` (what came
    /// after 100,000 rows of a list, by the list's name), `read` and `notes`. A row has the names that its list is told apart by
    /// (`user`, `via`, `namespace`, `client`, `owner`, `finding`, `period`; null where there is none), the counts, `firstSeen`
    /// and `lastSeen`. Counts of requests: `requests`, of these `creates`, `changes`, `deletes`; `jobs`; `refused`, `warned`,
    /// `exempted`, `bypassed`; `failed` (for another reason), of these `failedClosed` (trainshift did not answer); `unjudged`, of
    /// these `failedOpen`; and by verdict `verdictExact`, `verdictAdapted`, `verdictLossy`, `verdictRefused` (no TrainJob),
    /// `verdictUnreadable`, `verdictNone` (a change to which none belongs), `verdictUnknown`. Counts of jobs: `jobs`, `running`,
    /// `waiting`, `suspended`, `succeeded`, `jobFailed`, and the first four verdicts. CSV has the same rows in one table: `section`
    /// says which list, and a text that a spreadsheet would take for a formula begins with `'`.
    #[command(verbatim_doc_comment)]
    Report(usage::Args),
    /// Checks policies before they are applied, and tells what they would do
    #[command(subcommand)]
    Policy(policy::Command),
    /// Prints what an installation needs: webhook configurations, runtimes, reviews to try, completions
    #[command(subcommand)]
    Generate(generate::Command),
}

/// Where a command writes.
pub struct Io<'a> {
    /// Objects.
    pub out: &'a mut dyn Write,
    /// Reports, notes and errors.
    pub err: &'a mut dyn Write,
}

/// Runs one command of the process: `args` begin with the program's name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is all that can go wrong here.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            }
            .into();
        }
    };
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    // Buffered below as well: what takes colours out writes every piece between two of them by itself.
    let stderr: Box<dyn Write> = Box::new(BufWriter::with_capacity(1 << 16, io::stderr()));
    let choice = AutoStream::choice(&io::stderr());
    let mut err = BufWriter::with_capacity(1 << 16, AutoStream::new(stderr, choice));
    let done = dispatch(
        cli.command,
        &mut Io {
            out: &mut out,
            err: &mut err,
        },
    )
    .and_then(|exit| out.flush().map(|()| exit).map_err(unusable));
    let exit = done.unwrap_or_else(|(exit, error)| {
        if is_broken_pipe(&error) {
            return Exit::Done;
        }
        let _ = writeln!(err, "trainshift: {error:#}");
        exit
    });
    let _ = err.flush();
    exit.into()
}

fn dispatch(command: Command, io: &mut Io<'_>) -> Result<Exit, (Exit, anyhow::Error)> {
    match command {
        Command::Serve(flags) => serve::run(flags).map(|()| Exit::Done),
        Command::Convert(args) => convert::run(args, io).map_err(unusable),
        Command::Diff(args) => diff::run(&args, io).map_err(unusable),
        Command::Explain(args) => explain::run(&args, io).map_err(unusable),
        Command::Report(args) => usage::run(args, io).map_err(unusable),
        Command::Policy(command) => policy::run(command, io).map_err(unusable),
        Command::Generate(command) => generate::run(command, io),
    }
}

/// What can go wrong before any work is done, or in reading and writing files.
fn unusable(error: impl Into<anyhow::Error>) -> (Exit, anyhow::Error) {
    (Exit::Usage, error.into())
}

/// Whether the reader went away, as `head` does: no error of ours.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
