//! The v1 operator does here what it does in a cluster.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::control_plane::programs::{TRAINING_OPERATOR, sources};
use crate::control_plane::wait::{Progress, wait_until};

crate::facts![creates_the_pods_of_a_pytorchjob, refuses_two_masters];

const TIMEOUT: Duration = Duration::from_mins(1);

fn creates_the_pods_of_a_pytorchjob(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("none")?;
    let job = example(&namespace)?;
    control_plane.create(&[job])?;
    wait_until("the master and the worker have a pod each", TIMEOUT, || {
        let pods = control_plane
            .admin()
            .json(&["get", "pods", "--namespace", &namespace])?;
        let names: Vec<&str> = pods["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|pod| pod["metadata"]["name"].as_str())
            .collect();
        Ok(
            if names == ["pytorch-simple-master-0", "pytorch-simple-worker-0"] {
                Progress::Done(())
            } else {
                Progress::Waiting(format!("{names:?}"))
            },
        )
    })
}

fn refuses_two_masters(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("none")?;
    let mut job = example(&namespace)?;
    job["spec"]["pytorchReplicaSpecs"]["Master"]["replicas"] = json!(2);
    let answer = control_plane
        .admin()
        .run(&["create", "--filename=-"], Some(&job.to_string()))?;
    ensure!(answer.status == 1, "{answer:?}");
    ensure!(
        answer
            .stderr
            .contains("validator.pytorchjob.training-operator.kubeflow.org"),
        "{answer:?}"
    );
    ensure!(answer.stderr.contains("must be 1"), "{answer:?}");
    Ok(())
}

/// The first example of v1's documentation: one master, one worker.
fn example(namespace: &str) -> Result<Value> {
    let sources = sources(TRAINING_OPERATOR, "github.com/kubeflow/training-operator")?;
    let text = fs::read_to_string(sources.join("examples/pytorch/simple.yaml"))?;
    let mut job: Value = serde_saphyr::from_str(&text)?;
    job["metadata"]["namespace"] = json!(namespace);
    Ok(job)
}
