//! `PyTorchJob` of kubeflow.org/v1, as training-operator v1.9.3's CRD has it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::meta::ObjectMeta;
use super::pod::PodTemplate;
use super::{Rest, nullable};

/// A v1 job. Fields that this type doesn't name are kept in `rest`, at every level.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PyTorchJob {
    /// `kubeflow.org/v1`.
    #[serde(default)]
    pub api_version: String,
    /// `PyTorchJob`.
    #[serde(default)]
    pub kind: String,
    /// Name, namespace, labels, annotations.
    #[serde(default, deserialize_with = "nullable")]
    pub metadata: ObjectMeta,
    /// What to run.
    #[serde(default, deserialize_with = "nullable")]
    pub spec: PyTorchJobSpec,
    /// What v1's controller reported; never converted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Value>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `PyTorchJobSpec`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PyTorchJobSpec {
    /// When the job ends and what happens then.
    #[serde(default, deserialize_with = "nullable")]
    pub run_policy: RunPolicy,
    /// Elastic training by torchrun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elastic_policy: Option<ElasticPolicy>,
    /// `Master` and `Worker`. The key is kept as the user wrote it: v1's controller takes any case.
    #[serde(default, deserialize_with = "nullable")]
    pub pytorch_replica_specs: BTreeMap<String, Option<ReplicaSpec>>,
    /// `auto`, `cpu`, `gpu` or a number; `auto` when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nproc_per_node: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `ReplicaSpec`: the pods of one replica type.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaSpec {
    /// Number of pods; 1 when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// `Always`, `OnFailure` (when unset), `Never` or `ExitCode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<String>,
    /// The pods.
    #[serde(default, deserialize_with = "nullable")]
    pub template: PodTemplate,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `RunPolicy`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunPolicy {
    /// `None` (when unset), `Running` or `All`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clean_pod_policy: Option<String>,
    /// Seconds after which a finished job is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_seconds_after_finished: Option<i32>,
    /// Seconds that the job may run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_deadline_seconds: Option<i64>,
    /// Restarts before the job fails; unlimited when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_limit: Option<i32>,
    /// Gang scheduling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduling_policy: Option<SchedulingPolicy>,
    /// Whether the job waits without pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// Which controller runs the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `SchedulingPolicy`, which counts only where v1 runs with `--gang-scheduler-name`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SchedulingPolicy {
    /// Pods that must fit before any starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_available: Option<i32>,
    /// Volcano queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Resources that must be free before any pod starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_resources: Option<Value>,
    /// `PriorityClass` of the pod group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority_class: Option<String>,
    /// Seconds that the pod group waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_timeout_seconds: Option<i32>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `ElasticPolicy`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ElasticPolicy {
    /// Smallest number of workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_replicas: Option<i32>,
    /// Largest number of workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_replicas: Option<i32>,
    /// `c10d` (when unset), `etcd` or `etcd-v2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rdzv_backend: Option<String>,
    /// Rendezvous port; the worker's `pytorchjob-port` when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rdzv_port: Option<i32>,
    /// Rendezvous host; worker 0 when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rdzv_host: Option<String>,
    /// Rendezvous id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rdzv_id: Option<String>,
    /// More rendezvous configuration.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub rdzv_conf: Vec<RdzvConf>,
    /// Rendezvous on each node by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standalone: Option<bool>,
    /// Deprecated place of `nprocPerNode`.
    #[serde(rename = "nProcPerNode", skip_serializing_if = "Option::is_none")]
    pub nproc_per_node: Option<i32>,
    /// Restarts of torchrun's worker group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_restarts: Option<i32>,
    /// Metrics for v1's autoscaler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Value>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}

/// One `key=value` of the rendezvous configuration.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct RdzvConf {
    /// Key.
    #[serde(default)]
    pub key: String,
    /// Value.
    #[serde(default)]
    pub value: String,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}
