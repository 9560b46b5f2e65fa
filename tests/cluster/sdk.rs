//! The v2 Python SDK, as its users call it, reads what is in the cluster.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::control_plane::ControlPlane;
use crate::control_plane::kubectl::output;
use crate::control_plane::programs::root;
use crate::trainer::trainjob;

crate::facts![lists_runtimes_and_jobs];

fn lists_runtimes_and_jobs(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("none")?;
    control_plane.create(&[trainjob("mnist", &namespace, "torch-distributed")])?;
    let seen = list(control_plane, &namespace)?;
    let names = |what: &str| -> Vec<String> {
        let listed = seen[what].as_array().into_iter().flatten();
        listed
            .filter_map(|item| item["name"].as_str().map(str::to_owned))
            .collect()
    };
    ensure!(
        names("runtimes").contains(&"torch-distributed".to_owned()),
        "{seen:#}"
    );
    ensure!(names("jobs") == ["mnist"], "{seen:#}");
    Ok(())
}

/// What `TrainerClient` lists in a namespace, as an administrator.
pub(crate) fn list(control_plane: &ControlPlane, namespace: &str) -> Result<Value> {
    let python = root().join("target/sdk-venv/bin/python");
    ensure!(python.is_file(), "the SDK is not installed: run `make sdk`");
    let mut command = Command::new(python);
    command
        .arg(root().join("tests/cluster/sdk/list.py"))
        .arg(namespace);
    command.env("KUBECONFIG", control_plane.admin().kubeconfig());
    let listed = output(command, None)?;
    ensure!(
        listed.status == 0,
        "list.py: exit code {}\n{}",
        listed.status,
        listed.stderr
    );
    serde_json::from_str(&listed.stdout).context("reading what list.py wrote")
}
