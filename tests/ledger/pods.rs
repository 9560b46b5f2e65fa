//! Pod templates, made up at random.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::jobs::{annotations, labels, maybe, merged, object, odd_text, unknown};

fn variable() -> impl Strategy<Value = Value> {
    let names = select(vec![
        "RANK",
        "WORLD_SIZE",
        "MASTER_ADDR",
        "PET_NNODES",
        "PET_NODE_RANK",
        "PET_NPROC_PER_NODE",
        "PYTHONUNBUFFERED",
        "JOBSET_NAME",
        "LR",
        "SEED",
        "HF_TOKEN",
        "a.b",
        "my-var",
        "PET_RDZV_ID",
    ]);
    let source = prop_oneof![
        4 => odd_text().prop_map(|text| json!({"value": text})),
        1 => Just(json!({})),
        1 => Just(json!({"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}})),
        1 => Just(json!({"valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}})),
        1 => Just(json!({"valueFrom": {"resourceFieldRef": {"containerName": "pytorch", "resource": "limits.cpu"}}})),
        1 => Just(json!({"value": "both", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}})),
    ];
    (names, source, unknown().boxed())
        .prop_map(|(name, source, unknown)| merged(merged(json!({"name": name}), source), unknown))
}

fn resources() -> impl Strategy<Value = Value> {
    select(vec![
        json!({}),
        json!(null),
        json!({"limits": {"nvidia.com/gpu": 1}}),
        json!({"limits": {"cpu": "4", "memory": "8Gi"}, "requests": {"cpu": 2}}),
        json!({"limits": {"habana.ai/gaudi": 8}}),
        json!({"limits": {}, "requests": {}}),
        json!({"limits": {"cpu": "1"}, "claims": [{"name": "gpu"}]}),
        json!({"claims": [{"name": "gpu"}]}),
    ])
}

fn container(name: &'static str) -> impl Strategy<Value = Value> {
    let images = select(vec![
        "train",
        "train:latest",
        "r:5000/t",
        "r:5000/t:1",
        "t@sha256:0f1e",
    ]);
    let text = || vec(odd_text().prop_map(Value::from), 0..4).prop_map(Value::Array);
    let ports = select(vec![
        json!([]),
        json!([{"name": "pytorchjob-port", "containerPort": 23456}]),
        json!([{"name": "pytorchjob-port", "containerPort": 29400, "protocol": "TCP"}]),
        json!([{"containerPort": 8080}, {"name": "pytorchjob-port", "containerPort": 1234}]),
        json!([{"containerPort": 8080}, {"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53}, {"containerPort": 9090}]),
    ]);
    let mounts = select(vec![
        json!([]),
        json!([{"name": "data", "mountPath": "/data"}]),
        json!([{"name": "data", "mountPath": "/a"}, {"name": "data", "mountPath": "/b", "readOnly": true}]),
        json!([{"name": "shm", "mountPath": "/dev/shm", "zz": 1}]),
    ]);
    let other = select(vec![
        json!({}),
        json!({"imagePullPolicy": "Always"}),
        json!({"imagePullPolicy": "IfNotPresent", "tty": true}),
        json!({"workingDir": "/w", "securityContext": {}}),
        json!({"securityContext": {"runAsUser": 0}, "envFrom": [{"configMapRef": {"name": "c"}}]}),
        json!({"livenessProbe": {"exec": {"command": ["true"]}}, "lifecycle": {}, "stdin": false}),
        json!({"volumeDevices": [], "terminationMessagePath": null}),
    ]);
    (
        images,
        maybe(text()),
        maybe(text()),
        maybe(vec(variable().boxed(), 0..5).prop_map(Value::Array)),
        maybe(ports),
        maybe(resources().boxed()),
        maybe(mounts),
        other,
        unknown().boxed(),
    )
        .prop_map(
            move |(image, command, args, env, ports, resources, mounts, other, unknown)| {
                let fields = object([
                    ("name", Some(name.into())),
                    ("image", Some(image.into())),
                    ("command", command),
                    ("args", args),
                    ("env", env),
                    ("ports", ports),
                    ("resources", resources),
                    ("volumeMounts", mounts),
                ]);
                merged(merged(fields, other), unknown)
            },
        )
}

fn pod() -> impl Strategy<Value = Value> {
    let containers = (
        container("pytorch").boxed(),
        maybe(container("sidecar").boxed()),
        any::<bool>(),
    )
        .prop_map(|(main, sidecar, first)| match sidecar {
            Some(sidecar) if first => json!([sidecar, main]),
            Some(sidecar) => json!([main, sidecar]),
            None => json!([main]),
        });
    let volumes = select(vec![
        json!([]),
        json!([{"name": "data", "emptyDir": {}}, {"name": "shm", "emptyDir": {"medium": "Memory"}}]),
        json!([{"name": "data", "downwardAPI": {"items": [{"path": "c", "resourceFieldRef":
            {"containerName": "pytorch", "resource": "limits.cpu"}}]}}]),
    ]);
    let selector = |key: &str| {
        json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "h",
            "labelSelector": {"matchLabels": {key: "x"}}}]}})
    };
    let affinity = select(vec![
        json!({}),
        json!({"nodeAffinity": {}}),
        selector("app"),
        selector("training.kubeflow.org/job-name"),
        selector("training.kubeflow.org/replica-type"),
        selector("training.kubeflow.org/replica-index"),
    ]);
    let spread = Just(
        json!([{"maxSkew": 1, "topologyKey": "z", "labelSelector": {"matchLabels":
        {"training.kubeflow.org/operator-name": "pytorchjob-controller"}}}]),
    );
    let other = select(vec![
        json!({}),
        json!({"serviceAccount": "a"}),
        json!({"serviceAccount": "a", "serviceAccountName": "a"}),
        json!({"serviceAccount": "a", "serviceAccountName": "b"}),
        json!({"nodeSelector": {"a.b/c": "d"}, "tolerations": [{"operator": "Exists"}]}),
        json!({"nodeSelector": {}, "tolerations": [], "securityContext": {}}),
        json!({"hostname": "h", "subdomain": "s", "setHostnameAsFQDN": true}),
        json!({"restartPolicy": "Never", "hostNetwork": true, "dnsPolicy": "Default"}),
        json!({"schedulerName": "custom", "priorityClassName": "high", "imagePullSecrets": [{"name": "r"}]}),
        json!({"schedulerName": "", "priorityClassName": "", "terminationGracePeriodSeconds": 30, "runtimeClassName": null}),
    ]);
    let inits = vec(container("init").boxed(), 1..2).prop_map(Value::Array);
    (
        containers,
        maybe(volumes),
        maybe(affinity),
        maybe(spread),
        maybe(inits),
        other,
        unknown().boxed(),
    )
        .prop_map(
            |(containers, volumes, affinity, spread, inits, other, unknown)| {
                let fields = object([
                    ("containers", Some(containers)),
                    ("volumes", volumes),
                    ("affinity", affinity),
                    ("topologySpreadConstraints", spread),
                    ("initContainers", inits),
                ]);
                merged(merged(fields, other), unknown)
            },
        )
}

/// A pod template.
pub(crate) fn template() -> impl Strategy<Value = Value> {
    let metadata = (
        maybe(labels().boxed()),
        maybe(annotations().boxed()),
        unknown().boxed(),
        0..4,
    )
        .prop_map(|(labels, annotations, unknown, odd)| {
            let fields = object([
                ("labels", labels),
                ("annotations", annotations),
                ("creationTimestamp", (odd == 0).then_some(Value::Null)),
                ("name", (odd == 1).then(|| "n".into())),
                ("finalizers", (odd == 2).then(|| json!(["a/b"]))),
            ]);
            merged(fields, unknown)
        });
    (maybe(metadata), pod().boxed(), unknown().boxed()).prop_map(|(metadata, spec, unknown)| {
        merged(
            object([("metadata", metadata), ("spec", Some(spec))]),
            unknown,
        )
    })
}
