//! Who is excused from Deny.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::KubeSchema;
use crate::api::meta::SERVICE_ACCOUNT_PREFIX;

/// Who is excused from Deny, until when and why.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exemption {
    /// By which messages and the audit log call it.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// Who. Obligatory: everything else about a request can be written by anybody.
    #[schemars(length(min = 1, max = 32))]
    pub subjects: Vec<Subject>,
    /// Narrows it to jobs with one of these owners.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub owners: Vec<Owner>,
    /// Narrows it to jobs with one of these names; `*` at the end stands for any rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 253)))]
    pub names: Vec<String>,
    /// Why; for whoever reads the policy next year.
    #[schemars(length(min = 1, max = 256))]
    pub reason: String,
    /// When it ends.
    #[schemars(with = "String", extend("format" = "date-time"))]
    #[x_kube(validation = ("self < timestamp('9999-01-01T00:00:00Z')", "a date lies before the year 9999"))]
    pub until: Timestamp,
}

/// A user, a group or a ServiceAccount, as in a RoleBinding.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "(self.kind == 'ServiceAccount') == has(self.namespace)",
    "a ServiceAccount needs a namespace, users and groups have none"
))]
pub struct Subject {
    /// Which of the three.
    pub kind: SubjectKind,
    /// Of a ServiceAccount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
    /// The name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

impl Subject {
    /// The username, or the group, by which the API server knows it.
    #[must_use]
    pub fn known_as(&self) -> String {
        match self.kind {
            SubjectKind::User | SubjectKind::Group => self.name.clone(),
            SubjectKind::ServiceAccount => {
                let namespace = self.namespace.as_deref().unwrap_or_default();
                format!("{SERVICE_ACCOUNT_PREFIX}{namespace}:{}", self.name)
            }
        }
    }
}

/// Kinds of subjects.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum SubjectKind {
    /// By username.
    User,
    /// By a group that the authenticator names.
    Group,
    /// By namespace and name.
    ServiceAccount,
}

/// An owner of a PyTorchJob.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// API group of the owner, without version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 253))]
    pub api_group: String,
    /// Its kind.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// Its name. Unset: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,
}
