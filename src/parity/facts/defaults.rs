//! What the API server writes into a pod where nothing is said (kubernetes v1.36.3 `pkg/apis/core/v1/defaults.go`), so that
//! pods that were never there have the facts that they would have.
//!
//! Only what users are known to spell out. A pod that the API server has seen has it all, and stays as it is.

use serde_json::{Map, Value, json};

use crate::api::meta::PROBES;

/// Switches that are off when nothing is said.
const OFF: [&str; 9] = [
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "readOnly",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "stdin",
    "stdinOnce",
    "tty",
];

/// Fills the spec of a pod, but for its containers.
pub fn fill_pod(spec: &mut Map<String, Value>) {
    drop_switches(spec);
    if spec.get("hostUsers") == Some(&Value::Bool(true)) {
        spec.remove("hostUsers");
    }
    let defaults = json!({
        "dnsPolicy": "ClusterFirst", "enableServiceLinks": true, "restartPolicy": "Always",
        "schedulerName": "default-scheduler", "serviceAccountName": "default",
        "terminationGracePeriodSeconds": 30,
    });
    fill(spec, &defaults);
    for volume in items(spec, "volumes") {
        for source in ["configMap", "downwardAPI", "projected", "secret"] {
            if let Some(source) = volume.get_mut(source).and_then(Value::as_object_mut) {
                fill(source, &json!({"defaultMode": 0o644}));
            }
        }
    }
}

/// Fills one container of a pod; `host_network` is whether that shares its node's network.
pub fn fill_container(container: &mut Map<String, Value>, host_network: bool) {
    drop_switches(container);
    let image = container
        .get("image")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let policy = if is_latest(image) {
        "Always"
    } else {
        "IfNotPresent"
    };
    let defaults = json!({
        "imagePullPolicy": policy, "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    });
    fill(container, &defaults);
    let resources = container
        .get_mut("resources")
        .and_then(Value::as_object_mut);
    if let Some(resources) = resources.filter(|resources| resources.contains_key("limits")) {
        let limits = resources["limits"].clone();
        let requests = resources.entry("requests").or_insert_with(|| json!({}));
        if let Some(requests) = requests.as_object_mut() {
            fill(requests, &limits);
        }
    }
    for mount in items(container, "volumeMounts") {
        mount.as_object_mut().map(drop_switches);
    }
    for port in items(container, "ports") {
        if let Some(port) = port.as_object_mut().filter(|_| host_network) {
            let same = port.get("containerPort").cloned();
            fill(port, &json!({"hostPort": same}));
        }
    }
    for key in PROBES {
        let probe = container.get_mut(key).and_then(Value::as_object_mut);
        if let Some(probe) = probe.filter(|probe| !probe.is_empty()) {
            let defaults = json!({"failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1});
            fill(probe, &defaults);
            if let Some(request) = probe.get_mut("httpGet").and_then(Value::as_object_mut) {
                fill(request, &json!({"path": "/", "scheme": "HTTP"}));
            }
        }
    }
}

fn items<'f>(
    fields: &'f mut Map<String, Value>,
    list: &str,
) -> impl Iterator<Item = &'f mut Value> {
    let items = fields.get_mut(list).and_then(Value::as_array_mut);
    items.into_iter().flatten()
}

fn fill(fields: &mut Map<String, Value>, defaults: &Value) {
    for (key, value) in defaults.as_object().into_iter().flatten() {
        let given = fields.get(key);
        if given.is_none_or(|given| given.is_null() || *given == "") {
            fields.insert(key.clone(), value.clone());
        }
    }
}

fn drop_switches(fields: &mut Map<String, Value>) {
    fields.retain(|key, value| !OFF.contains(&key.as_str()) || *value != false);
}

/// An image without a tag or a digest is the latest.
fn is_latest(image: &str) -> bool {
    let name = image.rsplit_once('/').map_or(image, |(_, name)| name);
    match name
        .split_once('@')
        .map_or(name.split_once(':'), |_| Some((name, "digest")))
    {
        Some((_, tag)) => tag == "latest",
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("train", true)]
    #[case("host:5000/train", true)]
    #[case("train:latest", true)]
    #[case("host:5000/train:1", false)]
    #[case("train@sha256:0", false)]
    fn an_image_without_a_tag_is_pulled_always(#[case] image: &str, #[case] expected: bool) {
        assert_eq!(is_latest(image), expected);
    }

    #[test]
    fn what_is_spelt_out_is_the_same_as_what_is_not() {
        let filled = |container: Value| {
            let mut container = container.as_object().unwrap().clone();
            fill_container(&mut container, true);
            container
        };
        let short = json!({
            "image": "i:1", "resources": {"limits": {"cpu": 1}}, "ports": [{"containerPort": 5}],
            "readinessProbe": {"httpGet": {"port": 5}},
        });
        let long = json!({
            "image": "i:1", "imagePullPolicy": "IfNotPresent", "tty": false,
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "resources": {"limits": {"cpu": 1}, "requests": {"cpu": 1}},
            "ports": [{"containerPort": 5, "hostPort": 5}],
            "readinessProbe": {"httpGet": {"port": 5, "path": "/", "scheme": "HTTP"},
                "failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1},
        });
        assert_eq!(filled(short), filled(long));
    }

    #[test]
    fn what_was_said_stays() {
        let mut spec = json!({"hostNetwork": true, "dnsPolicy": "None", "hostPID": false});
        fill_pod(spec.as_object_mut().unwrap());
        assert_eq!(
            (&spec["hostNetwork"], &spec["dnsPolicy"]),
            (&json!(true), &json!("None"))
        );
        assert_eq!(spec.get("hostPID"), None);
    }
}
