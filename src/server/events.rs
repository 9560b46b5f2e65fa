//! Kubernetes Events, for people who look at a namespace, a job or a policy.
//!
//! ```text
//! answered request --+
//! status of a policy-+-> bounded channel -> Book (counts by namespace, policy, reason and user) -> one write a minute and key
//! ```
//!
//! A request never waits: what the channel doesn't hold is dropped, and a metric counts it. Dry runs make no Event, so the
//! webhooks' `sideEffects` is `NoneOnDryRun`.
//!
//! Written as events.k8s.io/v1, where an Event that comes again has a series: a count and a time. kube's own recorder
//! counts by object, of which a queue of jobs has thousands, and has no bound. Who may see a job's Events sees the namespace.
//! A refused job was never stored, so its Event is about the Namespace and names the job; `kubectl get events -n NAMESPACE`
//! shows it. One about a job that goes on is about the first job of the series; `kubectl describe pytorchjob` shows it.

mod book;
mod observed;

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{Instant, sleep, timeout};
use tracing::warn;

use super::tasks::Failure;
use crate::admission::Clock;
use crate::api::meta::{MIGRATION_POLICY, OWN_API_VERSION, PYTORCHJOB, V1_API_VERSION};
use crate::telemetry::{EventFate, Metrics};
use book::{Book, Entry, Outcome, Write};

type Event = k8s_openapi::api::events::v1::Event;

/// What the channel holds.
const WAITING: usize = 1024;
/// How often it is looked what is to be written.
const POLL: Duration = Duration::from_secs(1);
/// Longest wait for one answer of the API server.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long nothing is written after the API server was away; doubles.
const RETRY: Duration = Duration::from_secs(2);
/// Longest such pause.
const MAX_RETRY: Duration = Duration::from_mins(1);
/// Who reports, in every Event.
const CONTROLLER: &str = "trainshift.dev/trainshift";
/// Where Events about objects without a namespace are (kubernetes v1.36.3 `pkg/apis/core/validation/events.go`).
const DEFAULT_NAMESPACE: &str = "default";
/// Longest name of who reports.
const MAX_INSTANCE: usize = 128;

/// What happened, to be counted with what is like it.
#[derive(Clone, Debug)]
pub struct News {
    /// The object that it is about.
    pub regarding: Object,
    /// The policy by which it happened.
    pub policy: String,
    /// One word.
    pub reason: &'static str,
    /// Whether somebody should look at it.
    pub is_warning: bool,
    /// Who did it. Together with namespace, policy and reason it says what is counted together.
    pub by: String,
    /// What happened the first time.
    pub note: String,
}

/// The object that an Event is about.
#[derive(Clone, Debug, Default)]
pub struct Object {
    api_version: &'static str,
    kind: &'static str,
    /// Empty for a policy.
    namespace: String,
    name: String,
    uid: String,
}

impl Object {
    /// A policy.
    #[must_use]
    pub fn policy(name: &str, uid: &str) -> Self {
        Self {
            api_version: OWN_API_VERSION,
            kind: MIGRATION_POLICY,
            namespace: String::new(),
            name: name.to_owned(),
            uid: uid.to_owned(),
        }
    }

    /// A job that is stored.
    fn job(namespace: &str, name: &str, uid: &str) -> Self {
        Self {
            api_version: V1_API_VERSION,
            kind: PYTORCHJOB,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: uid.to_owned(),
        }
    }

    /// A namespace; its Events are in itself.
    fn namespace(name: &str) -> Self {
        Self {
            api_version: "v1",
            kind: "Namespace",
            namespace: name.to_owned(),
            name: name.to_owned(),
            uid: String::new(),
        }
    }

    fn home(&self) -> &str {
        match self.namespace.as_str() {
            "" => DEFAULT_NAMESPACE,
            namespace => namespace,
        }
    }

    fn reference(&self) -> ObjectReference {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        ObjectReference {
            api_version: given(self.api_version),
            kind: given(self.kind),
            namespace: given(&self.namespace),
            name: given(&self.name),
            uid: given(&self.uid),
            ..ObjectReference::default()
        }
    }
}

/// Takes what is to be told. Clones share it.
#[derive(Clone)]
pub struct Events {
    channel: Option<Sender<News>>,
    metrics: Arc<Metrics>,
}

impl Events {
    /// Where no cluster is: nothing is told to anybody.
    #[must_use]
    pub fn nowhere(metrics: Arc<Metrics>) -> Self {
        Self {
            channel: None,
            metrics,
        }
    }

