//! `Event` of audit.k8s.io/v1, as far as a report of PyTorchJobs reads it.
//!
//! An `EventList` is read as an event that has `items` and nothing else: a line of a log holds one or the other.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::nullable;

/// API version of audit events.
pub const AUDIT_API_VERSION: &str = "audit.k8s.io/v1";
/// Kind of one event.
pub const EVENT: &str = "Event";
/// Kind of several.
pub const EVENT_LIST: &str = "EventList";
/// Stage of an event that tells how a request ended.
pub const RESPONSE_COMPLETE: &str = "ResponseComplete";
/// Begins the keys under which the API server names a webhook that was asked, didn't answer, and may be done without
/// (k8s.io/apiserver v0.36.3 `pkg/admission/plugin/webhook/{mutating,validating}/dispatcher.go`).
pub const FAILED_OPEN_PREFIX: &str = "failed-open.";

/// One request, or several.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    /// `audit.k8s.io/v1`; the items of a list may leave it out.
    pub api_version: String,
    /// `Event` or `EventList`.
    pub kind: String,
    /// Unique for each request, unless the client chose it by the header `Audit-ID`.
    #[serde(rename = "auditID")]
    pub audit_id: String,
    /// `RequestReceived`, `ResponseStarted`, `ResponseComplete` or `Panic`.
    pub stage: String,
    /// Path and query.
    #[serde(rename = "requestURI")]
    pub request_uri: String,
    /// `create`, `patch`, ...
    pub verb: String,
    /// Who authenticated.
    #[serde(deserialize_with = "nullable")]
    pub user: User,
    /// As whom.
    pub impersonated_user: Option<User>,
    /// What the client calls itself.
    pub user_agent: String,
    /// What was asked for.
    #[serde(deserialize_with = "nullable")]
    pub object_ref: ObjectRef,
    /// How it ended.
    #[serde(deserialize_with = "nullable")]
    pub response_status: ResponseStatus,
    /// When the request came in.
    pub request_received_timestamp: Option<Timestamp>,
    /// What authorization and admission noted.
    #[serde(deserialize_with = "nullable")]
    pub annotations: BTreeMap<String, String>,
    /// The events of a list.
    #[serde(deserialize_with = "nullable")]
    pub items: Vec<Event>,
}

/// A name by which the API server knew somebody.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct User {
    /// `system:serviceaccount:NAMESPACE:NAME` for service accounts.
    pub username: String,
}

/// What was asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectRef {
    /// Resource, plural.
    pub resource: String,
    /// The object's namespace.
    pub namespace: String,
    /// The object's name; empty where the API server made one up, and for collections.
    pub name: String,
    /// API group.
    pub api_group: String,
    /// `status`, `scale` or nothing.
    pub subresource: String,
}

/// How a request ended.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ResponseStatus {
    /// HTTP status.
    pub code: u16,
    /// What the client was told, where it failed.
    pub message: String,
}
