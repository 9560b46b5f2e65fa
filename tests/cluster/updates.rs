//! Jobs that were there before the mode was Deny: nothing keeps them from being cleaned up, and nothing lets them become
//! other jobs.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::control_plane::kubectl::Output;
use crate::control_plane::wait::{Progress, wait_until};
use crate::control_plane::{ControlPlane, MODE_LABEL};
use crate::jobs::{create, mnist, wait_until_judged};

crate::facts![
    labels_finalizers_and_deletion_are_never_blocked,
    a_parked_job_is_judged_when_it_is_started,
    another_image_is_judged,
    more_workers_are_judged_by_edit_and_by_scale,
    v1_goes_on_reporting_the_status_of_a_job,
];

/// A namespace in which a job was created while nothing was denied.
fn denied_later(control_plane: &ControlPlane, job: impl Fn(&str) -> Value) -> Result<String> {
    let namespace = control_plane.namespace("none")?;
    let created = create(control_plane.admin(), &job(&namespace), &[])?;
    ensure!(created.status == 0, "{created:?}");
    let label = format!("{MODE_LABEL}=deny");
    control_plane.admin().succeed(
        &["label", "--overwrite", "namespace", &namespace, &label],
        None,
    )?;
    wait_until_judged(control_plane, &namespace)?;
    Ok(namespace)
}

fn patch(control_plane: &ControlPlane, namespace: &str, patch: &Value) -> Result<Output> {
    let patch = patch.to_string();
    let arguments = [
        "patch",
        "pytorchjob",
        "mnist",
        "--namespace",
        namespace,
        "--type=merge",
        "--patch",
        &patch,
    ];
    control_plane.admin().run(&arguments, None)
}

fn labels_finalizers_and_deletion_are_never_blocked(control_plane: &ControlPlane) -> Result<()> {
    let namespace = denied_later(control_plane, |namespace| {
        let mut job = mnist("mnist", namespace, 1);
        job["metadata"]["finalizers"] = json!(["example.com/hold"]);
        job
    })?;
    for change in [
        json!({ "metadata": { "labels": { "team": "vision" } } }),
        json!({ "metadata": { "annotations": { "note": "old" } } }),
    ] {
        let answer = patch(control_plane, &namespace, &change)?;
        ensure!(answer.status == 0 && answer.stderr.is_empty(), "{answer:?}");
    }
    let delete = [
        "delete",
        "pytorchjob",
        "mnist",
        "--namespace",
        &namespace,
        "--wait=false",
    ];
    let answer = control_plane.admin().run(&delete, None)?;
    ensure!(answer.status == 0 && answer.stderr.is_empty(), "{answer:?}");
    let answer = patch(
        control_plane,
        &namespace,
        &json!({ "metadata": { "finalizers": null } }),
    )?;
    ensure!(answer.status == 0 && answer.stderr.is_empty(), "{answer:?}");
    wait_until("the job is gone", Duration::from_mins(1), || {
        let gone = !crate::jobs::exists(control_plane, "pytorchjob", &namespace, "mnist")?;
        Ok(if gone {
            Progress::Done(())
        } else {
            Progress::Waiting("it is there".to_owned())
        })
    })
}

fn a_parked_job_is_judged_when_it_is_started(control_plane: &ControlPlane) -> Result<()> {
    let namespace = denied_later(control_plane, |namespace| {
        let mut job = mnist("mnist", namespace, 1);
        job["spec"]["runPolicy"] = json!({ "suspend": true });
        job
    })?;
    let answer = patch(
        control_plane,
        &namespace,
        &json!({ "spec": { "runPolicy": { "suspend": false } } }),
    )?;
    ensure!(
        answer.status == 1
            && answer
                .stderr
                .contains("starting this PyTorchJob is refused"),
        "{answer:?}"
    );
    ensure!(answer.stderr.contains("kind: TrainJob"), "{answer:?}");
    let pods = control_plane
        .admin()
        .json(&["get", "pods", "--namespace", &namespace])?;
    ensure!(pods["items"] == json!([]), "{pods:#}");
    Ok(())
}

fn another_image_is_judged(control_plane: &ControlPlane) -> Result<()> {
    let namespace = denied_later(control_plane, |namespace| mnist("mnist", namespace, 1))?;
    let change = json!([{
        "op": "replace",
        "path": "/spec/pytorchReplicaSpecs/Worker/template/spec/containers/0/image",
        "value": "example.com/other:1",
    }])
    .to_string();
    let arguments = [
        "patch",
        "pytorchjob",
        "mnist",
        "--namespace",
        &namespace,
        "--type=json",
        "--patch",
        &change,
    ];
    let answer = control_plane.admin().run(&arguments, None)?;
    ensure!(
        answer.status == 1
            && answer
                .stderr
                .contains("spec.pytorchReplicaSpecs.Worker.template"),
        "{answer:?}"
    );
    Ok(())
}

fn more_workers_are_judged_by_edit_and_by_scale(control_plane: &ControlPlane) -> Result<()> {
    let namespace = denied_later(control_plane, |namespace| mnist("mnist", namespace, 2))?;
    let workers = |count: i32| json!({ "spec": { "pytorchReplicaSpecs": { "Worker": { "replicas": count } } } });
    let answer = patch(control_plane, &namespace, &workers(8))?;
    ensure!(
        answer.status == 1 && answer.stderr.contains("Worker.replicas"),
        "{answer:?}"
    );
    let scale = |count: &str| {
        let replicas = format!("--replicas={count}");
        control_plane.admin().run(
            &[
                "scale",
                "pytorchjob",
                "mnist",
                "--namespace",
                &namespace,
                &replicas,
            ],
            None,
        )
    };
    let up = scale("8")?;
    ensure!(
        up.status == 1 && up.stderr.contains("from 2 to 8 workers"),
        "{up:?}"
    );
    let down = scale("1")?;
    ensure!(down.status == 0, "{down:?}");
    Ok(())
}

fn v1_goes_on_reporting_the_status_of_a_job(control_plane: &ControlPlane) -> Result<()> {
    let namespace = denied_later(control_plane, |namespace| mnist("mnist", namespace, 1))?;
    let succeeded = json!({ "status": { "phase": "Succeeded" } }).to_string();
    wait_until(
        "the job has succeeded with its master",
        Duration::from_mins(1),
        || {
            let arguments = [
                "patch",
                "pod",
                "mnist-master-0",
                "--namespace",
                &namespace,
                "--subresource=status",
                "--type=merge",
                "--patch",
                &succeeded,
            ];
            let patched = control_plane.admin().run(&arguments, None)?;
            let job = control_plane.admin().json(&[
                "get",
                "pytorchjob",
                "mnist",
                "--namespace",
                &namespace,
            ])?;
            let conditions = job["status"]["conditions"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let done = conditions
                .iter()
                .any(|condition| condition["type"] == "Succeeded");
            Ok(if done {
                Progress::Done(())
            } else {
                Progress::Waiting(format!("{patched:?} {conditions:?}"))
            })
        },
    )
}
