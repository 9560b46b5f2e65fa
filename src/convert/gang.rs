//! Gang scheduling: a pod group of the runtime, in place of the one that v1's operator makes
//! (training-operator v1.9.3 `pkg/controller.v1/common/scheduling.go`).

use serde_json::{Value, json};

use crate::api::Rest;
use crate::api::pod::PodTemplate;
use crate::api::pytorchjob::{PyTorchJob, SchedulingPolicy};

use super::finding::{Code, Finding, Outcome};
use super::ledger::{Ledger, child};
use super::target::{GangScheduler, Target};
use super::topology::Topology;

/// Path of the policy.
pub const AT: &str = "spec.runPolicy.schedulingPolicy";

/// Gang scheduling of one job.
#[derive(Clone, Debug, PartialEq)]
pub struct Gang {
    /// The runtime's `podGroupPolicy`.
    pub policy: Value,
    /// The Volcano queue, which goes into an annotation of the `JobSet`.
    pub queue: Option<String>,
    /// Fields of `schedulingPolicy` that v1's pod group follows.
    pub fields: &'static [&'static str],
    scheduler: &'static str,
    priority_class: Option<String>,
}

impl Gang {
    /// Puts the scheduler and the priority class on the pods, as v1 does.
    pub fn mark(&self, template: &mut PodTemplate) {
        template
            .spec
            .scheduler_name
            .get_or_insert_with(|| self.scheduler.to_owned());
        if template.spec.priority_class_name.is_none() {
            template
                .spec
                .priority_class_name
                .clone_from(&self.priority_class);
        }
    }
}

/// Plans the pod group of a job.
///
/// # Errors
/// A finding that refuses a job whose pod group isn't the whole job, or can't be made by this version of Trainer.
pub fn plan(
    job: &PyTorchJob,
    topology: &Topology,
    target: &Target,
    ledger: &mut Ledger,
) -> Result<Option<Gang>, Finding> {
    let scheduler = target.gang;
    let policy = job
        .spec
        .run_policy
        .scheduling_policy
        .clone()
        .unwrap_or_default();
    report_unknown(&policy, ledger);
    ledger.says_nothing(AT);
    if scheduler == GangScheduler::None {
        let known = SchedulingPolicy {
            rest: Rest::new(),
            ..policy
        };
        if known != SchedulingPolicy::default() {
            let finding = Finding::new(Code::SchedulingPolicy, Outcome::Lost, AT);
            ledger.find(
                finding.note(
                    "without effect unless v1 runs with a gang scheduler: then say which with --gang-scheduler",
                ),
            );
        }
        return Ok(None);
    }
    if scheduler == GangScheduler::Volcano && !target.dialect.has_volcano() {
        let refused = Finding::about(Code::DialectCannot, Outcome::Refused, AT);
        return Err(refused.had("Volcano's pod group").note(format!(
            "Trainer {} knows no Volcano, 2.1 and later do; --gang-scheduler none converts without a pod group",
            target.dialect
        )));
    }
    let total = topology.total();
    if let Some(least) = policy.min_available {
        let finding = Finding::new(
            Code::GangSize,
            Outcome::Refused,
            format!("{AT}.minAvailable"),
        );
        if least != total {
            return Err(finding
                .had(least.to_string())
                .note(format!("the job has {total} pods")));
        }
        same(
            &format!("{AT}.minAvailable"),
            "Trainer's pod group has as many members",
            ledger,
        );
    }
    if topology.roles {
        let about = Finding::about(Code::SchedulingPolicy, Outcome::Lost, AT);
        ledger.find(
            about
                .had("the whole gang")
                .note("with two roles Trainer's pod group counts one worker only"),
        );
    }
    if policy.min_resources.is_some() {
        let finding = Finding::new(
            Code::SchedulingPolicy,
            Outcome::Lost,
            format!("{AT}.minResources"),
        );
        ledger.find(finding.note("Trainer computes it from the pods"));
    }
    Ok(Some(match scheduler {
        GangScheduler::SchedulerPlugins => coscheduling(&policy, ledger),
        GangScheduler::Volcano | GangScheduler::None => volcano(&policy, ledger),
    }))
}

fn volcano(policy: &SchedulingPolicy, ledger: &mut Ledger) -> Gang {
    // An empty queue is v1's default one; Trainer refuses the annotation without a value.
    let queue = policy.queue.clone().filter(|queue| !queue.is_empty());
    if queue.is_none() {
        ledger.is_default(format!("{AT}.queue"));
    } else {
        ledger.to_runtime(
            format!("{AT}.queue"),
            "spec.template.metadata.annotations[scheduling.volcano.sh/queue-name]",
        );
    }
    if policy.schedule_timeout_seconds.is_some() {
        same(
            &format!("{AT}.scheduleTimeoutSeconds"),
            "Volcano has no such timeout under v1 either",
            ledger,
        );
    }
    let at = format!("{AT}.priorityClass");
    let priority_class = policy
        .priority_class
        .clone()
        .filter(|class| !class.is_empty());
    if let Some(class) = &priority_class {
        let finding = Finding::new(Code::SchedulingPolicy, Outcome::Adapted, at);
        ledger.find(
            finding
                .had(class)
                .note("the pods get it as priorityClassName; the pod group takes it from them"),
        );
    } else {
        ledger.is_default(at);
    }
    Gang {
        policy: json!({"volcano": {}}),
        queue,
        fields: &["minAvailable", "priorityClass", "queue"],
        scheduler: "volcano",
        priority_class,
    }
}

fn coscheduling(policy: &SchedulingPolicy, ledger: &mut Ledger) -> Gang {
    if policy.queue.is_some() {
        same(
            &format!("{AT}.queue"),
            "scheduler-plugins has no queues under v1 either",
            ledger,
        );
    }
    if policy.priority_class.is_some() {
        same(
            &format!("{AT}.priorityClass"),
            "scheduler-plugins' pod group has no priority under v1 either",
            ledger,
        );
    }
    let mut settings = json!({});
    if let Some(seconds) = policy.schedule_timeout_seconds {
        let place = "spec.podGroupPolicy.coscheduling.scheduleTimeoutSeconds";
        ledger.to_runtime(format!("{AT}.scheduleTimeoutSeconds"), place);
        settings = json!({"scheduleTimeoutSeconds": seconds});
    }
    Gang {
        policy: json!({"coscheduling": settings}),
        queue: None,
        fields: &["minAvailable", "scheduleTimeoutSeconds"],
        scheduler: "scheduler-plugins-scheduler",
        priority_class: None,
    }
}

fn same(at: &str, note: &str, ledger: &mut Ledger) {
    ledger.find(Finding::new(Code::SmallDifference, Outcome::Adapted, at).note(note));
}

fn report_unknown(policy: &SchedulingPolicy, ledger: &mut Ledger) {
    for key in policy.rest.keys() {
        let at = child(AT, key);
        ledger.find(Finding::new(Code::UnknownField, Outcome::Lost, at));
    }
}
