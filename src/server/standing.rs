//! Keeps the status of policies current.
//!
//! What comes in: the snapshot that requests are judged by, conditions that failed, the time. What goes out: the status of
//! each MigrationPolicy in the cluster where it differs, metrics, and Events when a date has passed or a policy isn't ready.
//! Requests never wait for any of it.
//!
//! Every replica does this, and none leads: all compute the same from the same facts, and whoever is first writes. A write
//! holds the version of the object that was read, so the others' writes conflict, and on the next look there is nothing
//! left to write. Where replicas do disagree (two versions during an update, clocks that differ, a runtime that one has not
//! seen yet), each writes an unchanged opinion again after a minute at the earliest, and then ever more seldom.

mod failures;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Client;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tracing::warn;

use super::events::Events;
use super::tasks::Failure;
use crate::admission::{Clock, Cluster};
use crate::api::policy::MigrationPolicyStatus;
use crate::convert::target::Target;
use crate::policy::Snapshot;
use crate::policy::reach::{self, Reach};
use crate::policy::standing::{self, Facts, Noted, Stored};
use crate::telemetry::Metrics;
pub use failures::Failures;
use writer::{Outcome, Writer};

/// How often it is looked whether anything has changed. Dates are met by the wall clock, which may be set.
const POLL: Duration = Duration::from_secs(1);
/// How long what was computed is taken for true without any change.
const RECOMPUTE: Duration = Duration::from_secs(30);
/// After how long the objects are read although nothing has changed here, for somebody else may have changed them.
const REPAIR: Duration = Duration::from_mins(5);
/// The same, where some object has changed in whatever way.
const REPAIR_SOON: Duration = Duration::from_secs(30);
/// How soon a look that left something undone is repeated; doubles while the API server is away.
const RETRY: Duration = Duration::from_secs(2);
/// Longest pause between two tries.
const MAX_RETRY: Duration = Duration::from_mins(1);

/// What reports on policies.
pub struct Reporter {
    /// The policies in force.
    pub policies: Arc<ArcSwapOption<Snapshot>>,
    /// What time it is.
    pub clock: Clock,
    /// Knows the cluster's runtimes.
    pub cluster: Arc<dyn Cluster>,
    /// Conditions that failed on requests.
    pub failures: Arc<Failures>,
    /// Where policies are counted.
    pub metrics: Arc<Metrics>,
    /// Where the policies' objects are; none where policies come from a file, which has no status.
    pub client: Option<Client>,
    /// Who writes Events.
    pub events: Events,
}

/// What is known at one moment.
struct View {
    snapshot: Arc<Snapshot>,
    reach: Arc<BTreeMap<String, Reach>>,
    target: Arc<Target>,
    failures: Vec<Noted>,
    now: Timestamp,
}

/// What each policy's status should be, but for what only its object knows: generation and times of transitions.
type Drafts = BTreeMap<String, MigrationPolicyStatus>;

/// What was computed last.
struct Known {
    view: View,
    drafts: Drafts,
    computed: Instant,
    /// When the objects are to be read.
    look: Instant,
}

impl Known {
    fn is_stale(&self, view: &View, now: Instant) -> bool {
        !view.is_like(&self.view) || now.duration_since(self.computed) >= RECOMPUTE
    }
}

impl Reporter {
    /// Reports for ever.
    ///
    /// # Errors
    /// None: what can't be written is tried again.
    pub async fn follow(self) -> Result<(), Failure> {
        let mut writer = self
            .client
            .clone()
            .map(|client| Writer::new(client, Arc::clone(&self.metrics), self.events.clone()));
        let mut known: Option<Known> = None;
        let mut retry = RETRY;
        loop {
            sleep(POLL).await;
            let Some(view) = self.view(known.as_ref()).await else {
                continue;
            };
            let now = Instant::now();
            let learned = match known.take() {
                Some(known) if !known.is_stale(&view, now) => Known { view, ..known },
                before => self.learn(before.as_ref(), view, now),
            };
            let known = known.insert(learned);
            let Some(writer) = writer.as_mut().filter(|_| now >= known.look) else {
                continue;
            };
            let pause = match writer.write(&known.view, &known.drafts).await {
                Ok(outcome) => {
                    retry = RETRY;
                    match outcome {
                        Outcome::Settled => REPAIR,
                        Outcome::Later(pause) => pause,
                    }
                }
                Err(error) => {
                    warn!(%error, "the status of policies can't be written; trying again");
                    retry = (retry * 2).min(MAX_RETRY);
                    retry
                }
            };
            known.look = Instant::now() + pause;
        }
    }

