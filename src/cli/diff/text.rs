//! The differences for people: what nothing explains first, by ranks; then the rest, by reason.
//!
//! ```text
//! mnist  6 undeclared differences  2 pods beside 2 of TrainJob mnist on ClusterTrainingRuntime torch-distributed
//!   undeclared  ranks 0-1
//!     containers[trainer].env[RANK]: "<rank>" -> absent
//!   declared    pod name: v2's pods are named by Job and index ...
//!     rank 0   name: "mnist-master-0" -> "mnist-node-0-0"
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use anstream::{AutoStream, ColorChoice, adapter};
use anstyle::{AnsiColor, Style};

use super::groups::Group;
use super::pairs::Input;
use super::work::{Compared, Outcome, Pods};
use crate::cli::Io;
use crate::cli::report::{counted, plain};
use crate::parity::facts::ranks;
use crate::parity::predict::Caveat;

/// Of a reason, more fields than this are counted, not listed.
const MOST_LISTED: usize = 3;
/// Longer values are cut to the part that differs.
const MOST_SHOWN: usize = 100;
/// What stands before the part that differs.
const LEAD: usize = 30;

const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const BOLD: Style = Style::new().bold();
const DIMMED: Style = Style::new().dimmed();

/// Prints everything: differences to stdout, problems to stderr.
pub(super) fn print(jobs: &[Compared<'_>], input: &Input, io: &mut Io<'_>) -> anyhow::Result<()> {
    let mut text = String::new();
    for job in jobs {
        write_job(job, &mut text);
    }
    for place in &input.unpaired {
        let name = plain(&place.full_name());
        let other = "has no partner of its name on the other side";
        let _ = writeln!(
            text,
            "{BOLD}{name}{BOLD:#}  {RED}unpaired{RED:#}  {} of {} {other}",
            place.kind,
            plain(&place.file)
        );
    }
    let equal = jobs.iter().filter(|job| job.is_equal()).count();
    if jobs.len() + input.unpaired.len() > 1 {
        let _ = writeln!(
            text,
            "{}: {equal} equal but for declared differences, {} not, {} unpaired",
            counted(jobs.len() + input.unpaired.len(), "job"),
            jobs.len() - equal,
            input.unpaired.len()
        );
    }
    if AutoStream::choice(&io::stdout()) == ColorChoice::Never {
        write!(io.out, "{}", adapter::strip_str(&text))?;
    } else {
        io.out.write_all(text.as_bytes())?;
    }
    for problem in &input.problems {
        let lines: Vec<_> = problem.to_string().lines().map(plain).collect();
        writeln!(io.err, "{RED}error:{RED:#} {}", lines.join("\n"))?;
    }
    Ok(())
}

fn write_job(job: &Compared<'_>, text: &mut String) {
    let name = plain(&job.pair.place.full_name());
    match &job.outcome {
        Outcome::Refused(findings) => {
            let file = plain(&job.pair.place.file);
            let _ = writeln!(
                text,
                "{BOLD}{name}{BOLD:#}  {RED}refused{RED:#}  {file} has no TrainJob to compare with"
            );
            for finding in findings {
                let _ = writeln!(text, "  {}", plain(&finding.to_string()));
            }
        }
        Outcome::Pods(pods) => {
            let verdict = match (pods.undeclared, pods.declared) {
                (0, _) if !job.is_equal() => format!("{RED}uncertain{RED:#}"),
                (0, 0) => format!("{GREEN}equal{GREEN:#}"),
                (0, _) => format!("{GREEN}equal but for declared differences{GREEN:#}"),
                (count, _) => format!("{RED}{}{RED:#}", counted(count, "undeclared difference")),
            };
            let trainjob = match &job.pair.written {
                None => "its conversion".to_owned(),
                Some(written) => format!("TrainJob {}", plain(&written.place.full_name())),
            };
            let _ = writeln!(
                text,
                "{BOLD}{name}{BOLD:#}  {verdict}  {} beside {} of {trainjob} on {}: {} equal, {} declared",
                counted(pods.v1, "pod"),
                pods.v2,
                plain(&pods.runtime),
                counted(pods.equal, "fact"),
                pods.declared,
            );
            write_caveats(pods, text);
            write_undeclared(pods, text);
            write_declared(pods, text);
        }
    }
}

/// Why nothing of what follows is sure.
fn write_caveats(pods: &Pods, text: &mut String) {
    for Caveat {
        field,
        reason,
        taken_by,
    } in &pods.caveats
    {
        let _ = write!(
            text,
            "  {RED}uncertain{RED:#}   {}: {}",
            plain(field),
            plain(reason)
        );
        if let [.., last] = taken_by[..] {
            let _ = write!(text, "; Trainer {last} has it: --to {last}");
        }
        text.push('\n');
    }
}

/// By ranks: what somebody must look at.
fn write_undeclared(pods: &Pods, text: &mut String) {
    let mut above = None;
    for group in pods.groups.iter().filter(|group| group.declared.is_none()) {
        if above != Some(&group.ranks) {
            let _ = writeln!(text, "  {RED}undeclared{RED:#}  {}", whose(group));
            above = Some(&group.ranks);
        }
        let _ = writeln!(text, "    {}", difference(group));
    }
    if pods.undeclared > 0 && pods.can_be_equal {
        let hint = "trainshift convert writes a TrainJob of this job without them";
        let _ = writeln!(text, "  hint        {hint}");
    }
}

/// By reason, which is told once.
fn write_declared(pods: &Pods, text: &mut String) {
    let mut reasons: BTreeMap<&str, Vec<&Group>> = BTreeMap::new();
    for group in &pods.groups {
        if let Some(declared) = group.declared {
            reasons.entry(declared.name).or_default().push(group);
        }
    }
    for groups in reasons.values() {
        let Some(declared) = groups[0].declared else {
            continue;
        };
        let _ = writeln!(
            text,
            "  declared    {}{DIMMED}: {}{DIMMED:#}",
            declared.name, declared.reason
        );
        let shown = if groups.len() > MOST_LISTED {
            MOST_LISTED - 1
        } else {
            groups.len()
        };
        for group in &groups[..shown] {
            let _ = writeln!(text, "    {}  {}", whose(group), difference(group));
        }
        if shown < groups.len() {
            let _ = writeln!(
                text,
                "    ... and {} more of this kind",
                groups.len() - shown
            );
        }
    }
}

fn whose(group: &Group) -> String {
    group
        .ranks
        .as_ref()
        .map_or_else(|| "job".to_owned(), ranks::text)
}

/// `containers[trainer].env[RANK]: "1" -> absent`
fn difference(group: &Group) -> String {
    let (v1, v2) = excerpts(group.v1.as_deref(), group.v2.as_deref());
    let field = plain(&group.field);
    if group.v1 == group.v2 {
        return format!("{field}: {v1} on both sides, an address that v2 does not have");
    }
    let example = if group.is_example {
        ", say; each rank has its own"
    } else {
        ""
    };
    format!("{field}: {v1} -> {v2}{example}")
}

/// Both values, cut to where they differ.
fn excerpts(v1: Option<&str>, v2: Option<&str>) -> (String, String) {
    let common = match (v1, v2) {
        (Some(v1), Some(v2)) => v1
            .chars()
            .zip(v2.chars())
            .take_while(|(a, b)| a == b)
            .count(),
        _ => 0,
    };
    let excerpt = |value: Option<&str>| {
        let Some(value) = value else {
            return "absent".to_owned();
        };
        let length = value.chars().count();
        if length <= MOST_SHOWN {
            return plain(value);
        }
        let start = common.saturating_sub(LEAD).min(length - MOST_SHOWN);
        let middle: String = value.chars().skip(start).take(MOST_SHOWN).collect();
        let before = if start > 0 { "..." } else { "" };
        let after = if start + MOST_SHOWN < length {
            "..."
        } else {
            ""
        };
        format!("{before}{}{after}", plain(&middle))
    };
    (excerpt(v1), excerpt(v2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_to_where_they_differ() {
        let long = |end: &str| format!("{}{end}{}", "a".repeat(300), "b".repeat(300));
        let (v1, v2) = excerpts(Some(&long("ONE")), Some(&long("TWO")));
        assert!(v1.contains("aONEb") && v2.contains("aTWOb"), "{v1} {v2}");
        assert!(v1.len() < 120);
        assert_eq!(
            excerpts(Some("\"1\""), None),
            ("\"1\"".to_owned(), "absent".to_owned())
        );
    }
}
