//! `trainshift policy test`: what policies would do, and whether that is what a file expects.
//!
//! ```text
//! policies, jobs, namespaces -> world (the webhook, offline, at a time) -> answers -> table or JSON
//! MigrationPolicyTest -> cases -> the same world -> expected beside got
//! ```

mod cases;
mod expect;
mod jobs;
mod json;
mod table;
mod world;

use std::path::PathBuf;

use anyhow::bail;
use clap::ValueEnum;
use jiff::Timestamp;

use super::{files, print};
use crate::api::meta::KUEUE_CONTROLLER;
use crate::cli::Io;
use crate::cli::cluster::GangScheduler;
use crate::cli::exit::Exit;
use crate::cli::report::plain;
use crate::cli::target::To;
use crate::convert::target::Target;
use crate::policy::Mode;

use cases::Outcome;
use jobs::Job;
use world::{Answer, Question, Settings, World};

/// Who asks where nobody says: a person whom no exemption can mean.
const SOMEBODY: &str = "somebody";

/// Arguments of `policy test`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Policies and MigrationPolicyTests: files, or directories to search for .yaml, .yml and .json; - for stdin
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// PyTorchJobs that somebody creates: a file or a directory; may be repeated
    #[arg(long, value_name = "PATH")]
    jobs: Vec<PathBuf>,
    /// File of MigrationPolicyTests, besides those beside the policies; may be repeated
    #[arg(long = "assert", value_name = "FILE")]
    asserts: Vec<PathBuf>,
    /// Who asks; a ServiceAccount is system:serviceaccount:NAMESPACE:NAME
    #[arg(long = "as", value_name = "USER", default_value = SOMEBODY)]
    user: String,
    /// A group of the user, besides those that the API server adds; may be repeated
    #[arg(long = "as-group", value_name = "GROUP")]
    groups: Vec<String>,
    /// When, such as 2027-02-01T00:00:00Z; may be repeated [default: now]
    #[arg(long, value_name = "TIME", value_parser = super::moment)]
    at: Vec<Timestamp>,
    /// What is asked for
    #[arg(long, value_enum, default_value_t)]
    operation: Operation,
    /// The jobs as they were, for an update: a file or a directory
    #[arg(long, value_name = "PATH")]
    old: Option<PathBuf>,
    /// Namespace objects, for their labels: a file or a directory, such as of kubectl get namespaces -o yaml
    #[arg(long, value_name = "PATH")]
    namespaces: Vec<PathBuf>,
    /// Namespace of jobs that name none
    #[arg(long, short, value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    /// What serve runs with as --mode
    #[arg(long, value_name = "audit|warn|deny", default_value = "audit")]
    default_mode: Mode,
    /// A user whose business it is to start jobs that wait in a queue, instead of Kueue's, as for serve; may be repeated
    #[arg(long, value_name = "USER", default_value = KUEUE_CONTROLLER)]
    queue_controller: Vec<String>,
    /// Version of Kubeflow Trainer; auto is the newest that is supported
    #[arg(long, value_enum, default_value_t)]
    to: To,
    /// What the v1 operator runs with as --gang-scheduler-name
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    gang_scheduler: GangScheduler,
    /// Print the warnings and denials as well
    #[arg(long, short)]
    verbose: bool,
    /// How it is printed
    #[arg(long, short, value_enum, default_value_t)]
    output: Output,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
enum Operation {
    /// New jobs
    #[default]
    Create,
    /// Changes of the jobs in --old
    Update,
}

/// How it is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
enum Output {
    /// For people
    #[default]
    Table,
    /// For machines: one JSON document
    Json,
}

/// A job and what comes of it at each time.
struct Row {
    job: Job,
    answers: Vec<(Timestamp, Answer)>,
}

/// Runs the command.
pub(super) fn run(args: &Args, io: &mut Io<'_>) -> anyhow::Result<Exit> {
    if args.old.is_some() != (args.operation == Operation::Update) {
        bail!("--old and --operation update go together");
    }
    let mut contents = files::contents(&[args.paths.clone(), args.asserts.clone()].concat());
    let mut faults = std::mem::take(&mut contents.faults);
    let (jobs, found) = jobs::read(&args.jobs, &mut faults);
    let (old, _) = jobs::read(args.old.as_slice(), &mut faults);
    let given = jobs::namespaces(&args.namespaces, &mut faults);
    let suites = cases::read(&contents, &args.namespace, &mut faults);
    if args.jobs.is_empty() && suites.is_empty() && faults.is_empty() {
        bail!(
            "there is nothing to ask: give PyTorchJobs by --jobs, or a MigrationPolicyTest among the files or by --assert"
        );
    }
    let namespaces = contents.others.iter().map(|other| &other.value);
    let namespaces = namespaces.chain(&found).chain(&given);
    let world = World::new(&contents, namespaces, settings(args))?;
    let mut rows = Vec::new();
    let mut outcomes = Vec::new();
    if faults.is_empty() {
        rows = ask(args, &world, jobs, &old)?;
        for suite in &suites {
            outcomes.extend(suite.run(&world)?);
        }
    }
    match args.output {
        Output::Json => writeln!(io.out, "{:#}", json::document(&rows, &outcomes, &faults))?,
        Output::Table => {
            for fault in &faults {
                writeln!(io.err, "error: {}", plain(&fault.to_string()))?;
            }
            print(&table::text(&rows, args.verbose), io)?;
            print(&table::cases(&outcomes), io)?;
        }
    }
    Ok(if !faults.is_empty() {
        Exit::Usage
    } else if outcomes.iter().all(Outcome::passed) {
        Exit::Done
    } else {
        Exit::Refused
    })
}

fn settings(args: &Args) -> Settings {
    Settings {
        default: args.default_mode,
        queue_controllers: args.queue_controller.clone(),
        target: Target {
            dialect: args.to.dialect().unwrap_or_default(),
            gang: args.gang_scheduler.meant(),
            ..Target::default()
        },
    }
}

/// What comes of each job at each time.
fn ask(args: &Args, world: &World, jobs: Vec<Job>, old: &[Job]) -> anyhow::Result<Vec<Row>> {
    let mut times = args.at.clone();
    times.sort_unstable();
    times.dedup();
    if times.is_empty() {
        times.push(Timestamp::now());
    }
    let mut rows = Vec::new();
    for job in jobs {
        let job = job.placed(&args.namespace);
        let before = match args.operation {
            Operation::Create => None,
            Operation::Update => Some(job.before(old, &args.namespace)?),
        };
        let mut answers = Vec::new();
        for at in &times {
            let question = Question {
                job: &job.value,
                old: before.as_ref(),
                scale: None,
                user: &args.user,
                groups: &args.groups,
                at: *at,
                namespace: None,
                default: args.default_mode,
                may_bypass: false,
                dry_run: false,
            };
            answers.push((*at, world.ask(&question)?));
        }
        rows.push(Row { job, answers });
    }
    Ok(rows)
}
