//! When pods are restarted, when the job has succeeded or failed, and what happens then.

use serde_json::{Value, json};

use crate::api::meta::{MULTIKUEUE, NODE};
use crate::api::pytorchjob::{PyTorchJob, RunPolicy};

use super::dialect::Dialect;
use super::finding::{Code, Finding, Outcome};
use super::ledger::Ledger;
use super::topology::{Role, Topology};

/// Path of the deadline.
pub const DEADLINE: &str = "spec.runPolicy.activeDeadlineSeconds";
/// A Job's `backoffLimit` that is never reached.
pub const UNLIMITED: i32 = i32::MAX;

/// How the pods of one Job end.
#[derive(Clone, Debug, PartialEq)]
pub struct JobPolicy {
    /// The pods' `restartPolicy`.
    pub restart_policy: &'static str,
    /// The Job's `backoffLimit`.
    pub backoff_limit: i32,
    /// The Job's `podFailurePolicy`.
    pub pod_failure_policy: Option<Value>,
    /// The Job's `successPolicy`.
    pub success_policy: Option<Value>,
    /// The Job's `activeDeadlineSeconds`, where the `TrainJob` can have none.
    pub active_deadline_seconds: Option<i64>,
}

impl JobPolicy {
    /// Restarts in place without limit; all pods must succeed. What the shipped runtime has.
    #[must_use]
    pub fn unlimited() -> Self {
        Self {
            restart_policy: "OnFailure",
            backoff_limit: UNLIMITED,
            pod_failure_policy: None,
            success_policy: None,
            active_deadline_seconds: None,
        }
    }
}

/// How one role's pods end, by v1's rules (training-operator v1.9.3 `pkg/controller.v1/common/pod.go`, `pkg/core/job.go`).
#[must_use]
pub fn job_policy(
    role: &Role,
    job: &PyTorchJob,
    topology: &Topology,
    dialect: Dialect,
) -> JobPolicy {
    let policy = &job.spec.run_policy;
    let limit = policy.backoff_limit.unwrap_or(UNLIMITED);
    let job_policy = JobPolicy {
        success_policy: success_rule(job, topology),
        active_deadline_seconds: policy
            .active_deadline_seconds
            .filter(|_| !dialect.has_deadline()),
        ..JobPolicy::unlimited()
    };
    match role.restart_policy() {
        // v1 fails the job with the first failed pod and counts no restarts.
        _ if fails_at_once(role, job) => JobPolicy {
            restart_policy: "Never",
            backoff_limit: 0,
            ..job_policy
        },
        // v1 counts restarts in place, of which a pod that is replaced has none: any limit above 0 is never reached.
        "ExitCode" => JobPolicy {
            restart_policy: "Never",
            backoff_limit: UNLIMITED,
            pod_failure_policy: Some(exit_codes()),
            ..job_policy
        },
        _ => JobPolicy {
            backoff_limit: limit,
            ..job_policy
        },
    }
}

/// Whether the first pod that fails is the last. With a limit of 0 it is so under `ExitCode`, too: whatever the exit code,
/// and even if the pod was evicted.
fn fails_at_once(role: &Role, job: &PyTorchJob) -> bool {
    match role.restart_policy() {
        "Never" => true,
        "ExitCode" => job.spec.run_policy.backoff_limit == Some(0),
        _ => false,
    }
}

/// Refuses a job that Trainer would run although another controller should.
///
/// # Errors
/// The finding that says so.
pub fn refuse(policy: &RunPolicy, dialect: Dialect) -> Result<(), Finding> {
    if policy.managed_by.as_deref() != Some(MULTIKUEUE) || dialect.honours_managed_by() {
        return Ok(());
    }
    let at = "spec.runPolicy.managedBy";
    let refused = Finding::new(Code::DialectCannot, Outcome::Refused, at).had(MULTIKUEUE);
    Err(refused.note(format!(
        "Trainer {dialect} would run the job in this cluster as well; 2.3 leaves it to MultiKueue"
    )))
}

/// v1's rule for `ExitCode`: 1 to 127 is final, anything above is tried again (`pkg/util/train/train_util.go`).
fn exit_codes() -> Value {
    json!({"rules": [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {"action": "FailJob", "onExitCodes": {
            "containerName": NODE, "operator": "In", "values": (1..=127).collect::<Vec<i32>>(),
        }},
    ]})
}

/// The success rule of the one pod set, where it isn't that all pods succeed (`pytorchjob_controller.go`).
fn success_rule(job: &PyTorchJob, topology: &Topology) -> Option<Value> {
    let cleans = matches!(
        job.spec.run_policy.clean_pod_policy.as_deref(),
        // v1 takes the empty string for All (`common/job.go`).
        Some("Running" | "All" | "")
    );
    let elastic = job.spec.elastic_policy.is_some();
    match (topology.master.is_some(), topology.worker.is_some()) {
        _ if topology.roles || topology.total() == 1 => None,
        // Only where v1 ended the workers anyway: a success policy ends those that still run.
        (true, true) if cleans => Some(json!({"rules": [{"succeededIndexes": "0"}]})),
        (false, true) if elastic => Some(json!({"rules": [{"succeededCount": 1}]})),
        _ => None,
    }
}

