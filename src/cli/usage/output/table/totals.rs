//! What the report begins with: from when to when, and a line for each number that somebody should read.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{BOLD, minute};
use crate::cli::report::counted;
use crate::cli::usage::count::{Count, Counts};
use crate::cli::usage::output::{Report, Source};

const RED: Style = AnsiColor::Red.on_default().bold();

/// From when to when, or that there is nothing.
pub(super) fn head(report: &Report, text: &mut String) {
    let total = &report.tally.total;
    let files = counted(report.facts.files, "file");
    let _ = match (report.source, total.is_empty(), total.first.zip(total.last)) {
        (Source::AuditLog, true, _) => {
            let lines = report.facts.lines;
            writeln!(
                text,
                "no request to make, change or delete a PyTorchJob in {lines} lines of {files}"
            )
        }
        (Source::Jobs, true, _) => writeln!(text, "no PyTorchJob"),
        (Source::AuditLog, false, Some((first, last))) => writeln!(
            text,
            "{BOLD}PyTorchJob requests from {} to {} (UTC){BOLD:#}",
            minute(first),
            minute(last)
        ),
        (Source::Jobs, false, Some((first, last))) => writeln!(
            text,
            "{BOLD}PyTorchJobs created from {} to {} (UTC){BOLD:#}",
            minute(first),
            minute(last)
        ),
        (Source::AuditLog, false, None) => writeln!(text, "{BOLD}PyTorchJob requests{BOLD:#}"),
        (Source::Jobs, false, None) => writeln!(text, "{BOLD}PyTorchJobs{BOLD:#}"),
    };
}

/// The numbers, and the verdicts on one line.
pub(super) fn numbers(report: &Report, text: &mut String) {
    let total = &report.tally.total;
    let (mut lines, what) = match report.source {
        Source::AuditLog => (of_requests(total), "verdicts"),
        Source::Jobs => (of_jobs(total), "as TrainJobs"),
    };
    lines.retain(|(count, _)| total.get(*count) > 0);
    let digits = |(count, _): &(Count, String)| total.get(*count).to_string().len();
    let width = lines.iter().map(digits).max().unwrap_or_default();
    for (count, what) in lines {
        let number = total.get(count);
        let is_bad = matches!(count, Count::Bypassed | Count::Unjudged);
        let style = if is_bad { RED } else { BOLD };
        let _ = writeln!(text, "  {style}{number:>width$}{style:#}  {what}");
    }
    let verdicts = [
        Count::Exact,
        Count::Adapted,
        Count::Lossy,
        Count::Unconvertible,
        Count::Unreadable,
        Count::NoVerdict,
        Count::Unknown,
    ];
    let _ = writeln!(text, "  {what}: {}", parts(total, &verdicts));
}

fn of_requests(total: &Counts) -> Vec<(Count, String)> {
    let kinds = [
        (Count::Creates, "create"),
        (Count::Changes, "change"),
        (Count::Deletes, "delete"),
    ];
    let kinds: Vec<_> = kinds
        .into_iter()
        .filter(|(count, _)| total.get(*count) > 0)
        .map(|(count, verb)| format!("{} to {verb}", total.get(count)))
        .collect();
    let kinds = kinds.join(", ");
    let (closed, open) = (total.get(Count::FailedClosed), total.get(Count::FailedOpen));
    let unasked = total.get(Count::Unjudged) - open;
    let silent = "trainshift did not answer";
    [
        (Count::Requests, format!("requests: {kinds}")),
        (Count::Jobs, "jobs created, by name".to_owned()),
        (Count::Refused, "refused by trainshift".to_owned()),
        (Count::Warned, "answered with warnings".to_owned()),
        (Count::Exempted, "let through by an exemption".to_owned()),
        (
            Count::Bypassed,
            "went past the policy on purpose".to_owned(),
        ),
        (
            Count::Failed,
            format!("failed for another reason ({closed} because {silent})"),
        ),
        (
            Count::Unjudged,
            format!("went by unjudged: {silent} {open}, and was not asked about {unasked}"),
        ),
    ]
    .into()
}

fn of_jobs(total: &Counts) -> Vec<(Count, String)> {
    let states = [
        Count::Running,
        Count::Waiting,
        Count::Suspended,
        Count::Succeeded,
        Count::JobFailed,
    ];
    vec![(Count::Jobs, format!("jobs: {}", parts(total, &states)))]
}

/// `7 creates, 2 changes`: those that there are.
fn parts(total: &Counts, counts: &[Count]) -> String {
    let some = counts.iter().filter(|count| total.get(**count) > 0);
    let said: Vec<_> = some
        .map(|count| format!("{} {}", total.get(*count), count.head()))
        .collect();
    said.join(", ")
}