    /// Computes what should be reported, and when the objects are to be read.
    fn learn(&self, before: Option<&Known>, view: View, now: Instant) -> Known {
        let drafts = view.drafts();
        self.count(&view, &drafts);
        let has_moved =
            before.is_none_or(|known| !Arc::ptr_eq(&known.view.snapshot, &view.snapshot));
        if has_moved {
            self.metrics.policies.changed.set(view.now.as_second());
        }
        let is_as_before = before.filter(|known| {
            known.drafts == drafts && same_policies(&known.view.snapshot, &view.snapshot)
        });
        let look = match is_as_before {
            None => now,
            Some(known) if has_moved => known.look.min(now + REPAIR_SOON),
            Some(known) => known.look,
        };
        Known {
            view,
            drafts,
            computed: now,
            look,
        }
    }

    /// What is known now; none before policies and cluster were read.
    async fn view(&self, known: Option<&Known>) -> Option<View> {
        let before = known.map(|known| &known.view);
        let snapshot = self.policies.load_full()?;
        let target = self.cluster.target()?;
        let reach = match before {
            Some(before) if Arc::ptr_eq(&before.snapshot, &snapshot) => Arc::clone(&before.reach),
            _ => {
                if let Some(before) = before {
                    self.forget_failures(&before.snapshot, &snapshot);
                }
                let of = Arc::clone(&snapshot);
                // With many policies and namespaces it takes a while.
                Arc::new(spawn_blocking(move || reach::of(&of)).await.ok()?)
            }
        };
        let now = (self.clock)();
        Some(View {
            snapshot,
            reach,
            target,
            failures: self.failures.recent(now),
            now,
        })
    }

    /// What failed was the policy as it was before.
    fn forget_failures(&self, before: &Snapshot, now: &Snapshot) {
        self.failures.keep(|policy| {
            let spec = |snapshot: &Snapshot| {
                snapshot
                    .policies()
                    .named(policy)
                    .map(|it| it.spec().clone())
            };
            spec(before) == spec(now)
        });
    }

    fn count(&self, view: &View, drafts: &Drafts) {
        let metrics = &self.metrics.policies;
        let ready = drafts.values().filter(|status| standing::is_ready(status));
        let ready = ready.count();
        metrics.count(ready, drafts.len() - ready);
        let policies = view.snapshot.policies().iter();
        metrics.exemptions(policies.flat_map(|policy| {
            let exemptions = policy.exemptions.all().iter();
            exemptions.filter(|it| it.until > view.now).map(|it| {
                let name = policy.name().to_owned();
                (it.until.as_second(), name, it.name.clone())
            })
        }));
    }
}

impl View {
    fn facts(&self) -> Facts<'_> {
        Facts {
            reach: &self.reach,
            runtimes: Some(&self.target.cluster_runtimes),
            failures: &self.failures,
            now: self.now,
        }
    }

    fn drafts(&self) -> Drafts {
        let facts = self.facts();
        let policies = self.snapshot.policies().iter();
        policies
            .map(|policy| {
                let mut status = standing::status(policy, &facts, &Stored::default());
                for condition in &mut status.conditions {
                    condition.last_transition_time = Time(Timestamp::UNIX_EPOCH);
                }
                (policy.name().to_owned(), status)
            })
            .collect()
    }

    /// Whether nothing has changed since `before`, and no date has passed.
    fn is_like(&self, before: &Self) -> bool {
        Arc::ptr_eq(&self.snapshot, &before.snapshot)
            && Arc::ptr_eq(&self.target, &before.target)
            && self.failures == before.failures
            && !self.has_passed_a_date_since(before.now)
    }

    fn has_passed_a_date_since(&self, before: Timestamp) -> bool {
        let policies = self.snapshot.policies().iter();
        policies
            .filter_map(|policy| standing::next_moment(policy, before))
            .any(|moment| moment <= self.now)
    }
}

/// Whether both have the same policies; they are ranked, so that equal ones are in equal places.
fn same_policies(one: &Snapshot, other: &Snapshot) -> bool {
    let policies = one.policies().iter().zip(other.policies().iter());
    std::ptr::eq(one, other)
        || (one.policies().iter().len() == other.policies().iter().len() && { policies }
            .all(|(one, other)| one.name() == other.name() && one.spec() == other.spec()))
}

#[cfg(test)]
mod tests;