    /// To be written by the second; `instance` tells one replica from another.
    #[must_use]
    pub fn to(
        client: Client,
        clock: Clock,
        instance: &str,
        metrics: Arc<Metrics>,
    ) -> (Self, Recorder) {
        let (channel, news) = mpsc::channel(WAITING);
        let instance: String = match instance {
            "" => "trainshift".to_owned(),
            given => given
                .chars()
                .filter(char::is_ascii_graphic)
                .take(MAX_INSTANCE)
                .collect(),
        };
        let recorder = Recorder {
            client,
            clock,
            instance,
            metrics: Arc::clone(&metrics),
            news,
        };
        let events = Self {
            channel: Some(channel),
            metrics,
        };
        (events, recorder)
    }

    /// Tells it, if there is room; never waits.
    pub fn tell(&self, news: News) {
        if let Some(channel) = &self.channel
            && channel.try_send(news).is_err()
        {
            self.metrics.policies.event(EventFate::Dropped);
        }
    }
}

/// Writes Events to the cluster.
pub struct Recorder {
    client: Client,
    clock: Clock,
    instance: String,
    metrics: Arc<Metrics>,
    news: Receiver<News>,
}

/// Why an Event was not written.
enum Refusal {
    /// The Event, or its series, is gone.
    Gone,
    /// This one never will be.
    ThisOne(String),
    /// Nothing can be written now.
    All(String),
}

impl Recorder {
    /// Writes for ever.
    ///
    /// # Errors
    /// None: what can't be written is tried again, or dropped.
    pub async fn follow(mut self) -> Result<(), Failure> {
        let mut book = Book::new();
        let mut pause = RETRY;
        let mut paused_until = Instant::now();
        loop {
            // Between any two writes the channel is emptied.
            while let Ok(news) = self.news.try_recv() {
                self.note(&mut book, news);
            }
            let now = Instant::now();
            book.forget(now);
            let due = book.due(now).filter(|_| now >= paused_until);
            let Some((key, write)) = due else {
                tokio::select! {
                    Some(news) = self.news.recv() => self.note(&mut book, news),
                    () = sleep(POLL) => {}
                }
                continue;
            };
            let metrics = &self.metrics.policies;
            let refusal = match self.write(&write).await {
                Ok(()) => {
                    metrics.event(EventFate::Written);
                    pause = RETRY;
                    book.written(&key, &write, Outcome::Written, Instant::now());
                    continue;
                }
                Err(refusal) => refusal,
            };
            metrics.event(EventFate::Failed);
            match refusal {
                Refusal::Gone => book.written(&key, &write, Outcome::Gone, Instant::now()),
                Refusal::ThisOne(error) => {
                    warn!(%error, "an Event can't be written");
                    book.written(&key, &write, Outcome::Refused, Instant::now());
                }
                Refusal::All(error) => {
                    warn!(%error, "Events can't be written; trying again");
                    paused_until = Instant::now() + pause;
                    pause = (pause * 2).min(MAX_RETRY);
                }
            }
        }
    }

    fn note(&self, book: &mut Book, news: News) {
        if !book.note(news, (self.clock)(), Instant::now()) {
            self.metrics.policies.event(EventFate::Dropped);
        }
    }

    async fn write(&self, write: &Write) -> Result<(), Refusal> {
        let entry = &write.entry;
        let api: Api<Event> = Api::namespaced(self.client.clone(), entry.news.regarding.home());
        let answer = async {
            if write.is_first {
                api.create(&PostParams::default(), &self.event(entry)).await
            } else {
                let series = json!({"series": entry.series()});
                let parameters = PatchParams::default();
                api.patch(&entry.name, &parameters, &Patch::Merge(series))
                    .await
            }
        };
        match timeout(PATIENCE, answer).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(kube::Error::Api(error))) if error.code == 409 && write.is_first => Ok(()),
            Ok(Err(kube::Error::Api(error))) if error.code == 404 && !write.is_first => {
                Err(Refusal::Gone)
            }
            Ok(Err(kube::Error::Api(error)))
                if (400..500).contains(&error.code) && error.code != 429 =>
            {
                Err(Refusal::ThisOne(error.message))
            }
            Ok(Err(error)) => Err(Refusal::All(error.to_string())),
            Err(_) => Err(Refusal::All(format!("no answer within {PATIENCE:?}"))),
        }
    }

    fn event(&self, entry: &Entry) -> Event {
        let mut event = entry.event();
        event.reporting_controller = Some(CONTROLLER.to_owned());
        event.reporting_instance = Some(self.instance.clone());
        event
    }
}
