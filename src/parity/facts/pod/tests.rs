use rstest::rstest;

use super::*;

fn facts(pod: &Value, side: Side) -> Facts {
    let mut ranks = Vec::new();
    add(std::slice::from_ref(pod), side, &mut ranks);
    ranks.remove(0)
}

/// A pod with one container, which trains.
fn pod(name: &str, container: &Value) -> Value {
    let mut container = container.clone();
    container["name"] = json!(name);
    json!({"metadata": {"name": "p"}, "spec": {"containers": [container]}})
}

#[test]
fn training_container_has_one_name_on_both_sides() {
    let container = json!({"image": "i", "env": [{"name": "CPU", "valueFrom": {"resourceFieldRef": {
        "containerName": "NAME", "resource": "limits.cpu"}}}]});
    let of = |name: &str, side| {
        let text = pod(name, &container).to_string().replace("NAME", name);
        let mut facts = facts(&serde_json::from_str(&text).unwrap(), side);
        assert_eq!(facts.remove("containers[trainer].name"), Some(json!(name)));
        facts
    };
    let v1 = of("pytorch", Side::V1);
    assert_eq!(v1, of("node", Side::V2));
    assert_eq!(v1["containers[trainer].image"], "i");
    let cpu = &v1["containers[trainer].env[CPU]"];
    assert_eq!(cpu["resourceFieldRef"]["containerName"], "trainer");
}

#[test]
fn a_container_of_the_other_sides_name_is_a_sidecar() {
    let facts = facts(&pod("node", &json!({"image": "i"})), Side::V1);
    assert_eq!(facts["containers[node].image"], "i");
}

#[test]
fn a_sidecar_called_trainer_keeps_apart() {
    let pod = json!({"spec": {"containers": [
        {"name": "node", "image": "a"}, {"name": "trainer", "image": "b"},
    ]}});
    let facts = facts(&pod, Side::V2);
    assert_eq!(facts["containers"], json!(["trainer", "trainer'"]));
    assert_eq!(facts["containers[trainer'].image"], "b");
}

#[test]
fn annotations_that_name_the_training_container_agree() {
    let of = |name: &str, side| {
        let apparmor = format!("container.apparmor.security.beta.kubernetes.io/{name}");
        let annotations = json!({"kubectl.kubernetes.io/default-container": name, apparmor: "x"});
        facts(&json!({"metadata": {"annotations": annotations}}), side)
    };
    assert_eq!(of("pytorch", Side::V1), of("node", Side::V2));
}

#[test]
fn commands_and_paths_are_expanded_and_probes_by_literals() {
    let container = json!({
        "env": [
            {"name": "A", "value": "1"},
            {"name": "B", "value": "$(A)2"},
            {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "command": ["run", "$(B)"],
        "args": ["$(ME)", "$$(A)"],
        "volumeMounts": [{"name": "v", "mountPath": "/v", "subPathExpr": "$(ME)"}],
        "readinessProbe": {"exec": {"command": ["$(B)", "[$(ME)]"]}},
        "lifecycle": {"preStop": {"exec": {"command": ["$(A)"]}}},
    });
    let facts = facts(&pod("pytorch", &container), Side::V1);
    let fact = |name: &str| facts[&format!("containers[trainer].{name}")].clone();
    assert_eq!(fact("command"), json!(["run", "12"]));
    assert_eq!(fact("args"), json!(["p", "$(A)"]));
    assert_eq!(fact("volumeMounts[/v].subPathExpr"), "p");
    assert_eq!(fact("readinessProbe.exec.command"), json!(["$(A)2", "[]"]));
    assert_eq!(fact("lifecycle.preStop.exec.command"), json!(["$(A)"]));
}

#[test]
fn what_the_api_server_makes_up_is_no_fact() {
    let of = |suffix: &str| {
        let volume = format!("kube-api-access-{suffix}");
        facts(
            &json!({
                "apiVersion": "v1", "kind": "Pod", "status": {"phase": suffix},
                "metadata": {"name": "p", "uid": suffix, "generateName": suffix, "namespace": suffix,
                    "creationTimestamp": suffix, "resourceVersion": suffix, "ownerReferences": [suffix]},
                "spec": {"volumes": [{"name": volume, "projected": {}}], "containers": [
                    {"name": "c", "volumeMounts": [{"name": volume, "mountPath": "/s"}]},
                ]},
            }),
            Side::V2,
        )
    };
    assert_eq!(of("a"), of("b"));
}

#[test]
fn what_nobody_knows_is_a_fact() {
    let facts = facts(
        &json!({"new": 1, "metadata": {"newer": 2}, "spec": {"newest": {"x": 3}}}),
        Side::V1,
    );
    for (name, value) in [("new", 1), ("newer", 2), ("newest.x", 3)] {
        assert_eq!(facts[name], value);
    }
}

#[rstest]
#[case(json!({}), Some("p"))]
#[case(json!({"hostname": ""}), Some("p"))]
#[case(json!({"hostname": "h"}), Some("h"))]
fn a_pod_without_a_hostname_is_called_by_its_name(#[case] spec: Value, #[case] name: Option<&str>) {
    let facts = facts(&json!({"metadata": {"name": "p"}, "spec": spec}), Side::V1);
    assert_eq!(facts.get(HOSTNAME).and_then(Value::as_str), name);
}

#[test]
fn old_name_of_the_service_account_counts_where_the_new_one_is_missing() {
    let of = |spec: Value| facts(&json!({"spec": spec}), Side::V1)["serviceAccountName"].clone();
    assert_eq!(of(json!({"serviceAccount": "old"})), "old");
    assert_eq!(
        of(json!({"serviceAccount": "old", "serviceAccountName": "new"})),
        "new"
    );
}

#[test]
fn a_file_shows_what_the_field_holds() {
    let pod = json!({"metadata": {"labels": {"role": "worker"}}, "spec": {"volumes": [
        {"name": "info", "downwardAPI": {"items": [
            {"path": "role", "fieldRef": {"fieldPath": "metadata.labels['role']"}},
        ]}},
    ]}});
    let facts = facts(&pod, Side::V1);
    let items = &facts["volumes[info].downwardAPI.items"];
    assert_eq!(*items, json!([{"path": "role", "fieldRef": "worker"}]));
}

#[test]
fn finalizers_are_facts_of_their_own() {
    let facts = facts(&json!({"metadata": {"finalizers": ["a/b"]}}), Side::V1);
    assert_eq!(facts["finalizers[a/b]"], true);
}