/// Notes what becomes of `runPolicy` and the restart policies, whatever form they are written in.
pub fn report(job: &PyTorchJob, topology: &Topology, ledger: &mut Ledger) {
    let policy = &job.spec.run_policy;
    for role in topology.each() {
        let at = format!("{}.restartPolicy", role.path());
        match role.restart_policy() {
            "Always" => ledger.find(
                Finding::new(Code::RestartAlways, Outcome::Adapted, at)
                    .change("Always", "OnFailure"),
            ),
            "ExitCode" if fails_at_once(role, job) => {
                let finding = Finding::new(Code::RestartExitCode, Outcome::Adapted, at);
                ledger.find(
                    finding
                        .change("ExitCode", "Never")
                        .note("with a limit of 0 the first pod that fails is the last, whatever its exit code"),
                );
            }
            "ExitCode" => {
                let finding = Finding::new(Code::RestartExitCode, Outcome::Adapted, at);
                ledger.find(finding.change("ExitCode", "Never with podFailurePolicy"));
            }
            _ if role.spec.restart_policy.as_deref() == Some("") => {
                let finding = Finding::new(Code::SmallDifference, Outcome::Adapted, at);
                ledger.find(finding.note("empty is v1's default, OnFailure"));
            }
            _ => {}
        }
    }
    report_backoff_limit(policy, topology, ledger);
    report_end(job, topology, ledger);
    if let Some(seconds) = policy.ttl_seconds_after_finished {
        let at = "spec.runPolicy.ttlSecondsAfterFinished";
        ledger.find(Finding::new(Code::TimeToLive, Outcome::Lost, at).had(format!("{seconds} s")));
    }
    if policy
        .managed_by
        .as_deref()
        .is_some_and(|manager| manager != MULTIKUEUE)
    {
        let at = "spec.runPolicy.managedBy";
        ledger.find(
            Finding::new(Code::ManagedBy, Outcome::Adapted, at)
                .change("v1's controller", "Trainer"),
        );
    }
}

fn report_backoff_limit(policy: &RunPolicy, topology: &Topology, ledger: &mut Ledger) {
    let Some(limit) = policy.backoff_limit else {
        return;
    };
    let at = "spec.runPolicy.backoffLimit";
    let replaced = |role: &Role| matches!(role.restart_policy(), "Never" | "ExitCode");
    if topology.each().all(replaced) && limit > 0 {
        let finding = Finding::new(Code::BackoffLimit, Outcome::Adapted, at).had(limit.to_string());
        ledger.find(finding.note(
            "v1 counts restarts in place, and these pods are never restarted in place: no effect",
        ));
        return;
    }
    if topology.roles {
        let finding = Finding::new(Code::RestartCount, Outcome::Adapted, at);
        ledger.find(finding.change(
            format!("{limit} over all pods"),
            format!("{limit} for each pod that restarts in place"),
        ));
    }
    if limit > 0 {
        let finding = Finding::about(Code::BackoffLimit, Outcome::Adapted, at);
        ledger.find(finding.had(limit.to_string()).note(
            "a Job counts a pod that is evicted or deleted as well, v1 restarts in place alone",
        ));
    }
}

fn report_end(job: &PyTorchJob, topology: &Topology, ledger: &mut Ledger) {
    let both = topology.master.is_some() && topology.worker.is_some();
    if both && !topology.roles && success_rule(job, topology).is_none() {
        let about = Finding::about(
            Code::SuccessRule,
            Outcome::Adapted,
            "spec.pytorchReplicaSpecs.Master",
        );
        ledger.find(about.change(
            "the job succeeds with its Master",
            "when all pods have succeeded",
        ));
    }
    let at = "spec.runPolicy.cleanPodPolicy";
    let (policy, becomes) = match job.spec.run_policy.clean_pod_policy.as_deref() {
        Some("None") => ("None", "pods that still run are ended"),
        Some("All") => ("All", "finished pods stay"),
        Some("") => ("\"\" (as All)", "finished pods stay"),
        // In one pod set all pods end by themselves before the job is done; in two roles the Master alone decides.
        None if topology.roles => {
            let about = Finding::about(Code::CleanPodPolicy, Outcome::Adapted, at);
            let becomes = "workers that still run when the Master is done are ended";
            return ledger.find(about.change("unset (None)", becomes));
        }
        _ => return ledger.is_default(at),
    };
    ledger.find(Finding::new(Code::CleanPodPolicy, Outcome::Adapted, at).change(policy, becomes));
}

#[cfg(test)]
mod tests;
