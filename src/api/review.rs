//! `AdmissionReview` of admission.k8s.io/v1.
//!
//! A request's objects stay raw text, so that the uid can be echoed when an object is garbage.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::meta::SERVICE_ACCOUNT_PREFIX;
use super::nullable;

/// API version of the only review that trainshift speaks.
pub const REVIEW_API_VERSION: &str = "admission.k8s.io/v1";
/// Kind of a review.
pub const REVIEW_KIND: &str = "AdmissionReview";

/// What the API server sends.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewRequest {
    /// `admission.k8s.io/v1`.
    #[serde(default)]
    pub api_version: String,
    /// `AdmissionReview`.
    #[serde(default)]
    pub kind: String,
    /// The request itself.
    pub request: Option<Request>,
}

/// `AdmissionRequest`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Echoed in the response.
    pub uid: String,
    /// The kind that the API server converted the object to for this webhook.
    #[serde(default)]
    pub kind: GroupVersionKind,
    /// The resource that the request is for.
    #[serde(default)]
    pub resource: GroupVersionResource,
    /// `scale`, `status` or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_resource: Option<String>,
    /// The object's name; empty while the API server has yet to make one up.
    #[serde(default)]
    pub name: String,
    /// The object's namespace.
    #[serde(default)]
    pub namespace: String,
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    #[serde(default)]
    pub operation: String,
    /// Who asks.
    #[serde(default)]
    pub user_info: UserInfo,
    /// The object as it will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Box<RawValue>>,
    /// The object as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_object: Option<Box<RawValue>>,
    /// Whether nothing will be stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// Group, version and kind.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct GroupVersionKind {
    /// API group.
    #[serde(default)]
    pub group: String,
    /// API version.
    #[serde(default)]
    pub version: String,
    /// Kind.
    #[serde(default)]
    pub kind: String,
}

/// Group, version and resource.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct GroupVersionResource {
    /// API group.
    #[serde(default)]
    pub group: String,
    /// API version.
    #[serde(default)]
    pub version: String,
    /// Resource, plural.
    #[serde(default)]
    pub resource: String,
}

/// Who asks.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct UserInfo {
    /// `system:serviceaccount:NAMESPACE:NAME` for service accounts.
    #[serde(default)]
    pub username: String,
    /// Unique over time, where the authenticator knows it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Groups.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub groups: Vec<String>,
    /// What else the authenticator said.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub extra: BTreeMap<String, Vec<String>>,
}

impl UserInfo {
    /// Whether the requester is a `ServiceAccount`.
    #[must_use]
    pub fn is_service_account(&self) -> bool {
        self.username.starts_with(SERVICE_ACCOUNT_PREFIX)
    }
}

/// What trainshift answers.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewResponse {
    /// `admission.k8s.io/v1`.
    pub api_version: String,
    /// `AdmissionReview`.
    pub kind: String,
    /// The answer itself.
    pub response: Response,
}

/// `AdmissionResponse`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The request's.
    pub uid: String,
    /// Whether the request goes on.
    pub allowed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Lines that the client shows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Notes for the audit log; the API server prefixes each key with the webhook's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub audit_annotations: BTreeMap<String, String>,
}

/// `meta/v1` `Status`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Status {
    /// `Failure`.
    pub status: String,
    /// What the client shows.
    pub message: String,
    /// `Forbidden`, `Invalid`.
    pub reason: String,
    /// HTTP status of the refusal.
    pub code: u16,
    /// What machines read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
}

/// `meta/v1` `StatusDetails`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Details {
    /// The object's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The object's group.
    pub group: String,
    /// The object's kind.
    pub kind: String,
    /// One entry for each finding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
}

/// `meta/v1` `StatusCause`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Cause {
    /// The finding's code, such as `TS014`.
    pub reason: String,
    /// What a person reads.
    pub message: String,
    /// Path of the field in the `PyTorchJob`.
    pub field: String,
}
