//! Warnings: lines that kubectl prints beside a request that went through.

use crate::api::meta::ANNOTATION_BYPASS;
use crate::convert::{Conversion, Verdict};
use crate::policy::judge::Excuse;
use crate::policy::schedule::date;
use crate::policy::{Change, Ruling};

/// Longest line, in characters; the API server cuts longer ones without saying so.
const MAX_LENGTH: usize = 256;
/// Most lines; more than a screen is read by nobody.
const MAX_LINES: usize = 8;
/// How to get at the TrainJob.
const ADVICE: &str = "See its TrainJob: trainshift convert FILE, \
    or apply it with --dry-run=server and the annotation trainshift.dev/show: trainjob";

/// The warnings about a job that is admitted by `ruling`.
#[must_use]
pub fn of_job(
    ruling: &Ruling,
    namespace: &str,
    change: &Change,
    conversion: &Conversion,
) -> Vec<String> {
    let mut lines = headline(ruling, namespace, change, conversion.verdict);
    lines.extend(message(ruling));
    let findings: Vec<_> = conversion.notable().collect();
    let room = MAX_LINES - lines.len();
    // What is left out takes a line of its own.
    let shown = if findings.len() > room {
        room - 1
    } else {
        findings.len()
    };
    lines.extend(
        findings[..shown]
            .iter()
            .map(|finding| format!("trainshift {finding}")),
    );
    if shown < findings.len() {
        lines.push(format!(
            "trainshift: {} more findings: trainshift convert FILE",
            findings.len() - shown
        ));
    }
    lines
        .iter()
        .map(|line| one_line(line))
        .take(MAX_LINES)
        .collect()
}

/// The warnings about a job that is given more workers.
#[must_use]
pub fn of_scale(ruling: &Ruling, namespace: &str) -> Vec<String> {
    let line = format!(
        "trainshift: {}. A TrainJob can't be scaled: choose numNodes when you create it",
        retired(ruling, namespace)
    );
    let lines = [line].into_iter().chain(message(ruling));
    lines.map(|line| one_line(&line)).collect()
}

/// What the policy says besides.
fn message(ruling: &Ruling) -> Option<String> {
    let message = ruling.rule.message();
    message.map(|message| format!("trainshift: {message}"))
}

/// What happens, and what to do; in a line each where one would be cut.
fn headline(ruling: &Ruling, namespace: &str, change: &Change, verdict: Verdict) -> Vec<String> {
    let retired = retired(ruling, namespace);
    if verdict == Verdict::Refused {
        return vec![format!(
            "trainshift: {retired}. This one can't become a TrainJob yet:"
        )];
    }
    let what = if *change == Change::Created {
        "This one still runs on v1"
    } else {
        "This change still goes through"
    };
    let happens = format!("trainshift: {retired}. {what}.");
    let together = format!("{happens} {ADVICE}");
    if together.chars().count() > MAX_LENGTH {
        vec![happens, format!("trainshift: {ADVICE}")]
    } else {
        vec![together]
    }
}

fn retired(ruling: &Ruling, namespace: &str) -> String {
    let rule = &ruling.rule;
    match (&ruling.excuse, &rule.next) {
        (Some(Excuse::Exemption(exemption)), next) => {
            // Another policy may refuse him before the exemption ends.
            let refused = next.map_or(exemption.until, |(_, from)| from.min(exemption.until));
            format!(
                "PyTorchJob is refused in namespace {namespace} ({}), but exemption {} lets this one pass until {}",
                rule.authority(),
                exemption.name,
                date(refused),
            )
        }
        (Some(Excuse::Bypass(reason)), _) => format!(
            "PyTorchJob is refused in namespace {namespace} ({}); {ANNOTATION_BYPASS} lets this one pass, and is recorded: {reason}",
            rule.authority(),
        ),
        (None, Some((mode, from))) => format!(
            "PyTorchJob is being retired: in namespace {namespace} mode {mode} begins on {}",
            date(*from),
        ),
        (None, None) => "PyTorchJob is being retired".to_owned(),
    }
}

/// `text` on one line, without control characters, cut on a character's border.
#[must_use]
pub fn one_line(text: &str) -> String {
    let printable = text.chars().map(|character| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    });
    let mut line: String = printable.take(MAX_LENGTH + 1).collect();
    if line.chars().count() > MAX_LENGTH {
        line = line.chars().take(MAX_LENGTH - 1).collect();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_on_a_character_border_and_hold_no_control_characters() {
        let line = one_line(&"é\n".repeat(300));
        assert_eq!(line.chars().count(), MAX_LENGTH);
        assert!(line.ends_with('…') && !line.contains('\n'));
        assert_eq!(one_line("short"), "short");
        assert_eq!(one_line(&"x".repeat(MAX_LENGTH)).len(), MAX_LENGTH);
    }
}
