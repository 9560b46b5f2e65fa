//! Who still uses v1, by the audit log that a real API server wrote and by the jobs that it has.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::control_plane::kubectl::output;
use crate::control_plane::trainshift::program;
use crate::jobs::{create, editor, mnist};

crate::facts![
    the_audit_log_tells_what_each_mode_did_to_whom,
    a_request_that_nobody_judged_is_told,
    whoever_is_impersonated_counts,
    the_jobs_that_exist_are_told_by_who_made_them,
];

fn the_audit_log_tells_what_each_mode_did_to_whom(control_plane: &ControlPlane) -> Result<()> {
    // Two jobs, and where they are warned about the workers that one of them gets.
    for (mode, code, what, count) in [
        ("audit", 0, "verdictAdapted", 2),
        ("warn", 0, "warned", 3),
        ("deny", 1, "refused", 2),
    ] {
        let namespace = control_plane.namespace(mode)?;
        let user = editor(control_plane, &namespace)?;
        let answer = create(&user, &mnist("mnist", &namespace, 1), &[])?;
        ensure!(answer.status == code, "{mode}: {answer:?}");
        // The same with a name that the API server makes up, and one that stores nothing.
        let mut unnamed = mnist("", &namespace, 1);
        unnamed["metadata"] = json!({ "generateName": "run-", "namespace": namespace });
        create(&user, &unnamed, &[])?;
        create(&user, &unnamed, &["--dry-run=server"])?;
        if mode != "deny" {
            for change in [
                ["label", "pytorchjob", "mnist", "seen=yes"],
                ["scale", "pytorchjob", "mnist", "--replicas=2"],
                ["delete", "pytorchjob", "mnist", "--wait=false"],
            ] {
                user.succeed(&[&change[..], &["--namespace", &namespace]].concat(), None)?;
            }
        }

        let detail = of_namespace(control_plane, &namespace)?;
        let [row] = detail.as_slice() else {
            anyhow::bail!("{mode}: one user with one client was expected: {detail:#?}")
        };
        ensure!(row["user"] == format!("editor-of-{namespace}"), "{row:#}");
        ensure!(row["client"] == "kubectl", "{row:#}");
        ensure!(
            row[what] == count && row["verdictAdapted"] == 2,
            "{mode}: {row:#}"
        );
        ensure!(
            row["unjudged"] == 0 && row["failed"] == 0,
            "{mode}: {row:#}"
        );
        let made = if mode == "deny" {
            [2, 0, 0, 0]
        } else {
            [2, 2, 2, 1]
        };
        let seen = ["creates", "jobs", "changes", "deletes"].map(|count| row[count].as_i64());
        ensure!(seen == made.map(Some), "{mode}: {row:#}");
    }
    Ok(())
}

fn a_request_that_nobody_judged_is_told(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("none")?;
    create(control_plane.admin(), &mnist("mnist", &namespace, 1), &[])?;
    let detail = of_namespace(control_plane, &namespace)?;
    let counts =
        ["unjudged", "failedOpen", "verdictUnknown"].map(|count| detail[0][count].as_i64());
    ensure!(counts == [1, 0, 1].map(Some), "{detail:#?}");
    Ok(())
}

fn whoever_is_impersonated_counts(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("warn")?;
    editor(control_plane, &namespace)?;
    let user = format!("editor-of-{namespace}");
    let answer = create(
        control_plane.admin(),
        &mnist("mnist", &namespace, 1),
        &[&format!("--as={user}")],
    )?;
    ensure!(answer.status == 0, "{answer:?}");
    let detail = of_namespace(control_plane, &namespace)?;
    ensure!(
        detail[0]["user"] == user && detail[0]["via"] == "admin" && detail[0]["warned"] == 1,
        "{detail:#?}"
    );
    Ok(())
}

fn the_jobs_that_exist_are_told_by_who_made_them(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("none")?;
    for name in ["one", "two"] {
        create(control_plane.admin(), &mnist(name, &namespace, 1), &[])?;
    }
    let kubeconfig = control_plane.admin().kubeconfig().display().to_string();
    let live = [
        "--live",
        "--kubeconfig",
        &kubeconfig,
        "--namespace",
        &namespace,
    ];
    let report = report(&live, None)?;
    ensure!(report["notes"] == json!([]), "{report:#}");
    let [client] = report["clients"].as_array().map_or(&[][..], Vec::as_slice) else {
        anyhow::bail!("one client was expected: {report:#}")
    };
    ensure!(
        client["client"] == "kubectl-create" && client["jobs"] == 2,
        "{report:#}"
    );
    ensure!(report["total"]["verdictAdapted"] == 2, "{report:#}");
    let nobody = control_plane.kubeconfig_for(&format!("nobody-of-{namespace}"), &[])?;
    let mut command = Command::new(program()?);
    command
        .args(["report", "--live", "--kubeconfig"])
        .arg(nobody);
    let answer = output(command, None)?;
    ensure!(
        answer.status == 3 && answer.stderr.contains("listing PyTorchJobs"),
        "{answer:?}"
    );
    Ok(())
}

/// What the API server's audit log tells of a namespace: by user, client and day.
pub(crate) fn of_namespace(control_plane: &ControlPlane, namespace: &str) -> Result<Vec<Value>> {
    let log = control_plane.directory().join("audit.log");
    let log = fs::read_to_string(&log).with_context(|| format!("reading {}", log.display()))?;
    // The last line may be half written.
    let whole = log.rfind('\n').map_or("", |end| &log[..end]);
    let report = report(&["--by=week", "--audit-log", "-"], Some(whole))?;
    let rows = report["detail"].as_array().cloned().unwrap_or_default();
    Ok(rows
        .into_iter()
        .filter(|row| row["namespace"] == namespace)
        .collect())
}

fn report(args: &[&str], stdin: Option<&str>) -> Result<Value> {
    let mut command = Command::new(program()?);
    command.args(["report", "--output=json"]).args(args);
    let answer = output(command, stdin)?;
    ensure!(answer.status == 0, "{}", answer.stderr);
    serde_json::from_str(&answer.stdout).context("reading what the report says")
}
