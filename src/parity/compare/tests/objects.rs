//! A job as v1 and v2 make it, rightly converted: what tests then do something wrong to.

use serde_json::json;

use crate::convert::finding::{Code, Finding, Outcome};
use crate::parity::{V1Objects, V2Objects};

/// What v1 makes of a job `job` with a Master and `workers` Workers.
pub(super) fn v1(workers: usize) -> V1Objects {
    let pod = |rank: usize| {
        let (role, index) = if rank == 0 {
            ("master", 0)
        } else {
            ("worker", rank - 1)
        };
        let init = json!({"name": "init-pytorch", "image": "alpine:3.10", "command": ["nslookup job-master-0"]});
        json!({
            "metadata": {"name": format!("job-{role}-{index}"), "labels": {
                "training.kubeflow.org/job-name": "job",
                "training.kubeflow.org/replica-type": role,
                "training.kubeflow.org/replica-index": index.to_string(),
            }},
            "spec": {
                "initContainers": if rank == 0 { json!([]) } else { json!([init]) },
                "containers": [{
                    "name": "pytorch", "image": "image:1", "command": ["train", "--rank=$(RANK)"],
                    "args": ["--master", "job-master-0:9000"],
                    "env": [
                        {"name": "USER", "value": "me"},
                        {"name": "MASTER_ADDR", "value": "job-master-0"},
                        {"name": "RANK", "value": rank.to_string()},
                    ],
                    "ports": [{"name": "pytorchjob-port", "containerPort": 23456}],
                    "volumeMounts": [{"name": "data", "mountPath": "/a"}, {"name": "data", "mountPath": "/b"}],
                }],
                "volumes": [{"name": "data", "emptyDir": {}}],
                "restartPolicy": "OnFailure",
                "tolerations": [{"key": "gpu", "operator": "Exists"}],
            },
        })
    };
    V1Objects {
        job: json!({"metadata": {"name": "job", "labels": {"team": "a"}}, "spec": {"pytorchReplicaSpecs": {
            "Master": {"replicas": 1}, "Worker": {"replicas": workers},
        }}}),
        pods: (0..=workers).map(pod).collect(),
        pod_group: None,
    }
}

/// What v2 makes of the same job, rightly converted.
pub(super) fn v2(workers: usize) -> V2Objects {
    let pod = |rank: usize| {
        let index = "batch.kubernetes.io/job-completion-index";
        let of_pod = json!({"fieldRef": {"fieldPath": format!("metadata.annotations['{index}']")}});
        json!({
            "metadata": {
                "name": format!("job-node-0-{rank}-abcde"), "finalizers": ["batch.kubernetes.io/job-tracking"],
                "labels": {
                    "jobset.sigs.k8s.io/jobset-name": "job", "job-name": "job-node-0",
                    "jobset.sigs.k8s.io/job-global-index": "0", "jobset.sigs.k8s.io/job-group-index": "0",
                    "jobset.sigs.k8s.io/global-replicas": "1", "jobset.sigs.k8s.io/replicatedjob-name": "node",
                },
                "annotations": {index: rank.to_string()},
            },
            "spec": {
                "hostname": format!("job-node-0-{rank}"), "subdomain": "job",
                "containers": [{
                    "name": "node", "image": "image:1", "command": ["train", "--rank=$(RANK)"],
                    "args": ["--master", "job-node-0-0.job:9000"],
                    "env": [
                        {"name": "USER", "value": "me"},
                        {"name": "MASTER_ADDR", "value": "job-node-0-0.job"},
                        {"name": "RANK", "valueFrom": of_pod},
                        {"name": "JOB_COMPLETION_INDEX", "valueFrom": of_pod},
                    ],
                    "volumeMounts": [{"name": "data", "mountPath": "/a"}, {"name": "data", "mountPath": "/b"}],
                }],
                "volumes": [{"name": "data", "emptyDir": {}}],
                "restartPolicy": "OnFailure",
                "tolerations": [{"key": "gpu", "operator": "Exists"}],
            },
        })
    };
    V2Objects {
        job: json!({"metadata": {"name": "job", "labels": {"team": "a"}}, "spec": {
            "runtimeRef": {"kind": "TrainingRuntime", "name": "job"},
        }}),
        jobset: json!({"spec": {}}),
        jobs: vec![json!({"spec": {
            "parallelism": workers + 1, "completions": workers + 1, "completionMode": "Indexed",
            "backoffLimit": i32::MAX, "podReplacementPolicy": "Failed",
            "template": {"spec": {"restartPolicy": "OnFailure"}},
        }})],
        pods: (0..=workers).map(pod).collect(),
        pod_group: None,
    }
}

/// What the conversion says of it.
pub(super) fn findings() -> Vec<Finding> {
    vec![
        Finding::about(Code::MasterAddress, Outcome::Adapted, "MASTER_ADDR"),
        Finding::about(
            Code::SuccessRule,
            Outcome::Adapted,
            "spec.pytorchReplicaSpecs.Master",
        ),
        Finding::about(
            Code::BackoffLimit,
            Outcome::Adapted,
            "spec.runPolicy.backoffLimit",
        ),
    ]
}
