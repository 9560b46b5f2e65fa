//! Containers that the API server would take, made up at random: every field that means something without a node.

use serde_json::{Map, Value, json};

use super::dice::Dice;

/// A container called `name` of a pod with these volumes, of a job called `job`.
pub(super) fn container(dice: &mut Dice, name: &str, volumes: &[&str], job: &str) -> Value {
    let mut fields = dice.fields(
        4,
        &[
            ("command", vec![json!(["python", "train.py"]), json!(["torchrun", "train.py"]), json!(["sh", "-c", format!("ping {job}-master-0 && echo $(RANK) $$(RANK)")])]),
            ("args", vec![json!(["--lr=1e-4", "on", "08"]), json!([format!("--init=tcp://{job}-master-0:23456")]), json!(["$(LR)", "$(MASTER_ADDR):$(MASTER_PORT)", "$(NOBODY)"]), json!([""])]),
            ("workingDir", vec![json!("/workspace")]),
            ("imagePullPolicy", vec![json!("Always"), json!("IfNotPresent"), json!("Never")]),
            ("envFrom", vec![json!([{ "configMapRef": { "name": "env" } }]), json!([{ "prefix": "S_", "secretRef": { "name": "env", "optional": true } }])]),
            ("livenessProbe", probes(job)),
            ("readinessProbe", probes(job)),
            ("startupProbe", probes(job)),
            ("lifecycle", vec![json!({ "preStop": { "exec": { "command": ["sleep", "5"] } } }), json!({ "postStart": { "httpGet": { "path": "/", "port": 8080 } } })]),
            ("securityContext", vec![json!({ "runAsUser": 0 }), json!({ "allowPrivilegeEscalation": false, "capabilities": { "add": ["IPC_LOCK"], "drop": ["ALL"] } }), json!({ "readOnlyRootFilesystem": true, "seccompProfile": { "type": "RuntimeDefault" } }), json!({ "privileged": true })]),
            ("terminationMessagePath", vec![json!("/tmp/message")]),
            ("terminationMessagePolicy", vec![json!("FallbackToLogsOnError"), json!("File")]),
            ("resizePolicy", vec![json!([{ "resourceName": "cpu", "restartPolicy": "NotRequired" }])]),
            ("stdin", vec![json!(true)]),
            ("tty", vec![json!(true), json!(false)]),
        ],
    );
    fields.insert("name".to_owned(), json!(name));
    let image = dice.pick(&[
        "train",
        "train:latest",
        "r.example:5000/t:1",
        "t@sha256:7173b809ca12ec5dee4506cd86be934c4596dd234ee82c0662eac04a8c2c71dc",
    ]);
    fields.insert("image".to_owned(), json!(image));
    fields.insert(
        "resources".to_owned(),
        dice.pick(&[
            json!({}),
            json!({ "limits": { "nvidia.com/gpu": 1 } }),
            json!({ "limits": { "cpu": "4", "memory": "8Gi" }, "requests": { "cpu": 2 } }),
            json!({ "requests": { "cpu": "1500m", "memory": "1024Mi" } }),
            json!({ "limits": { "nvidia.com/mig-1g.5gb": 1, "cpu": "0.5" } }),
            json!({ "limits": { "habana.ai/gaudi": 8, "hugepages-2Mi": "2Mi", "memory": "1Gi" } }),
            json!({ "limits": { "ephemeral-storage": "10Gi" } }),
        ]),
    );
    fields.insert("env".to_owned(), variables(dice, job));
    if name == "pytorch" {
        ports(dice, &mut fields);
    }
    mounts(dice, volumes, &mut fields);
    Value::Object(fields)
}

fn probes(job: &str) -> Vec<Value> {
    vec![
        json!({ "exec": { "command": ["sh", "-c", format!("nc -z {job}-master-0 23456")] } }),
        json!({ "tcpSocket": { "port": 23456 }, "timeoutSeconds": 3 }),
        json!({ "httpGet": { "path": "/healthz", "port": 8080, "httpHeaders": [{ "name": "X", "value": "y" }] } }),
        json!({ "grpc": { "port": 9000 }, "initialDelaySeconds": 10 }),
    ]
}

fn variables(dice: &mut Dice, job: &str) -> Value {
    let names = dice.some(&[
        "LR",
        "SEED",
        "RANK",
        "WORLD_SIZE",
        "MASTER_ADDR",
        "MASTER_PORT",
        "PET_NNODES",
        "PET_NODE_RANK",
        "PET_NPROC_PER_NODE",
        "PET_MASTER_PORT",
        "PYTHONUNBUFFERED",
        "JOB_COMPLETION_INDEX",
        "HF_TOKEN",
        "a.b",
        "my-var",
        "PET_RDZV_ID",
        "LOCAL_RANK",
        "JOBSET_NAME",
    ]);
    let values = [
        json!({ "value": "1e-4" }),
        json!({ "value": "" }),
        json!({ "value": "7" }),
        json!({ "value": "$(LR)/$(RANK)/$$(LR)" }),
        json!({ "value": format!("{job}-worker-0,{job}-master-0:29500") }),
        json!({ "value": format!("not-{job}-master-00") }),
        json!({ "valueFrom": { "secretKeyRef": { "name": "s", "key": "k", "optional": true } } }),
        json!({ "valueFrom": { "configMapKeyRef": { "name": "c", "key": "k" } } }),
        json!({ "valueFrom": { "fieldRef": { "fieldPath": "spec.nodeName" } } }),
        json!({ "valueFrom": { "fieldRef": { "fieldPath": "metadata.namespace" } } }),
        json!({ "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }),
        json!({ "valueFrom": { "fieldRef": { "fieldPath": "status.podIP" } } }),
        json!({ "valueFrom": { "fieldRef": { "fieldPath": "metadata.labels['training.kubeflow.org/job-name']" } } }),
        json!({ "valueFrom": { "resourceFieldRef": { "containerName": "pytorch", "resource": "limits.memory", "divisor": "1Mi" } } }),
    ];
    let mut variables = Vec::new();
    for name in names {
        let mut variable = dice.pick(&values);
        variable["name"] = json!(name);
        variables.push(variable);
    }
    json!(variables)
}

fn ports(dice: &mut Dice, fields: &mut Map<String, Value>) {
    let ports = [
        json!([{ "name": "pytorchjob-port", "containerPort": 23456 }]),
        json!([{ "name": "pytorchjob-port", "containerPort": 29400, "protocol": "TCP" }]),
        json!([{ "containerPort": 8080 }, { "name": "pytorchjob-port", "containerPort": 1234 }]),
        json!([{ "name": "metrics", "containerPort": 9090 }, { "name": "udp", "containerPort": 9090, "protocol": "UDP" }]),
    ];
    if dice.once_in(2) {
        fields.insert("ports".to_owned(), dice.pick(&ports));
    }
}

fn mounts(dice: &mut Dice, volumes: &[&str], fields: &mut Map<String, Value>) {
    let mut mounts = Vec::new();
    for name in volumes {
        match dice.below(4) {
            0 => mounts.push(json!({ "name": name, "mountPath": format!("/{name}") })),
            1 => mounts.extend([
                json!({ "name": name, "mountPath": format!("/{name}/a"), "subPath": "a" }),
                json!({ "name": name, "mountPath": format!("/{name}/b"), "readOnly": true }),
            ]),
            _ => {}
        }
    }
    fields.insert("volumeMounts".to_owned(), json!(mounts));
}
