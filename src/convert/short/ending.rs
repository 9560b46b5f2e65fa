//! How the job's pods should end, beside how the runtime's do.

use super::Writer;
use crate::convert::finding::{Code, Finding, Outcome};
use crate::convert::lifecycle::{DEADLINE, JobPolicy, UNLIMITED};
use crate::convert::runtime::unset_backoff_limit;

/// A Job's `backoffLimit` when its template has none.
const JOB_BACKOFF_LIMIT: i32 = 6;

impl Writer<'_, '_> {
    /// How the runtime's pods end, beside how the job's should.
    pub(super) fn ending(&mut self, wanted: &JobPolicy) {
        let base_limit = if self.base.has_torch_policy() {
            JOB_BACKOFF_LIMIT
        } else {
            UNLIMITED
        };
        for role in self.plan.topology.each() {
            let at = format!("{}.restartPolicy", role.path());
            if wanted.restart_policy == "OnFailure" {
                self.ledger.is_default(at);
            } else {
                let finding = Finding::new(Code::RuntimeCannot, Outcome::Lost, at)
                    .change(role.restart_policy(), "OnFailure");
                let note = match base_limit {
                    UNLIMITED => format!("runtime {} restarts in place, for ever", self.base.name),
                    limit => format!(
                        "runtime {} restarts in place, {limit} times",
                        self.base.name
                    ),
                };
                self.unsaid.push(finding.note(note));
            }
        }
        let at = "spec.runPolicy.backoffLimit";
        let given = self.plan.job.spec.run_policy.backoff_limit;
        match given {
            // Said already to have no effect.
            Some(limit) if limit > 0 && wanted.restart_policy != "OnFailure" => {}
            Some(limit) if wanted.backoff_limit != base_limit => {
                let finding = Finding::new(Code::BackoffLimit, Outcome::Lost, at);
                let note = format!("the limit is runtime {}'s", self.base.name);
                self.unsaid.push(
                    finding
                        .change(limit.to_string(), base_limit.to_string())
                        .note(note),
                );
            }
            Some(_) => self.ledger.is_default(at),
            None if wanted.backoff_limit == UNLIMITED && !self.base.has_torch_policy() => {
                self.ledger
                    .find(unset_backoff_limit(Outcome::Adapted, UNLIMITED));
            }
            None if wanted.backoff_limit == UNLIMITED => {
                self.unsaid
                    .push(unset_backoff_limit(Outcome::Lost, JOB_BACKOFF_LIMIT));
            }
            None => {}
        }
        if let Some(seconds) = wanted.active_deadline_seconds {
            let finding = Finding::new(Code::Deadline, Outcome::Lost, DEADLINE);
            let note = format!(
                "only a runtime's Job can have a deadline under Trainer {}",
                self.plan.dialect
            );
            self.unsaid
                .push(finding.had(format!("{seconds} s")).note(note));
        }
        if wanted.success_policy.is_some() {
            let about =
                Finding::about(Code::SuccessRule, Outcome::Lost, "spec.pytorchReplicaSpecs");
            let old = if self.plan.topology.master.is_some() {
                "its Master"
            } else {
                "the first worker"
            };
            let note = format!("runtime {} has no success policy", self.base.name);
            self.unsaid.push(
                about
                    .change(
                        format!("the job succeeds with {old}"),
                        "when all pods have succeeded",
                    )
                    .note(note),
            );
        }
    }
}
