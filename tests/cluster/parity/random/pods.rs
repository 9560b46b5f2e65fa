//! Pod templates that the API server would take, made up at random: every field that means something without a node.

use serde_json::{Map, Value, json};

use super::containers::container;
use super::dice::Dice;

const VOLUMES: [&str; 5] = ["data", "shm", "conf", "token", "info"];

/// A template of a job called `job`.
pub(super) fn template(dice: &mut Dice, job: &str) -> Value {
    let volumes = dice.some(&VOLUMES);
    let mut containers = vec![container(dice, "pytorch", &volumes, job)];
    if dice.once_in(4) {
        containers.push(container(dice, "logs", &volumes, job));
        let at = dice.below(2);
        containers.swap(at, 0);
    }
    let mut spec = pod(dice, job);
    if !volumes.is_empty() {
        let volumes = volumes.iter().map(|name| volume(name));
        spec.insert("volumes".to_owned(), volumes.collect());
    }
    if dice.once_in(4) {
        let mut init = container(dice, "fetch", &volumes, job);
        for field in [
            "livenessProbe",
            "startupProbe",
            "readinessProbe",
            "lifecycle",
        ] {
            init.as_object_mut().map(|init| init.remove(field));
        }
        if dice.once_in(3) {
            init["restartPolicy"] = json!("Always");
        }
        spec.insert("initContainers".to_owned(), json!([init]));
    }
    if dice.once_in(8) {
        spec.insert(
            "resourceClaims".to_owned(),
            json!([{ "name": "gpu", "resourceClaimTemplateName": "gpu" }]),
        );
        containers[0]["resources"]["claims"] = json!([{ "name": "gpu" }]);
    }
    spec.insert("containers".to_owned(), json!(containers));
    let mut template = json!({ "spec": spec });
    if dice.once_in(2) {
        template["metadata"] = metadata(dice);
    }
    template
}

fn metadata(dice: &mut Dice) -> Value {
    let labels = dice.fields(
        3,
        &[
            ("app", vec![json!("train"), json!("")]),
            ("example.com/team", vec![json!("vision"), json!("nlp.v2")]),
            ("training.kubeflow.org/custom", vec![json!("x")]),
        ],
    );
    let annotations = dice.fields(
        3,
        &[
            ("example.com/note", vec![json!("a: b\n- c"), json!("")]),
            ("sidecar.istio.io/inject", vec![json!("false")]),
            (
                "kubectl.kubernetes.io/default-container",
                vec![json!("pytorch")],
            ),
        ],
    );
    json!({ "labels": labels, "annotations": annotations })
}

fn volume(name: &str) -> Value {
    match name {
        "data" => json!({ "name": name, "persistentVolumeClaim": { "claimName": "data" } }),
        "shm" => json!({ "name": name, "emptyDir": { "medium": "Memory", "sizeLimit": "1Gi" } }),
        "conf" => {
            json!({ "name": name, "configMap": { "name": "conf", "items": [{ "key": "a", "path": "a" }] } })
        }
        "token" => json!({ "name": name, "projected": { "sources": [
            { "secret": { "name": "token", "optional": true } },
            { "serviceAccountToken": { "path": "token", "audience": "hub" } },
        ] } }),
        _ => json!({ "name": name, "downwardAPI": { "items": [
            { "path": "labels", "fieldRef": { "fieldPath": "metadata.labels" } },
            { "path": "cpu", "resourceFieldRef": { "containerName": "pytorch", "resource": "limits.cpu" } },
        ] } }),
    }
}

fn pod(dice: &mut Dice, job: &str) -> Map<String, Value> {
    let mut spec = dice.fields(6, &scheduling(job));
    spec.extend(dice.fields(
        6,
        &[
            ("serviceAccountName", vec![json!("trainer")]),
            ("imagePullSecrets", vec![json!([{ "name": "registry" }]), json!([{ "name": "b" }, { "name": "a" }])]),
            ("securityContext", vec![json!({ "fsGroup": 1000, "supplementalGroups": [5] }), json!({ "runAsNonRoot": true, "runAsUser": 1000 }), json!({ "sysctls": [{ "name": "net.ipv4.tcp_syncookies", "value": "1" }] })]),
            ("terminationGracePeriodSeconds", vec![json!(0), json!(120)]),
            ("activeDeadlineSeconds", vec![json!(3600)]),
            ("dnsPolicy", vec![json!("Default"), json!("ClusterFirst")]),
            ("dnsConfig", vec![json!({ "searches": ["x.example"], "options": [{ "name": "ndots", "value": "1" }] })]),
            ("hostAliases", vec![json!([{ "ip": "10.0.0.9", "hostnames": ["store"] }])]),
            ("automountServiceAccountToken", vec![json!(false), json!(true)]),
            ("enableServiceLinks", vec![json!(false), json!(true)]),
            ("readinessGates", vec![json!([{ "conditionType": "example.com/ready" }])]),
            ("os", vec![json!({ "name": "linux" })]),
            ("hostname", vec![json!("fixed")]),
            ("subdomain", vec![json!("fixed")]),
            ("setHostnameAsFQDN", vec![json!(true)]),
            ("restartPolicy", vec![json!("Never"), json!("OnFailure")]),
        ],
    ));
    spec.extend(match dice.below(10) {
        0 => dice.fields(
            2,
            &[
                ("hostNetwork", vec![json!(true)]),
                ("hostPID", vec![json!(true)]),
                ("hostIPC", vec![json!(true)]),
            ],
        ),
        1 => dice.fields(1, &[("hostUsers", vec![json!(false)])]),
        2 => dice.fields(1, &[("shareProcessNamespace", vec![json!(true)])]),
        _ => Map::new(),
    });
    spec
}

fn scheduling(job: &str) -> Vec<(&'static str, Vec<Value>)> {
    let by = |key: &str, value: &str| json!({ "matchLabels": { key: value } });
    let of_the_job = by("training.kubeflow.org/job-name", job);
    let workers = by("training.kubeflow.org/replica-type", "worker");
    let term = |selector: &Value| json!({ "labelSelector": selector, "topologyKey": "kubernetes.io/hostname" });
    let nodes = json!({ "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
        { "matchExpressions": [{ "key": "gpu", "operator": "In", "values": ["a100", "h100"] }] },
    ] } });
    let spread = |selector: &Value| json!([{ "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": selector }]);
    vec![
        (
            "nodeSelector",
            vec![json!({ "gpu": "a100", "example.com/pool": "train" })],
        ),
        (
            "tolerations",
            vec![
                json!([{ "operator": "Exists" }]),
                json!([{ "key": "gpu", "operator": "Exists", "effect": "NoSchedule" }, { "key": "spot", "value": "yes", "effect": "NoExecute", "tolerationSeconds": 60 }]),
            ],
        ),
        (
            "affinity",
            vec![
                json!({ "nodeAffinity": nodes }),
                json!({ "podAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [{ "weight": 5, "podAffinityTerm": term(&of_the_job) }] } }),
                json!({ "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [term(&workers)] } }),
                json!({ "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [term(&by("app", "train"))] } }),
            ],
        ),
        (
            "topologySpreadConstraints",
            vec![
                spread(&of_the_job),
                spread(&workers),
                spread(&by("app", "train")),
            ],
        ),
        ("runtimeClassName", vec![json!("nvidia")]),
        (
            "priorityClassName",
            vec![json!("high"), json!("system-node-critical")],
        ),
        ("schedulerName", vec![json!("custom")]),
        (
            "schedulingGates",
            vec![json!([{ "name": "example.com/wait" }])],
        ),
    ]
}
