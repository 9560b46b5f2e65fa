//! Trainer, with `JobSet` and the Job controller behind it, does here what it does in a cluster.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::control_plane::wait::{Progress, wait_until};

crate::facts![creates_the_pods_of_a_trainjob, refuses_an_unknown_runtime];

const TIMEOUT: Duration = Duration::from_mins(1);

fn creates_the_pods_of_a_trainjob(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("none")?;
    control_plane.create(&[trainjob("mnist", &namespace, "torch-distributed")])?;
    wait_until("two nodes have a pod each", TIMEOUT, || {
        let pods = control_plane
            .admin()
            .json(&["get", "pods", "--namespace", &namespace])?;
        let pods: Vec<&Value> = pods["items"].as_array().into_iter().flatten().collect();
        let of_the_job =
            |pod: &Value| pod["metadata"]["labels"]["jobset.sigs.k8s.io/jobset-name"] == "mnist";
        Ok(
            if pods.len() == 2 && pods.iter().all(|pod| of_the_job(pod)) {
                Progress::Done(())
            } else {
                let job = control_plane.admin().run(
                    &[
                        "get",
                        "trainjob,jobset,job,events",
                        "--namespace",
                        &namespace,
                    ],
                    None,
                )?;
                Progress::Waiting(format!("{} pods;\n{}", pods.len(), job.stdout))
            },
        )
    })
}

fn refuses_an_unknown_runtime(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("none")?;
    let job = trainjob("mnist", &namespace, "no-such-runtime").to_string();
    let answer = control_plane
        .admin()
        .run(&["create", "--filename=-"], Some(&job))?;
    ensure!(answer.status == 1, "{answer:?}");
    ensure!(
        answer
            .stderr
            .contains("validator.trainjob.trainer.kubeflow.org"),
        "{answer:?}"
    );
    ensure!(answer.stderr.contains("no-such-runtime"), "{answer:?}");
    Ok(())
}

/// Two nodes on a `ClusterTrainingRuntime`.
pub(crate) fn trainjob(name: &str, namespace: &str, runtime: &str) -> Value {
    json!({
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": { "name": name, "namespace": namespace },
        "spec": {
            "runtimeRef": { "apiGroup": "trainer.kubeflow.org", "kind": "ClusterTrainingRuntime", "name": runtime },
            "trainer": { "numNodes": 2, "command": ["python", "train.py"] },
        },
    })
}
