//! The webhook, offline: a request in, what it answers and why.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, anyhow};
use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::admission::respond::Reply;
use crate::admission::{App, Asked, Cluster, Door, Observer, Summary, handler};
use crate::api::meta::LABEL_NAMESPACE_NAME;
use crate::api::review::UserInfo;
use crate::cli::generate::review;
use crate::cli::input::policies::Contents;
use crate::convert::Verdict;
use crate::convert::target::Target;
use crate::policy::matching::Labels;
use crate::policy::{Decision, Mode, Namespace, Policies, Ruling, Snapshot};

/// Policies and namespaces, and a webhook that judges by them.
pub(super) struct World {
    snapshot: Snapshot,
    target: Arc<Target>,
    queue_controllers: Vec<String>,
    runtime: Runtime,
}

/// What `serve` is started with.
pub(super) struct Settings {
    /// The mode where no policy matches.
    pub(super) default: Mode,
    /// Users whose business it is to start jobs that wait in a queue.
    pub(super) queue_controllers: Vec<String>,
    /// What jobs are converted for.
    pub(super) target: Target,
}

/// What is asked.
pub(super) struct Question<'q> {
    /// The job as it will be.
    pub(super) job: &'q Value,
    /// The job as it was.
    pub(super) old: Option<&'q Value>,
    /// Workers that the scale subresource is asked for, instead of the job as it will be.
    pub(super) scale: Option<u32>,
    /// Who asks.
    pub(super) user: &'q str,
    /// His groups, besides those that the API server adds.
    pub(super) groups: &'q [String],
    /// When.
    pub(super) at: Timestamp,
    /// Labels of the job's namespace, instead of those that are known.
    pub(super) namespace: Option<&'q Labels>,
    /// The mode where no policy matches.
    pub(super) default: Mode,
    /// Whether he has the right to pass a denial.
    pub(super) may_bypass: bool,
    /// Whether nothing will be stored.
    pub(super) dry_run: bool,
}

/// What comes of it.
pub(super) struct Answer {
    /// What comes of the request.
    pub(super) decision: Decision,
    /// On what grounds; none where nobody had to decide.
    pub(super) ruling: Option<Ruling>,
    /// What the conversion came to, where there was one.
    pub(super) verdict: Option<Verdict>,
    /// What the client is told.
    pub(super) warnings: Vec<String>,
    /// Why it is refused.
    pub(super) message: Option<String>,
}

