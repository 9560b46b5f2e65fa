//! Pod templates: typed where the converter's rules look at them, lossless everywhere else.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::meta::ObjectMeta;
use super::{Rest, nullable};

/// `core/v1` `PodTemplateSpec`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct PodTemplate {
    /// Labels and annotations of the pods.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "ObjectMeta::is_empty"
    )]
    pub metadata: ObjectMeta,
    /// What the pods run.
    #[serde(default, deserialize_with = "nullable")]
    pub spec: PodSpec,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `core/v1` `PodSpec`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodSpec {
    /// Containers that run to their end before the others start.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub init_containers: Vec<Container>,
    /// The containers.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub containers: Vec<Container>,
    /// Volumes that containers mount by name.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub volumes: Vec<Named>,
    /// In-place restarts by the kubelet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<String>,
    /// Debug containers, which can't be created with a pod.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub ephemeral_containers: Vec<Value>,
    /// Name that the pod sees as its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Headless service that the hostname is under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subdomain: Option<String>,
    /// The scheduler that places the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler_name: Option<String>,
    /// The pods' `PriorityClass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority_class_name: Option<String>,
    /// Affinity, whose selectors may name labels that v1 puts on its pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Value>,
    /// Spread over failure domains; selectors as in `affinity`.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub topology_spread_constraints: Vec<Value>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `core/v1` `Container`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Unique within the pod.
    #[serde(default)]
    pub name: String,
    /// The image; v1 wants one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Entrypoint; none means the image's own.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub command: Vec<String>,
    /// Arguments to the entrypoint.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub args: Vec<String>,
    /// Environment, in order: later entries may refer to earlier ones.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub env: Vec<EnvVar>,
    /// Ports, of which v1 finds the master port by name.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub ports: Vec<ContainerPort>,
    /// Limits, requests, claims.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Rest::is_empty"
    )]
    pub resources: Rest,
    /// Where volumes are mounted.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub volume_mounts: Vec<Named>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `core/v1` `EnvVar`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvVar {
    /// The variable's name.
    pub name: String,
    /// Its value; `$(OTHER)` refers to an earlier variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where the value comes from instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_from: Option<Value>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}

impl EnvVar {
    /// A variable with a literal value.
    #[must_use]
    pub fn literal(name: &str, value: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            value: Some(value.into()),
            ..Self::default()
        }
    }

    /// A variable whose value is a field of the pod, such as `metadata.annotations['key']`.
    #[must_use]
    pub fn field(name: &str, field_path: &str) -> Self {
        Self {
            name: name.to_owned(),
            value_from: Some(serde_json::json!({"fieldRef": {"fieldPath": field_path}})),
            ..Self::default()
        }
    }
}

/// `core/v1` `ContainerPort`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerPort {
    /// Name, unique within the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Number, 1 to 65535.
    pub container_port: i32,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A list element of which the rules need only the name: a volume or a volume mount.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Named {
    /// The element's name.
    #[serde(default)]
    pub name: String,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}
