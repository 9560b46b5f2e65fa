//! Writes the status of policies where it differs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kube::api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams};
use kube::{Api, Client};
use serde::Deserialize as _;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tracing::info;

use super::{Drafts, View};
use crate::api::meta::{
    EXEMPTIONS_EXPIRED, MIGRATION_POLICY, OWN_API_VERSION, READY, STATUS_MANAGER,
};
use crate::api::policy::{MigrationPolicy, MigrationPolicySpec, MigrationPolicyStatus};
use crate::policy::standing::{self, Stored};
use crate::policy::{Mode, Policy};
use crate::server::events::{Events, News, Object};
use crate::telemetry::{Metrics, StatusFate};

/// Longest wait for one answer of the API server.
const PATIENCE: Duration = Duration::from_secs(10);
/// How soon an object is looked at again that another replica was just writing.
const SOON: Duration = Duration::from_secs(2);
/// After how long an opinion is written again that somebody else has overwritten; doubles each time.
const INSIST: Duration = Duration::from_mins(1);
/// Longest such pause.
const MAX_INSIST: Duration = Duration::from_hours(1);

/// How far a round of writing came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Everything is as it should be.
    Settled,
    /// Something is left, to be looked at after this time.
    Later(Duration),
}

/// Why nothing could be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error("{0}")]
    Api(#[from] kube::Error),
    #[error("no answer within {PATIENCE:?}")]
    Late,
}

/// What was written of a policy last.
struct Opinion {
    status: MigrationPolicyStatus,
    generation: Option<i64>,
    /// Before then it isn't written again.
    not_before: Instant,
    pause: Duration,
}

/// Writes to one cluster.
pub(super) struct Writer {
    api: Api<DynamicObject>,
    metrics: Arc<Metrics>,
    events: Events,
    opinions: HashMap<String, Opinion>,
}

impl Writer {
    pub(super) fn new(client: Client, metrics: Arc<Metrics>, events: Events) -> Self {
        // One by one, so that an object that can't be read hides no other.
        let kind = ApiResource::erase::<MigrationPolicy>(&());
        Self {
            api: Api::all_with(client, &kind),
            metrics,
            events,
            opinions: HashMap::new(),
        }
    }

    /// Reads all policies' objects, and writes the status of those that don't have the one that they should.
    pub(super) async fn write(
        &mut self,
        view: &View,
        drafts: &Drafts,
    ) -> Result<Outcome, WriteError> {
        self.opinions.retain(|name, _| drafts.contains_key(name));
        if drafts.is_empty() {
            return Ok(Outcome::Settled);
        }
        let policies = view.snapshot.policies().iter();
        let policies: HashMap<_, _> = policies.map(|policy| (policy.name(), policy)).collect();
        let listed = answered(self.api.list(&ListParams::default())).await?;
        let mut later: Option<Duration> = None;
        for object in listed {
            let name = object.metadata.name.as_deref().unwrap_or_default();
            let known = policies.get(name).zip(drafts.get(name));
            // Newer than the snapshot, and so than what can be said of it: the next snapshot is looked at as soon as it is
            // there. Or in a form that can't be read, which stays.
            let Some((policy, draft)) = known.filter(|(policy, _)| has_spec(&object, policy))
            else {
                continue;
            };
            if let Some(pause) = self.write_one(policy, &object, draft, view).await? {
                later = Some(later.map_or(pause, |later| later.min(pause)));
            }
        }
        Ok(later.map_or(Outcome::Settled, Outcome::Later))
    }

