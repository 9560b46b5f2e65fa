//! `make launch`: how many trainings become of one job of four nodes.
//!
//! A job is created on a real control plane, in the form of the official migration guide and in the form that trainshift
//! writes. The pods that Trainer makes of it stay Pending, for there are no nodes; so each pod's command is run here, as a
//! process with the variables that the kubelet would give it and no others. Pods' host names become 127.0.0.1. What the
//! processes print tells who found whom.
//!
//! It takes PyTorch in `/usr/bin/python3`, and a Trainer of the minor that `TRAINER` names. It fails unless what trainshift writes is one world of four.

mod pod;
mod world;

use std::io::{self, Write};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::control_plane::kubectl::output;
use crate::control_plane::programs::Versions;
use crate::control_plane::trainshift::{Trainshift, program};
use crate::control_plane::wait::{Progress, wait_until};

const NODES: usize = 4;
const TIMEOUT: Duration = Duration::from_mins(2);
/// Where containers of a job find `train.py`.
const IMAGE: &str = "registry.example/train:1.0";

/// One way to run the job.
struct Form {
    name: &'static str,
    /// What to create.
    objects: fn(namespace: &str, minor: &str) -> Result<String>,
    /// How many worlds of which size it must make.
    expected: &'static [usize],
}

const FORMS: [Form; 4] = [
    Form {
        name: "the migration guide's form, python3 train.py",
        objects: |namespace, _| Ok(of_the_guide(namespace, &["python3", "train.py"])),
        expected: &[1, 1, 1, 1],
    },
    Form {
        name: "the migration guide's form, torchrun train.py",
        objects: |namespace, _| Ok(of_the_guide(namespace, &["torchrun", "train.py"])),
        expected: &[4],
    },
    Form {
        name: "what trainshift writes, python3 train.py",
        objects: |namespace, minor| converted(namespace, minor, &["python3", "train.py"]),
        expected: &[4],
    },
    Form {
        name: "what trainshift writes, torchrun train.py",
        objects: |namespace, minor| converted(namespace, minor, &["torchrun", "train.py"]),
        expected: &[4],
    },
];

/// Runs every form.
pub(crate) fn run() -> Result<()> {
    let mut out = io::stdout();
    let torch = world::torch_version()?;
    let versions = Versions::asked_for()?;
    let Versions {
        minor,
        trainer,
        jobset,
        ..
    } = versions;
    writeln!(out, "PyTorch {torch}, {trainer}, {jobset}; {NODES} nodes")?;
    let control_plane = ControlPlane::boot("launch", versions)?;
    Trainshift::install(&control_plane)?;
    let mut wrong = Vec::new();
    for form in &FORMS {
        let namespace = control_plane.namespace("none")?;
        let objects = (form.objects)(&namespace, minor)?;
        control_plane
            .admin()
            .succeed(&["create", "--filename=-"], Some(&objects))?;
        let pods = pods(&control_plane, &namespace)?;
        let sizes = world::of(&pods).with_context(|| form.name)?;
        writeln!(out, "{}: {}", form.name, world::in_words(&sizes))?;
        if sizes != form.expected {
            wrong.push(form.name);
        }
    }
    ensure!(
        wrong.is_empty(),
        "not what is expected of {}",
        wrong.join(", ")
    );
    Ok(())
}

/// The job as `docs/operator-guides/migration.md` of Trainer writes it: runtime, number of nodes, image and command. One
/// process on each node, where the guide says nothing.
fn of_the_guide(namespace: &str, command: &[&str]) -> String {
    let mut trainer = json!({"numNodes": NODES, "image": IMAGE, "command": command});
    if command[0] == "torchrun" {
        trainer["numProcPerNode"] = json!(1);
    }
    json!({
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": "mnist", "namespace": namespace},
        "spec": {"runtimeRef": {"name": "torch-distributed"}, "trainer": trainer},
    })
    .to_string()
}

/// The v1 job, converted. One process on each node.
fn converted(namespace: &str, minor: &str, command: &[&str]) -> Result<String> {
    let container = json!({"name": "pytorch", "image": IMAGE, "command": command});
    let replicas = |count: usize| json!({"replicas": count, "template": {"spec": {"containers": [container]}}});
    let job = json!({
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "metadata": {"name": "mnist", "namespace": namespace},
        "spec": {
            "nprocPerNode": "1",
            "pytorchReplicaSpecs": {"Master": replicas(1), "Worker": replicas(NODES - 1)},
        },
    });
    let mut command = Command::new(program()?);
    command.args(["convert", "--to", minor, "-"]);
    let converted = output(command, Some(&job.to_string()))?;
    ensure!(converted.status == 0, "{converted:?}");
    Ok(converted.stdout)
}

/// The pods that Trainer makes of the job.
fn pods(control_plane: &ControlPlane, namespace: &str) -> Result<Vec<Value>> {
    wait_until("there are pods", TIMEOUT, || {
        let list = control_plane
            .admin()
            .json(&["get", "pods", "--namespace", namespace])?;
        let pods = list["items"].as_array().cloned().unwrap_or_default();
        Ok(if pods.len() == NODES {
            Progress::Done(pods)
        } else {
            Progress::Waiting(format!("{} pods", pods.len()))
        })
    })
}
