//! What a reader of the YAML should see beside a line that says something in another way than v1 did.
//!
//! A finding in; the scalar of the output that it ended in, and a few words for it, out. Only adaptations that a line of
//! the output shows get a comment: what is lost, or follows by routine, is for the report alone.

use super::finding::{Code, Finding, Outcome};
use super::ledger::{Destination, Ledger, prefixes};
use super::lifecycle::UNLIMITED;
use super::{Conversion, Output};
use crate::api::meta::NODE;
use crate::api::pod::{Container, EnvVar};
use crate::api::runtime::{JobSpec, ReplicatedJob};
use crate::api::yaml::Comment;

/// Most adaptations that get a comment: nobody reads more, and a job can have as many as a request has room for.
const MAX_COMMENTS: usize = 64;

/// Comments for the two objects of an output.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comments {
    /// For the `TrainJob`.
    pub trainjob: Vec<Comment>,
    /// For the runtime.
    pub runtime: Vec<Comment>,
}

/// The comments for what `conversion` puts out.
#[must_use]
pub fn of(conversion: &Conversion) -> Comments {
    let mut comments = Comments::default();
    let Some(output) = &conversion.output else {
        return comments;
    };
    comments.success_rules(output);
    let adapted = |finding: &&Finding| finding.outcome == Outcome::Adapted;
    for finding in conversion.notable().filter(adapted).take(MAX_COMMENTS) {
        comments.finding(finding, output, &conversion.ledger);
    }
    comments
}

impl Comments {
    fn put(&mut self, at: Destination, text: String) {
        let (comments, at) = match at {
            Destination::TrainJob(at) => (&mut self.trainjob, at),
            Destination::Runtime(at) => (&mut self.runtime, at),
            Destination::Default => return,
        };
        // One line has room for one comment: the first finding is the worst.
        if text.is_ascii() && comments.iter().all(|comment| comment.at != at) {
            comments.push(Comment { at, text });
        }
    }

    fn finding(&mut self, finding: &Finding, output: &Output, ledger: &Ledger) {
        let old = finding.old.as_deref().unwrap_or_default();
        let job = |field: &str| output.runtime.as_ref().map(|_| job(finding, output, field));
        let (at, text) = match finding.code {
            Code::MasterAddress | Code::RendezvousEndpoint => {
                (variable(output, &finding.at), format!("v1: {old}"))
            }
            Code::Standalone => (
                variable(output, "PET_STANDALONE"),
                "v1: empty, which torchrun can't read".to_owned(),
            ),
            Code::ElasticRange if finding.new.is_some() => (
                Some(Destination::TrainJob("spec.trainer.numNodes".to_owned())),
                format!("v1: {old}"),
            ),
            Code::BackoffLimit if finding.new == Some(UNLIMITED.to_string()) => {
                let unlimited = |job: &JobSpec| job.backoff_limit == UNLIMITED;
                return self.limits(output, unlimited, "v1: backoffLimit unset = unlimited");
            }
            Code::RestartCount => {
                return self.limits(output, restarts_in_place, &format!("v1: {old}"));
            }
            Code::RestartAlways => (job("template.spec.restartPolicy"), "v1: Always".to_owned()),
            Code::RestartExitCode => (
                job("podFailurePolicy.rules[1].action"),
                "v1: restartPolicy ExitCode, by which 1 to 127 is final".to_owned(),
            ),
            Code::HostName => (moved(ledger, &finding.at), format!("v1: {old}")),
            _ => return,
        };
        if let Some(at) = at {
            self.put(at, text);
        }
    }

    /// The same words at the `backoffLimit` of each Job that is meant.
    fn limits(&mut self, output: &Output, is_meant: fn(&JobSpec) -> bool, text: &str) {
        for (index, job) in jobs(output).enumerate() {
            if is_meant(&job.template.spec) {
                let at = in_job(index, "backoffLimit");
                self.put(Destination::Runtime(at), text.to_owned());
            }
        }
    }

    /// v1 has one rule for each form of a job, and no field for it.
    fn success_rules(&mut self, output: &Output) {
        let master = "v1: the job succeeds with its Master";
        if let Some(runtime) = &output.runtime
            && runtime.spec.template.spec.success_policy.is_some()
        {
            let at = "spec.template.spec.successPolicy.operator".to_owned();
            self.put(Destination::Runtime(at), master.to_owned());
        }
        for (index, job) in jobs(output).enumerate() {
            let rule = |field: &str| {
                let rules = job.template.spec.success_policy.as_ref()?.get("rules")?;
                rules.get(0)?.get(field)?;
                let at = format!("successPolicy.rules[0].{field}");
                Some(Destination::Runtime(in_job(index, &at)))
            };
            if let Some(at) = rule("succeededIndexes") {
                self.put(at, master.to_owned());
            }
            if let Some(at) = rule("succeededCount") {
                self.put(at, "v1: the job succeeds with its first worker".to_owned());
            }
        }
    }
}

fn restarts_in_place(job: &JobSpec) -> bool {
    job.template.spec.restart_policy.as_deref() == Some("OnFailure")
}

fn jobs(output: &Output) -> impl Iterator<Item = &ReplicatedJob> {
    let runtime = output.runtime.iter();
    runtime.flat_map(|runtime| &runtime.spec.template.spec.replicated_jobs)
}

fn in_job(index: usize, field: &str) -> String {
    format!("spec.template.spec.replicatedJobs[{index}].template.spec.{field}")
}

/// `field` of the Job of the role that `finding` is about.
fn job(finding: &Finding, output: &Output, field: &str) -> Destination {
    let two = jobs(output).count() > 1;
    let worker = finding.at.to_lowercase().contains(".worker.");
    Destination::Runtime(in_job(usize::from(two && worker), field))
}

/// The value of the training container's variable `name`, in the first pod set that has it.
fn variable(output: &Output, name: &str) -> Option<Destination> {
    let literal = |env: &[EnvVar]| {
        env.iter()
            .position(|variable| variable.name == name && variable.value.is_some())
    };
    let trainer = output.trainjob.spec.trainer.as_ref();
    if let Some(index) = trainer.and_then(|trainer| literal(&trainer.env)) {
        let at = format!("spec.trainer.env[{index}].value");
        return Some(Destination::TrainJob(at));
    }
    jobs(output).enumerate().find_map(|(job, replicated)| {
        let containers = &replicated.template.spec.template.spec.containers;
        let is_trainer = |container: &Container| container.name == NODE;
        let container = containers.iter().position(is_trainer)?;
        let index = literal(&containers[container].env)?;
        let at = format!("template.spec.containers[{container}].env[{index}].value");
        Some(Destination::Runtime(in_job(job, &at)))
    })
}

/// Where the input field `at` stands now.
fn moved(ledger: &Ledger, at: &str) -> Option<Destination> {
    prefixes(at).find_map(|prefix| {
        let found = ledger.moves.iter().find(|entry| entry.from == prefix)?;
        Some(found.to.below(&at[prefix.len()..]))
    })
}
