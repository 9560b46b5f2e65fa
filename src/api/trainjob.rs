//! `TrainJob` of trainer.kubeflow.org/v1alpha1, as far as trainshift writes it (Kubeflow Trainer v2.0.1 to v2.3.0).
//!
//! What differs from the runtime's pods stands in one of three lists, by the version of Trainer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::meta::ObjectMeta;
use super::pod::EnvVar;
use super::{Rest, nullable};

/// A v2 job.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainJob {
    /// `trainer.kubeflow.org/v1alpha1`.
    pub api_version: String,
    /// `TrainJob`.
    pub kind: String,
    /// Name, namespace, labels, annotations.
    pub metadata: ObjectMeta,
    /// What to run.
    pub spec: TrainJobSpec,
}

/// `TrainJobSpec`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainJobSpec {
    /// The runtime that the job starts from.
    pub runtime_ref: RuntimeRef,
    /// Whether the job waits without pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// Seconds that the job may run (from Trainer 2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_deadline_seconds: Option<i64>,
    /// Which controller runs the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    /// The training container and the number of nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trainer: Option<Trainer>,
    /// What else of the runtime's pod spec differs for this job (Trainer 2.0).
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub pod_spec_overrides: Vec<PodSpecOverride>,
    /// What else of the runtime's pod template differs for this job (Trainer 2.1).
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub pod_template_overrides: Vec<PodTemplateOverride>,
    /// What else of the runtime's pod template differs for this job (from Trainer 2.2).
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub runtime_patches: Vec<RuntimePatch>,
}

/// Reference to a runtime.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeRef {
    /// `trainer.kubeflow.org`; the API's default, so left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_group: Option<String>,
    /// `ClusterTrainingRuntime` when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The runtime's name.
    pub name: String,
}

/// `Trainer`: the container `node` of the training step.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trainer {
    /// Number of pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_nodes: Option<i32>,
    /// Processes on each node; read under a torch policy only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_proc_per_node: Option<i32>,
    /// The image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Entrypoint.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub command: Vec<String>,
    /// Arguments.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub args: Vec<String>,
    /// Environment, in order.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub env: Vec<EnvVar>,
    /// Limits and requests of each node.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Rest::is_empty"
    )]
    pub resources_per_node: Rest,
}

/// `PodSpecOverride` (Trainer 2.0): a strategic merge of the pod spec.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodSpecOverride {
    /// The replicated jobs whose pods differ. None may be named in two overrides.
    pub target_jobs: Vec<TargetJob>,
    /// The fields of the pod spec.
    #[serde(flatten)]
    pub spec: Rest,
}

/// `PodTemplateOverride` (Trainer 2.1): a strategic merge of the pod template.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodTemplateOverride {
    /// The replicated jobs whose pods differ.
    pub target_jobs: Vec<TargetJob>,
    /// The fields of the pod template: `metadata` and `spec`.
    #[serde(flatten)]
    pub template: Rest,
}

/// A replicated job, by its name.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct TargetJob {
    /// Name of the replicated job in the runtime.
    pub name: String,
}

/// `RuntimePatch` (from Trainer 2.2). The patch below `template` is a strategic merge of the runtime's `JobSet` template.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuntimePatch {
    /// Whose patch it is: a domain-prefixed path.
    pub manager: String,
    /// The patch: `{template: {spec: {replicatedJobs: [...]}}}`.
    pub training_runtime_spec: Value,
}