impl World {
    /// `namespaces` are Namespace objects, and whatever else is among them.
    pub(super) fn new<'v>(
        contents: &Contents,
        namespaces: impl Iterator<Item = &'v Value>,
        settings: Settings,
    ) -> anyhow::Result<Self> {
        let (policies, _) = Policies::new(contents.policies.iter().map(|(policy, _)| policy));
        let namespaces = namespaces.filter(|object| object["kind"] == "Namespace");
        let namespaces: anyhow::Result<Vec<_>> = namespaces.map(labelled).collect();
        Ok(Self {
            snapshot: Snapshot::new(settings.default)
                .with_policies(policies)
                .with_namespaces(namespaces?),
            target: Arc::new(settings.target),
            queue_controllers: settings.queue_controllers,
            runtime: Builder::new_current_thread()
                .build()
                .context("no runtime for the webhook")?,
        })
    }

    /// The mode where no policy matches.
    pub(super) fn default_mode(&self) -> Mode {
        self.snapshot.default
    }

    /// Asks the webhook.
    pub(super) fn ask(&self, question: &Question<'_>) -> anyhow::Result<Answer> {
        let groups = groups(question.user, question.groups);
        let asked = review::Asked {
            user: question.user,
            groups: &groups,
            object: question.job,
            old: question.old,
            dry_run: question.dry_run,
        };
        let review = match question.scale {
            None => review::of(&asked)?,
            Some(workers) => review::of_scale(&asked, workers)?,
        };
        let seen = Arc::new(Seen::default());
        let at = question.at;
        let app = App {
            policies: Arc::new(ArcSwapOption::from_pointee(self.snapshot(question))),
            clock: Arc::new(move || at),
            cluster: Arc::new(Around {
                target: Arc::clone(&self.target),
                may_bypass: question.may_bypass,
            }),
            queue_controllers: self.queue_controllers.clone(),
            observer: seen.clone(),
        };
        let body = serde_json::to_vec(&review)?;
        let reply = self
            .runtime
            .block_on(handler::handle(&app, Door::Validate, &body));
        let response = match reply {
            Reply::Judged(response) => response,
            Reply::Bad(bad) => return Err(anyhow!("{bad}")),
            Reply::NotYet(why) => return Err(anyhow!("{why}")),
        };
        let (ruling, verdict) = seen
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .unwrap_or_default();
        Ok(Answer {
            decision: match (response.allowed, response.warnings.is_empty()) {
                (false, _) => Decision::Deny,
                (true, false) => Decision::Warn,
                (true, true) => Decision::Admit,
            },
            ruling,
            verdict,
            warnings: response.warnings,
            message: response.status.map(|status| status.message),
        })
    }

    fn snapshot(&self, question: &Question<'_>) -> Snapshot {
        let mut snapshot = self.snapshot.clone();
        snapshot.default = question.default;
        match question.namespace {
            None => snapshot,
            Some(labels) => {
                let name = question.job["metadata"]["namespace"].as_str();
                let name = name.unwrap_or_default();
                snapshot.with_namespaces([(name.to_owned(), named(name, labels.clone()))])
            }
        }
    }
}

/// Name and labels of a Namespace object.
fn labelled(object: &Value) -> anyhow::Result<(String, Labels)> {
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str().unwrap_or_default();
    let labels: Option<Labels> =
        serde_json::from_value(metadata["labels"].clone()).with_context(|| {
            format!("Namespace {name:?}: metadata.labels must be strings: put each value in quotes")
        })?;
    Ok((name.to_owned(), named(name, labels.unwrap_or_default())))
}

/// With the label that the API server sets.
fn named(name: &str, mut labels: Labels) -> Labels {
    labels.insert(LABEL_NAMESPACE_NAME.to_owned(), name.to_owned());
    labels
}

/// Those that the API server adds by itself.
fn groups(user: &str, given: &[String]) -> Vec<String> {
    let mut groups = given.to_vec();
    groups.push("system:authenticated".to_owned());
    let account = user.strip_prefix("system:serviceaccount:");
    if let Some((namespace, _)) = account.and_then(|account| account.split_once(':')) {
        groups.push("system:serviceaccounts".to_owned());
        groups.push(format!("system:serviceaccounts:{namespace}"));
    }
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// Keeps on what grounds the webhook answered.
#[derive(Default)]
struct Seen(Mutex<Option<(Option<Ruling>, Option<Verdict>)>>);

impl Observer for Seen {
    fn answered(&self, summary: &Summary<'_>) {
        let verdict = summary.conversion.map(|conversion| conversion.verdict);
        let seen = (summary.ruling.cloned(), verdict);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }
}

/// No cluster but for what the question says of it.
struct Around {
    target: Arc<Target>,
    may_bypass: bool,
}

impl Cluster for Around {
    fn target(&self) -> Option<Arc<Target>> {
        Some(Arc::clone(&self.target))
    }

    fn namespace<'a>(&'a self, name: &'a str) -> Asked<'a, Namespace> {
        Box::pin(std::future::ready(Some(Namespace::named(name))))
    }

    fn may_create_runtimes<'a>(&'a self, _: &'a UserInfo, _: &'a str) -> Asked<'a, bool> {
        Box::pin(std::future::ready(None))
    }

    fn may_bypass<'a>(&'a self, _: &'a UserInfo, _: &'a str) -> Asked<'a, bool> {
        Box::pin(std::future::ready(Some(self.may_bypass)))
    }
}