    /// After how long to look again, if need be.
    async fn write_one(
        &mut self,
        policy: &Policy,
        object: &DynamicObject,
        draft: &MigrationPolicyStatus,
        view: &View,
    ) -> Result<Option<Duration>, WriteError> {
        let stored = Stored {
            generation: object.metadata.generation,
            status: serde_json::from_value(object.data["status"].clone()).unwrap_or_default(),
        };
        let status = standing::status(policy, &view.facts(), &stored);
        if status == stored.status {
            return Ok(None);
        }
        let pause = match self.opinions.get(policy.name()) {
            Some(known) if known.status == *draft && known.generation == stored.generation => {
                let wait = known.not_before.saturating_duration_since(Instant::now());
                if !wait.is_zero() {
                    return Ok(Some(wait));
                }
                (known.pause * 2).min(MAX_INSIST)
            }
            _ => INSIST,
        };
        let parameters = PatchParams::apply(STATUS_MANAGER).force();
        let patch = Patch::Apply(applied(object, &status));
        let written = answered(self.api.patch_status(policy.name(), &parameters, &patch)).await;
        let metrics = &self.metrics.policies;
        match written {
            Ok(_) => metrics.status_written(StatusFate::Written),
            Err(WriteError::Api(kube::Error::Api(error))) if matches!(error.code, 404 | 409) => {
                metrics.status_written(StatusFate::Conflict);
                return Ok(Some(SOON));
            }
            Err(error) => {
                metrics.status_written(StatusFate::Failed);
                return Err(error);
            }
        }
        self.opinions.insert(
            policy.name().to_owned(),
            Opinion {
                status: draft.clone(),
                generation: stored.generation,
                not_before: Instant::now() + pause,
                pause,
            },
        );
        info!(
            policy = policy.name(),
            mode = status.active_mode.map(Mode::as_str),
            ready = standing::is_ready(&status),
            "reported on a policy"
        );
        let uid = object.metadata.uid.clone().unwrap_or_default();
        for (reason, is_warning, note) in news(&stored.status, &status) {
            self.events.tell(News {
                regarding: Object::policy(policy.name(), &uid),
                policy: policy.name().to_owned(),
                reason,
                is_warning,
                // Each is told by itself.
                by: note.clone(),
                note,
            });
        }
        Ok(None)
    }
}

/// Whether the object is the policy that is known.
fn has_spec(object: &DynamicObject, policy: &Policy) -> bool {
    let spec = MigrationPolicySpec::deserialize(&object.data["spec"]);
    spec.is_ok_and(|spec| spec == *policy.spec())
}

/// The status, to be written on that version of the object and no other.
fn applied(object: &DynamicObject, status: &MigrationPolicyStatus) -> Value {
    let metadata = &object.metadata;
    json!({
        "apiVersion": OWN_API_VERSION,
        "kind": MIGRATION_POLICY,
        "metadata": {
            "name": metadata.name,
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
        },
        "status": status,
    })
}

/// What whoever looks after the policy should hear of, by reason: a date has passed, or something is wrong.
fn news(
    before: &MigrationPolicyStatus,
    now: &MigrationPolicyStatus,
) -> Vec<(&'static str, bool, String)> {
    let mut news = Vec::new();
    let is_same_spec = before.observed_generation == now.observed_generation;
    if let (Some(was), Some(mode), true) = (before.active_mode, now.active_mode, is_same_spec)
        && was != mode
    {
        let note = format!("a date has passed: the mode is {mode}, and was {was}");
        news.push(("ModeChanged", false, note));
    }
    let text = |status: &MigrationPolicyStatus, kind, holds| {
        standing::condition(status, kind)
            .filter(|condition| condition.status == holds)
            .map(|condition| condition.message.clone())
    };
    for (kind, holds, reason, is_warning) in [
        (READY, "False", "NotReady", true),
        (EXEMPTIONS_EXPIRED, "True", EXEMPTIONS_EXPIRED, false),
    ] {
        if let Some(message) = text(now, kind, holds)
            && text(before, kind, holds).as_ref() != Some(&message)
        {
            news.push((reason, is_warning, message));
        }
    }
    news
}

async fn answered<T>(
    answer: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, WriteError> {
    Ok(timeout(PATIENCE, answer)
        .await
        .map_err(|_| WriteError::Late)??)
}
