//! The text of a denial: what happened and since when, what to do, and the TrainJob, so that one read is enough.
//!
//! Everything after the first line is YAML: prose as comments, then the objects. kubectl prints it as it is, so that
//! `kubectl apply -f job.yaml 2>&1 | sed 1d > trainjob.yaml` is a file that kubectl takes.

use std::fmt::Write as _;

use crate::api::meta::{ANNOTATION_BYPASS, MIGRATION_POLICIES, VERB_BYPASS};
use crate::api::yaml::to_yaml_with;
use crate::convert::comments::{self, Comments};
use crate::convert::finding::{Finding, Outcome};
use crate::convert::{Conversion, Output, Verdict};
use crate::policy::schedule::date;
use crate::policy::{Change, Ruling};

use super::warnings::one_line;

/// Longest message in bytes: it is stored in audit logs, and in the state of whatever submitted the job.
const MAX_BYTES: usize = 32 * 1024;

/// Most findings that are listed; with their lines cut, the summary stays far below [`MAX_BYTES`].
const MAX_FINDINGS: usize = 40;

/// Most changed fields that are named.
const MAX_FIELDS: usize = 8;

/// Whether the objects are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Detail {
    /// They are.
    Full,
    /// They aren't, because the policy says so, or because the requester is a machine that stores what it is told.
    Summary,
    /// They aren't, because they are too long for a message.
    TooLong,
    /// They aren't, because one of them holds a credential.
    Credentials,
}

/// Why the message is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// The rule refuses the job.
    Rule,
    /// A dry run asked to see the TrainJob.
    Show,
}

/// The right that is missing where a job gives a reason to pass a denial.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoRight {
    /// Name of a policy that denies the job.
    pub policy: String,
    /// Whether it is known that the requester has no such right; nobody could tell otherwise.
    pub is_known: bool,
}

/// What a message is about.
#[derive(Debug)]
pub struct Denial<'a> {
    /// Why it is written.
    pub cause: Cause,
    /// What was decided.
    pub ruling: &'a Ruling,
    /// Why the job's reason to pass counts for nothing, if so.
    pub no_right: Option<&'a NoRight>,
    /// Where.
    pub namespace: &'a str,
    /// What was refused.
    pub change: &'a Change,
    /// What the job would be.
    pub conversion: &'a Conversion,
    /// The same job with everything kept, where `conversion` has to do without a runtime of its own.
    pub needs_runtime: bool,
    /// Findings about the text itself.
    pub remarks: &'a [Finding],
    /// Whether the objects are printed.
    pub detail: Detail,
}

