//! `TrainingRuntime` and `ClusterTrainingRuntime`, with as much of `JobSet` and Job as trainshift writes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::meta::ObjectMeta;
use super::pod::PodTemplate;

/// A runtime, of either kind.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainingRuntime {
    /// `trainer.kubeflow.org/v1alpha1`.
    pub api_version: String,
    /// `TrainingRuntime` or `ClusterTrainingRuntime`.
    pub kind: String,
    /// Name, namespace, labels.
    pub metadata: ObjectMeta,
    /// The template of the jobs.
    pub spec: TrainingRuntimeSpec,
}

/// `TrainingRuntimeSpec`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainingRuntimeSpec {
    /// The machine learning policy.
    pub ml_policy: MlPolicy,
    /// Gang scheduling: `{volcano: {}}` or `{coscheduling: {...}}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_group_policy: Option<Value>,
    /// The `JobSet`.
    pub template: JobSetTemplate,
}

/// `MLPolicy` without a framework: Trainer then sets no variable and no port of its own, so that the template's count.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MlPolicy {
    /// Number of pods of the training step, unless the `TrainJob` says otherwise.
    pub num_nodes: i32,
}

/// `JobSetTemplateSpec`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct JobSetTemplate {
    /// Labels and annotations of the `JobSet`.
    #[serde(default, skip_serializing_if = "ObjectMeta::is_empty")]
    pub metadata: ObjectMeta,
    /// The `JobSet`'s spec.
    pub spec: JobSetSpec,
}

/// `JobSetSpec`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobSetSpec {
    /// Which Jobs must succeed; all when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_policy: Option<Value>,
    /// The Jobs.
    pub replicated_jobs: Vec<ReplicatedJob>,
}

/// `ReplicatedJob`: one Job, or several alike.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ReplicatedJob {
    /// Name; part of the pods' names and addresses.
    pub name: String,
    /// Number of Jobs; 1 when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// The Job.
    pub template: JobTemplate,
}

/// `JobTemplateSpec`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct JobTemplate {
    /// Labels of the Job, by which Trainer knows the training step.
    #[serde(default, skip_serializing_if = "ObjectMeta::is_empty")]
    pub metadata: ObjectMeta,
    /// The Job's spec.
    pub spec: JobSpec,
}

/// `batch/v1` `JobSpec`. How many pods it has, Trainer sets: as many as nodes for the training step, one for others.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobSpec {
    /// Seconds that the Job may run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_deadline_seconds: Option<i64>,
    /// Restarts before the Job fails.
    pub backoff_limit: i32,
    /// `Failed`: a pod is replaced once it has ended, so that no index runs twice at a time.
    pub pod_replacement_policy: String,
    /// What the exit code of a pod means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_failure_policy: Option<Value>,
    /// When the Job has succeeded; when all indexes have, if unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_policy: Option<Value>,
    /// The pods.
    pub template: PodTemplate,
}

/// Metadata with nothing but labels.
#[must_use]
pub fn labelled<const N: usize>(labels: [(&str, &str); N]) -> ObjectMeta {
    ObjectMeta {
        labels: labels
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect::<BTreeMap<_, _>>(),
        ..ObjectMeta::default()
    }
}
