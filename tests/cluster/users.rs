//! What Trainer's shipped roles let a user do.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::control_plane::ControlPlane;
use crate::control_plane::audit::events;
use crate::trainer::trainjob;

crate::facts![
    an_editor_creates_trainjobs_but_no_runtimes,
    the_audit_log_names_who_asked
];

fn an_editor_creates_trainjobs_but_no_runtimes(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("none")?;
    let editor = format!("editor-of-{namespace}");
    bind_edit_role(control_plane, &namespace, &editor)?;
    let kubectl = control_plane.user(&editor, &["researchers"])?;
    kubectl.succeed(
        &["create", "--filename=-"],
        Some(&trainjob("mnist", &namespace, "torch-distributed").to_string()),
    )?;
    let runtime = json!({
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainingRuntime",
        "metadata": { "name": "mine", "namespace": namespace },
        "spec": { "template": { "spec": {} } },
    });
    let answer = kubectl.run(&["create", "--filename=-"], Some(&runtime.to_string()))?;
    ensure!(
        answer.status == 1 && answer.stderr.contains("Forbidden"),
        "{answer:?}"
    );
    ensure!(
        answer
            .stderr
            .contains("cannot create resource \"trainingruntimes\""),
        "{answer:?}"
    );
    Ok(())
}

fn the_audit_log_names_who_asked(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("none")?;
    let asker = control_plane.user("carol", &["researchers", "night-shift"])?;
    let answer = asker.run(
        &["get", "trainjob", "mnist", "--namespace", &namespace],
        None,
    )?;
    ensure!(answer.status == 1, "{answer:?}");
    let events = events(control_plane, "get", &namespace, "mnist")?;
    let [event] = events.as_slice() else {
        anyhow::bail!("one record was expected: {events:#?}")
    };
    ensure!(event["user"]["username"] == "carol", "{event:#}");
    ensure!(
        event["user"]["groups"] == json!(["researchers", "night-shift", "system:authenticated"]),
        "{event:#}"
    );
    ensure!(
        event["annotations"]["authorization.k8s.io/decision"] == "forbid",
        "{event:#}"
    );
    Ok(())
}

fn bind_edit_role(control_plane: &ControlPlane, namespace: &str, user: &str) -> Result<()> {
    let arguments = [
        "create",
        "rolebinding",
        "editor",
        "--clusterrole=kubeflow-trainer-edit",
        "--namespace",
        namespace,
    ];
    control_plane
        .admin()
        .succeed(&[&arguments[..], &["--user", user]].concat(), None)?;
    Ok(())
}