impl Denial<'_> {
    /// The message.
    #[must_use]
    pub fn message(&self) -> String {
        let full = self.write(self.detail);
        if full.len() > MAX_BYTES {
            self.write(Detail::TooLong)
        } else {
            full
        }
    }

    fn write(&self, detail: Detail) -> String {
        let mut text = self.headline(detail);
        let mut comment = |line: &str| {
            let _ = write!(text, "\n# {line}");
        };
        comment(&self.summary());
        // What keeps the objects from being printed comes first, and is never cut off.
        let mut findings = self.remarks.iter().chain(self.conversion.notable());
        for finding in findings.by_ref().take(MAX_FINDINGS) {
            comment(&format!("  {}", one_line(&finding.to_string())));
        }
        match findings.count() {
            0 => {}
            more => comment(&format!(
                "  and {more} more: trainshift convert FILE lists them"
            )),
        }
        for line in self.runtime_advice() {
            comment(line);
        }
        for line in self.way_past() {
            comment(&line);
        }
        for line in self
            .ruling
            .rule
            .message()
            .iter()
            .flat_map(|message| message.lines())
        {
            comment(line);
        }
        if let (Some(output), Detail::Full) = (&self.conversion.output, detail) {
            text.push('\n');
            text.push_str(&objects(output, &comments::of(self.conversion)));
        }
        text.truncate(text.trim_end().len());
        text
    }

    fn headline(&self, detail: Detail) -> String {
        let refused = match self.cause {
            Cause::Show => {
                "dry run with trainshift.dev/show: nothing was stored or judged".to_owned()
            }
            Cause::Rule => self.refused(),
        };
        let next = match (self.conversion.verdict, detail, self.cause) {
            (Verdict::Refused, _, _) => "It can't become a TrainJob before these are mended:",
            (_, Detail::Full, Cause::Show) => "This is its TrainJob:",
            (_, Detail::Full, Cause::Rule) => {
                "Submit the TrainJob below instead (all but this line is YAML: repeat the command with 2>&1 | sed 1d > trainjob.yaml)."
            }
            (_, Detail::Summary, _) => {
                "Submit its TrainJob instead: trainshift convert FILE prints it, or a dry run with the annotation trainshift.dev/show: trainjob."
            }
            (_, Detail::TooLong, Cause::Show) => {
                "Its TrainJob is too long for this message: trainshift convert FILE prints it."
            }
            (_, Detail::Credentials, Cause::Show) => {
                "Its TrainJob holds a credential and isn't printed here: trainshift convert FILE prints it."
            }
            (_, Detail::TooLong | Detail::Credentials, Cause::Rule) => {
                "Submit its TrainJob instead: trainshift convert FILE prints it."
            }
        };
        format!("{refused}. {next}")
    }

    fn refused(&self) -> String {
        let what = match self.change {
            Change::AnotherJob(fields) => {
                format!("this change of a PyTorchJob ({}) is refused", few(fields))
            }
            Change::Started => "starting this PyTorchJob is refused".to_owned(),
            _ => "PyTorchJob is refused".to_owned(),
        };
        format!("{what} {}", place(self.ruling, self.namespace))
    }

    fn summary(&self) -> String {
        let count = |outcome| {
            self.conversion
                .notable()
                .filter(|finding| finding.outcome == outcome)
                .count()
        };
        let fields = |count: usize| {
            if count == 1 {
                "1 field is".to_owned()
            } else {
                format!("{count} fields are")
            }
        };
        let (adapted, lost, refused) = (
            count(Outcome::Adapted),
            count(Outcome::Lost),
            count(Outcome::Refused),
        );
        match (refused, lost, adapted) {
            (0, 0, 0) => "Nothing is lost or changed.".to_owned(),
            (0, 0, adapted) => format!("Nothing is lost; {} adapted:", fields(adapted)),
            (0, lost, 0) => format!("{} lost:", fields(lost)),
            (0, lost, adapted) => format!("{} lost, {adapted} adapted:", fields(lost)),
            (refused, _, _) => format!("{} in the way:", fields(refused)),
        }
    }

    /// What might have kept the job from being refused, and didn't.
    fn way_past(&self) -> Vec<String> {
        let no_right = self.no_right.map(|NoRight { policy, is_known }| {
            let why = if *is_known {
                "which you don't have"
            } else {
                "and whether you have it can't be found out now; try again"
            };
            format!(
                "{ANNOTATION_BYPASS} has no effect: it takes the verb {VERB_BYPASS} on {MIGRATION_POLICIES}/{policy}, {why}."
            )
        });
        ended(self.ruling).into_iter().chain(no_right).collect()
    }

    fn runtime_advice(&self) -> &'static [&'static str] {
        let own = self
            .conversion
            .output
            .as_ref()
            .is_some_and(|output| output.runtime.is_some());
        match (self.needs_runtime, own) {
            (true, false) => &[
                "To keep what is lost, the job needs a TrainingRuntime of its own, and you may not create one in this",
                "namespace: trainshift convert FILE prints it; ask whoever administers the namespace to apply it.",
            ],
            (true, true) => &[
                "The TrainingRuntime must exist before the TrainJob, and you may not create one in this namespace:",
                "ask whoever administers the namespace to apply it, then apply the TrainJob yourself.",
            ],
            (false, _) => &[],
        }
    }
}

/// The message for a job, `name`, that would get more workers: from how many to how many.
#[must_use]
pub fn of_scale(ruling: &Ruling, namespace: &str, name: &str, (old, new): (i64, i64)) -> String {
    let mut text = format!(
        "scaling a PyTorchJob from {old} to {new} workers is refused {}. \
         Delete it and submit its TrainJob with the number of nodes that you want: \
         kubectl get pytorchjob {name} -n {namespace} -o yaml | trainshift convert -",
        place(ruling, namespace),
    );
    let message = ruling.rule.message().into_iter().flat_map(str::lines);
    for line in ended(ruling).iter().map(String::as_str).chain(message) {
        let _ = write!(text, "\n# {line}");
    }
    text
}

/// The first few of the fields, whose names the submitter chooses, and how many more there are.
fn few(fields: &[String]) -> String {
    let shown = fields.iter().take(MAX_FIELDS).map(|field| one_line(field));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match fields.len().saturating_sub(MAX_FIELDS) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Where it is refused, since when and by whose rule.
fn place(ruling: &Ruling, namespace: &str) -> String {
    let rule = &ruling.rule;
    let since = rule
        .since
        .map(|since| format!(" since {}", date(since)))
        .unwrap_or_default();
    format!("in namespace {namespace}{since} ({})", rule.authority())
}

/// The exemption that has ended, if there is one.
fn ended(ruling: &Ruling) -> Option<String> {
    ruling.ended.as_ref().map(|exemption| {
        format!(
            "Exemption {} ended on {}.",
            exemption.name,
            date(exemption.until)
        )
    })
}

/// The runtime, if there is one, and the job.
fn objects(output: &Output, comments: &Comments) -> String {
    let runtime = output
        .runtime
        .as_ref()
        .and_then(|runtime| to_yaml_with(runtime, &comments.runtime).ok());
    let trainjob = to_yaml_with(&output.trainjob, &comments.trainjob).unwrap_or_default();
    runtime.map(|runtime| runtime + "---\n").unwrap_or_default() + &trainjob
}
