//! The webhook: `AdmissionReview` in, judgement out.
//!
//! ```text
//! bytes -> decode (envelope, then object) -> policy -> convert -> respond (warnings, denial) -> bytes
//! ```
//!
//! `/mutate` speaks up only to refuse: mutating webhooks run before validating ones and before
//! ValidatingAdmissionPolicies, so that the helpful text is the one that people read. `/validate` judges everything
//! again and is the one that warns and records, or each line would be read twice.

pub mod credentials;
pub mod decode;
pub mod denial;
pub mod handler;
pub mod observer;
mod refusal;
pub mod respond;
pub mod warnings;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use jiff::Timestamp;

use crate::api::review::UserInfo;
use crate::convert::target::Target;
use crate::policy::{Namespace, Snapshot};

pub use handler::Door;
pub use observer::{Observer, Outcome, Summary};

/// What is asked of the cluster, and may take a while.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Option<T>> + Send + 'a>>;

/// What the webhook must know of the world around it.
pub trait Cluster: Send + Sync {
    /// What conversions are for, as of now; none while nobody knows.
    fn target(&self) -> Option<Arc<Target>>;

    /// A namespace that isn't in the snapshot of policies, such as one that was created a moment ago; none where nobody
    /// can tell.
    fn namespace<'a>(&'a self, name: &'a str) -> Asked<'a, Namespace>;

    /// Whether `user` may create TrainingRuntimes in `namespace`; none where nobody can tell.
    fn may_create_runtimes<'a>(&'a self, user: &'a UserInfo, namespace: &'a str)
    -> Asked<'a, bool>;

    /// Whether `user` may pass the denials of `policy`; none where nobody can tell.
    fn may_bypass<'a>(&'a self, user: &'a UserInfo, policy: &'a str) -> Asked<'a, bool>;
}

/// No cluster to ask: the built-in target, namespaces without labels of their own, and rights unknown.
#[derive(Debug, Default)]
pub struct Offline {
    target: Arc<Target>,
}

impl Offline {
    /// A world in which conversions are for `target`.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            target: Arc::new(target),
        }
    }
}

impl Cluster for Offline {
    fn target(&self) -> Option<Arc<Target>> {
        Some(Arc::clone(&self.target))
    }

    fn namespace<'a>(&'a self, name: &'a str) -> Asked<'a, Namespace> {
        Box::pin(std::future::ready(Some(Namespace::named(name))))
    }

    fn may_create_runtimes<'a>(
        &'a self,
        _user: &'a UserInfo,
        _namespace: &'a str,
    ) -> Asked<'a, bool> {
        Box::pin(std::future::ready(None))
    }

    fn may_bypass<'a>(&'a self, _user: &'a UserInfo, _policy: &'a str) -> Asked<'a, bool> {
        Box::pin(std::future::ready(None))
    }
}

/// Says what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Everything that a judgement depends on besides the request.
pub struct App {
    /// The policies in force and the namespaces that they are about; none before they were read. A request takes one
    /// snapshot and is judged by it from beginning to end.
    pub policies: Arc<ArcSwapOption<Snapshot>>,
    /// What time it is.
    pub clock: Clock,
    /// The world around.
    pub cluster: Arc<dyn Cluster>,
    /// Users whose business it is to start jobs that wait in a queue.
    pub queue_controllers: Vec<String>,
    /// Who is told of each answer.
    pub observer: Arc<dyn Observer>,
}

/// The webhook's two paths. Bodies have no limit here: the server in front sets one, and axum's own of 2 MiB is less
/// than an update of a large job, old and new.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/mutate", post(mutate))
        .route("/validate", post(validate))
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

async fn mutate(State(app): State<Arc<App>>, body: Bytes) -> respond::Reply {
    handler::handle(&app, Door::Mutate, &body).await
}

async fn validate(State(app): State<Arc<App>>, body: Bytes) -> respond::Reply {
    handler::handle(&app, Door::Validate, &body).await
}
