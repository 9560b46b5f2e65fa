//! `trainshift policy check`: mistakes and warnings, by file.

mod explain;

use std::fmt::Write as _;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::files;
use crate::cli::Io;
use crate::cli::exit::Exit;
use crate::cli::generate::review;
use crate::cli::input::places::Place;
use crate::cli::input::policies::Contents;
use crate::cli::report::{counted, plain};
use crate::parity::predict::runtimes;
use crate::policy::Mode;
use crate::policy::advice::{self, Background, Code};

/// Arguments of `policy check`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Files, or directories to search for .yaml, .yml and .json; - or nothing for stdin
    paths: Vec<PathBuf>,
    /// End with 1 if there are warnings
    #[arg(long)]
    strict: bool,
    /// The time at which the policies are seen, such as 2027-02-01T00:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = super::moment)]
    at: Option<Timestamp>,
    /// What serve runs with as --mode
    #[arg(long, value_name = "audit|warn|deny", default_value = "audit")]
    default_mode: Mode,
    /// Explain the warnings' codes, and check nothing
    #[arg(long, conflicts_with_all = ["paths", "strict"])]
    explain: bool,
    /// How it is printed
    #[arg(long, short, value_enum, default_value_t)]
    output: Output,
}

/// How it is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
enum Output {
    /// For people
    #[default]
    Text,
    /// For machines: one JSON document
    Json,
    /// For docs/policy-checks.md
    #[value(hide = true)]
    Markdown,
}

/// A warning with its place.
#[derive(Serialize)]
struct Warning<'a> {
    code: Code,
    file: &'a str,
    #[serde(flatten)]
    place: Option<Place>,
    policy: &'a str,
    field: String,
    message: String,
}

/// Runs the command.
pub(super) fn run(args: &Args, io: &mut Io<'_>) -> anyhow::Result<Exit> {
    if args.explain {
        let text = match args.output {
            Output::Text => explain::text(),
            Output::Json => explain::json(),
            Output::Markdown => explain::markdown(),
        };
        io.out.write_all(text.as_bytes())?;
        return Ok(Exit::Done);
    }
    let contents = files::contents(&args.paths);
    let warnings = warnings(args, &contents);
    match args.output {
        Output::Json => json(&contents, &warnings, io)?,
        _ => text(&contents, &warnings, io)?,
    }
    let nothing = contents.policies.is_empty() && contents.faults.is_empty();
    if nothing {
        writeln!(io.err, "error: there is no MigrationPolicy in these files")?;
    }
    Ok(if nothing || !contents.faults.is_empty() {
        Exit::Usage
    } else if args.strict && !warnings.is_empty() {
        Exit::Refused
    } else {
        Exit::Done
    })
}

fn warnings<'a>(args: &Args, contents: &'a Contents) -> Vec<Warning<'a>> {
    let policies: Vec<_> = contents.policies.iter().map(|(policy, _)| policy).collect();
    let background = Background {
        default: args.default_mode,
        runtimes: &runtimes::KNOWN,
        job: &review::built_in(),
        now: args.at.unwrap_or_else(Timestamp::now),
    };
    let found = advice::of(&policies, &background).into_iter();
    let mut warnings: Vec<_> = found
        .filter_map(|advice| {
            let (_, written) = contents.policies.get(advice.policy)?;
            Some(Warning {
                code: advice.code,
                file: &written.file,
                place: written.place(&advice.field),
                policy: written.name(),
                field: advice.field,
                message: advice.message,
            })
        })
        .collect();
    warnings.sort_by(|one, other| {
        (one.file, one.place, one.code).cmp(&(other.file, other.place, other.code))
    });
    warnings
}

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

fn text(contents: &Contents, warnings: &[Warning<'_>], io: &mut Io<'_>) -> anyhow::Result<()> {
    let mut text = String::new();
    for fault in &contents.faults {
        let _ = writeln!(text, "{RED}error:{RED:#} {}", plain(&fault.to_string()));
    }
    for warning in warnings {
        let Place { line, column } = warning.place.unwrap_or_default();
        let Warning {
            code,
            file,
            policy,
            field,
            message,
            ..
        } = warning;
        let told = format!("{file}:{line}:{column}: policy {policy}: {field}: {message}");
        let _ = writeln!(text, "{YELLOW}warning {code}:{YELLOW:#} {}", plain(&told));
    }
    let explained = if warnings.is_empty() {
        ""
    } else {
        "; trainshift policy check --explain says what the codes mean"
    };
    let _ = writeln!(
        text,
        "{}, {}, {}{explained}",
        usable(contents.policies.len()),
        counted(contents.faults.len(), "error"),
        counted(warnings.len(), "warning"),
    );
    super::print(&text, io)
}

fn usable(count: usize) -> String {
    match count {
        1 => "1 policy without errors".to_owned(),
        count => format!("{count} policies without errors"),
    }
}

fn json(contents: &Contents, warnings: &[Warning<'_>], io: &mut Io<'_>) -> anyhow::Result<()> {
    let policies: Vec<_> = contents
        .policies
        .iter()
        .map(|(_, written)| {
            let line = written.place("metadata.name").map(|place| place.line);
            json!({"name": written.name(), "file": *written.file, "line": line})
        })
        .collect();
    let document = json!({"policies": policies, "errors": contents.faults, "warnings": warnings});
    writeln!(io.out, "{document:#}")?;
    Ok(())
}
