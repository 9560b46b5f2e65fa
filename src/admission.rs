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
pub mod respond;
pub mod warnings;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;

use crate::api::review::UserInfo;
use crate::convert::target::Target;
use crate::policy::Rule;

pub use handler::{Door, Outcome, Summary};

/// What the webhook must know of the world around it.
pub trait Cluster: Send + Sync {
    /// What conversions are for, as of now; none while nobody knows.
    fn target(&self) -> Option<Arc<Target>>;

    /// Whether `user` may create TrainingRuntimes in `namespace`; `None` where nobody can tell.
    fn may_create_runtimes<'a>(
        &'a self,
        user: &'a UserInfo,
        namespace: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<bool>> + Send + 'a>>;
}

/// No cluster to ask: the built-in target, and rights unknown.
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

    fn may_create_runtimes<'a>(
        &'a self,
        _user: &'a UserInfo,
        _namespace: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<bool>> + Send + 'a>> {
        Box::pin(std::future::ready(None))
    }
}

/// Told of every request that was answered.
pub trait Observer: Send + Sync {
    /// `summary` says what was asked and what came of it.
    fn answered(&self, summary: &Summary<'_>);
}

/// Everything that a judgement depends on besides the request.
pub struct App {
    /// The rule in force.
    pub rule: Rule,
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
