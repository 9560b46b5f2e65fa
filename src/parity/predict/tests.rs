use serde_json::{Value, json};

use super::*;
use crate::api::pytorchjob::PyTorchJob;

/// A Master and `workers` workers that run `python train.py`.
fn job(workers: u32, spec: &Value) -> PyTorchJob {
    let role = |replicas: u32| {
        json!({
            "replicas": replicas,
            "template": {"spec": {"containers": [{"name": "pytorch", "image": "i", "command": ["python", "train.py"]}]}},
        })
    };
    let mut job = json!({
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "metadata": {"name": "mnist", "namespace": "research"},
        "spec": {"pytorchReplicaSpecs": {"Master": role(1), "worker": role(workers)}},
    });
    if let (Some(all), Some(more)) = (job["spec"].as_object_mut(), spec.as_object()) {
        all.extend(more.clone());
    }
    serde_json::from_value(job).expect("a job")
}

/// `NAME=value`, in order.
fn variables(container: &Value) -> Vec<String> {
    let text = |variable: &Value| {
        let name = variable["name"].as_str().unwrap_or_default();
        let from = variable["valueFrom"]["fieldRef"]["fieldPath"].as_str();
        format!(
            "{name}={}",
            variable["value"].as_str().or(from).unwrap_or_default()
        )
    };
    container["env"]
        .as_array()
        .into_iter()
        .flatten()
        .map(text)
        .collect()
}

