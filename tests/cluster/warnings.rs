//! Audit and Warn: the job runs on v1, and who submitted it reads what is to come, once.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::control_plane::ControlPlane;
use crate::control_plane::audit::events;
use crate::jobs::{create, exists, mnist};

crate::facts![
    a_warning_is_printed_for_each_finding,
    audit_is_silent_and_recorded,
    a_dry_run_is_answered_alike_and_stores_nothing,
    a_dry_run_shows_the_trainjob_on_request,
    v1_runs_what_is_warned_about,
];

fn a_warning_is_printed_for_each_finding(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("warn")?;
    let answer = create(control_plane.admin(), &mnist("mnist", &namespace, 1), &[])?;
    ensure!(answer.status == 0, "{answer:?}");
    ensure!(
        answer.stdout == "pytorchjob.kubeflow.org/mnist created\n",
        "{answer:?}"
    );
    let lines: Vec<&str> = answer.stderr.lines().collect();
    ensure!(
        lines[0].starts_with("Warning: trainshift: PyTorchJob is being retired."),
        "{answer:?}"
    );
    let address = "Warning: trainshift TS003 MASTER_ADDR: mnist-master-0 -> mnist-node-0-0.mnist";
    ensure!(
        lines
            .iter()
            .filter(|line| line.starts_with(address))
            .count()
            == 1,
        "{answer:?}"
    );
    ensure!(
        lines
            .iter()
            .all(|line| line.starts_with("Warning: trainshift")),
        "{answer:?}"
    );
    ensure!(lines.len() <= 8, "{answer:?}");
    Ok(())
}

fn audit_is_silent_and_recorded(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("audit")?;
    let answer = create(control_plane.admin(), &mnist("mnist", &namespace, 1), &[])?;
    ensure!(answer.status == 0 && answer.stderr.is_empty(), "{answer:?}");
    let events = events(control_plane, "create", &namespace, "mnist")?;
    let annotations = &events[0]["annotations"];
    for (key, value) in [
        ("mode", "Audit"),
        ("policy", "built-in"),
        ("verdict", "adapted"),
    ] {
        ensure!(
            annotations[format!("validate.trainshift.dev/{key}")] == value,
            "{annotations:#}"
        );
    }
    let codes = annotations["validate.trainshift.dev/codes"]
        .as_str()
        .unwrap_or_default();
    ensure!(
        codes.split(',').any(|code| code == "TS003"),
        "{annotations:#}"
    );
    Ok(())
}

fn a_dry_run_is_answered_alike_and_stores_nothing(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("warn")?;
    let job = mnist("mnist", &namespace, 1);
    let dry = create(control_plane.admin(), &job, &["--dry-run=server"])?;
    ensure!(
        dry.status == 0 && dry.stdout.contains("(server dry run)"),
        "{dry:?}"
    );
    ensure!(
        !exists(control_plane, "pytorchjob", &namespace, "mnist")?,
        "a dry run stored the job"
    );
    let wet = create(control_plane.admin(), &job, &[])?;
    ensure!(wet.stderr == dry.stderr, "{dry:?}\n{wet:?}");
    Ok(())
}

fn a_dry_run_shows_the_trainjob_on_request(control_plane: &ControlPlane) -> Result<()> {
    for mode in ["audit", "warn", "deny"] {
        let namespace = control_plane.namespace(mode)?;
        let mut job = mnist("mnist", &namespace, 1);
        job["metadata"]["annotations"] = json!({ "trainshift.dev/show": "trainjob" });
        let answer = create(control_plane.admin(), &job, &["--dry-run=server"])?;
        ensure!(
            answer.status == 1 && answer.stderr.contains("\nkind: TrainJob\n"),
            "{mode}: {answer:?}"
        );
    }
    Ok(())
}

fn v1_runs_what_is_warned_about(control_plane: &ControlPlane) -> Result<()> {
    use crate::control_plane::wait::{Progress, wait_until};
    let namespace = control_plane.namespace("warn")?;
    create(control_plane.admin(), &mnist("mnist", &namespace, 1), &[])?;
    wait_until(
        "v1 has made the pods",
        std::time::Duration::from_mins(1),
        || {
            let pods = control_plane
                .admin()
                .json(&["get", "pods", "--namespace", &namespace])?;
            let count = pods["items"].as_array().map_or(0, Vec::len);
            Ok(if count == 2 {
                Progress::Done(())
            } else {
                Progress::Waiting(format!("{count} pods"))
            })
        },
    )
}