#[test]
fn v1_tells_each_pod_its_rank_behind_everything_else() {
    let objects = v1(&job(2, &json!({"nprocPerNode": "4"})), GangScheduler::None);
    let names: Vec<_> = objects
        .pods
        .iter()
        .map(|pod| pod["metadata"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["mnist-master-0", "mnist-worker-0", "mnist-worker-1"]
    );
    assert_eq!(
        variables(&objects.pods[2]["spec"]["containers"][0]),
        [
            "PYTHONUNBUFFERED=1",
            "MASTER_PORT=23456",
            "PET_MASTER_PORT=23456",
            "MASTER_ADDR=mnist-master-0",
            "PET_MASTER_ADDR=mnist-master-0",
            "WORLD_SIZE=12",
            "RANK=2",
            "PET_NODE_RANK=2",
            "PET_NPROC_PER_NODE=4",
            "PET_NNODES=3",
        ]
    );
    assert_eq!(objects.pods[0]["spec"]["initContainers"], Value::Null);
    assert_eq!(
        objects.pods[1]["spec"]["initContainers"][0]["name"],
        "init-pytorch"
    );
    assert_eq!(objects.pods[0]["spec"]["restartPolicy"], "OnFailure");
    assert_eq!(
        objects.pods[0]["metadata"]["labels"]["training.kubeflow.org/job-role"],
        "master"
    );
}

#[test]
fn v1_gives_torchrun_a_range_of_nodes() {
    let elastic = json!({"elasticPolicy": {"minReplicas": 1, "nProcPerNode": 2, "rdzvConf": [
        {"key": "a", "value": "1"}, {"key": "b", "value": "2"},
    ]}});
    let objects = v1(&job(3, &elastic), GangScheduler::None);
    let all = variables(&objects.pods[0]["spec"]["containers"][0]);
    assert_eq!(
        &all[8..],
        [
            "PET_RDZV_ENDPOINT=mnist-worker-0:23456",
            "PET_RDZV_BACKEND=c10d",
            "PET_NNODES=1:1",
            "PET_NPROC_PER_NODE=2",
            "PET_RDZV_CONF=a=1,b=2",
        ]
    );
    assert!(all.contains(&"WORLD_SIZE=4".to_owned()));
}

#[test]
fn v1_makes_a_gang_of_all_pods() {
    let policy = json!({"runPolicy": {"schedulingPolicy": {"queue": "gpu"}}});
    let objects = v1(&job(1, &policy), GangScheduler::Volcano);
    let group = objects.pod_group.expect("a group");
    assert_eq!(group["spec"], json!({"minMember": 2, "queue": "gpu"}));
    let pod = &objects.pods[1];
    assert_eq!(pod["spec"]["schedulerName"], "volcano");
    assert_eq!(
        pod["metadata"]["annotations"]["volcano.sh/task-spec"],
        "worker"
    );
}

fn trainjob(spec: &Value) -> Value {
    json!({
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": "mnist", "namespace": "research"},
        "spec": spec,
    })
}

#[test]
fn v2_tells_torchrun_its_rank_and_plain_python_nothing() {
    let trainjob = trainjob(
        &json!({"trainer": {"numNodes": 2, "image": "i", "env": [{"name": "A", "value": "1"}]}}),
    );
    for dialect in Dialect::ALL {
        let runtime = runtimes::known("torch-distributed", dialect).expect("known");
        let objects = v2(&trainjob, &runtime, dialect);
        assert_eq!(objects.pods.len(), 2);
        let pod = &objects.pods[1];
        assert_eq!(pod["spec"]["hostname"], "mnist-node-0-1");
        assert_eq!(pod["spec"]["subdomain"], "mnist");
        assert_eq!(pod["spec"]["restartPolicy"], "OnFailure");
        let container = &pod["spec"]["containers"][0];
        let processes = if dialect == Dialect::V2_0 {
            "auto"
        } else {
            "1"
        };
        assert_eq!(
            variables(container),
            [
                "A=1".to_owned(),
                "PET_NNODES=2".to_owned(),
                format!("PET_NPROC_PER_NODE={processes}"),
                "PET_NODE_RANK=metadata.annotations['batch.kubernetes.io/job-completion-index']"
                    .to_owned(),
                "PET_MASTER_ADDR=mnist-node-0-0.mnist".to_owned(),
                "PET_MASTER_PORT=29500".to_owned(),
                "JOB_COMPLETION_INDEX=metadata.labels['batch.kubernetes.io/job-completion-index']"
                    .to_owned(),
            ],
            "{dialect}"
        );
        assert_eq!(container["ports"], json!([{"containerPort": 29500}]));
        assert_eq!(container["image"], "i");
    }
}

#[test]
fn v2_adds_nothing_without_a_trainer() {
    let runtime = runtimes::known("torch-distributed", Dialect::V2_3).expect("known");
    let objects = v2(&trainjob(&json!({})), &runtime, Dialect::V2_3);
    let expected =
        "JOB_COMPLETION_INDEX=metadata.labels['batch.kubernetes.io/job-completion-index']";
    assert_eq!(
        variables(&objects.pods[0]["spec"]["containers"][0]),
        [expected]
    );
}

#[test]
fn each_version_reads_its_own_overrides() {
    let pods = json!({"nodeSelector": {"gpu": "a100"}});
    let spec = json!({
        "podSpecOverrides": [{"targetJobs": [{"name": "node"}], "nodeSelector": {"gpu": "a100"}}],
    });
    let of_2_1 =
        json!({"podTemplateOverrides": [{"targetJobs": [{"name": "node"}], "spec": pods}]});
    let patch = json!({"template": {"spec": {"replicatedJobs": [
        {"name": "node", "template": {"spec": {"template": {"spec": pods}}}},
    ]}}});
    let of_2_2 = json!({"runtimePatches": [{"manager": "a.b/c", "trainingRuntimeSpec": patch}]});
    let table = [
        (Dialect::V2_0, &spec),
        (Dialect::V2_1, &of_2_1),
        (Dialect::V2_2, &of_2_2),
        (Dialect::V2_3, &of_2_2),
    ];
    for (dialect, spec) in table {
        let runtime = runtimes::known("trainshift-pytorch", dialect).expect("known");
        for other in Dialect::ALL {
            let objects = v2(&trainjob(spec), &runtime, other);
            let selector = &objects.pods[0]["spec"]["nodeSelector"];
            let reads = other == dialect || (other.min(dialect) == Dialect::V2_2);
            assert_eq!(
                selector["gpu"] == "a100",
                reads,
                "{dialect} read by {other}"
            );
        }
    }
}

#[test]
fn resources_are_replaced_until_2_2_and_merged_from_2_3() {
    let mut runtime = runtimes::known("trainshift-pytorch", Dialect::V2_3).expect("known");
    let container = "/spec/template/spec/replicatedJobs/0/template/spec/template/spec/containers/0";
    runtime.pointer_mut(container).expect("is there")["resources"] =
        json!({"limits": {"cpu": "1", "memory": "1Gi"}});
    let spec = json!({"trainer": {"resourcesPerNode": {"limits": {"cpu": "2"}}}});
    let limits = |dialect| {
        let objects = v2(&trainjob(&spec), &runtime, dialect);
        objects.pods[0]["spec"]["containers"][0]["resources"]["limits"].clone()
    };
    assert_eq!(limits(Dialect::V2_2), json!({"cpu": "2"}));
    assert_eq!(limits(Dialect::V2_3), json!({"cpu": "2", "memory": "1Gi"}));
}

#[test]
fn jobs_of_a_role_are_counted_through() {
    let mut runtime = runtimes::known("trainshift-pytorch", Dialect::V2_3).expect("known");
    let jobs = runtime
        .pointer_mut("/spec/template/spec/replicatedJobs")
        .and_then(Value::as_array_mut)
        .expect("a list");
    jobs.push(json!({"name": "worker", "replicas": 2, "template": {"spec": {"template": {"spec": {"containers": []}}}}}));
    let objects = v2(&trainjob(&json!({})), &runtime, Dialect::V2_3);
    let places: Vec<_> = objects
        .pods
        .iter()
        .map(|pod| {
            (
                pod["metadata"]["name"].clone(),
                pod["metadata"]["labels"]["jobset.sigs.k8s.io/job-global-index"].clone(),
            )
        })
        .collect();
    let expected = [
        ("mnist-node-0-0", "0"),
        ("mnist-worker-0-0", "1"),
        ("mnist-worker-1-0", "2"),
    ];
    assert_eq!(
        places,
        expected.map(|(name, index)| (json!(name), json!(index)))
    );
}
