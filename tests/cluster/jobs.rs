//! PyTorchJobs to send, users to send them, and what to look for afterwards.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::control_plane::kubectl::{Kubectl, Output};
use crate::control_plane::wait::{Progress, wait_until};

const TIMEOUT: Duration = Duration::from_mins(1);

/// A master and workers alike, which the shipped runtime can carry.
pub(crate) fn mnist(name: &str, namespace: &str, workers: i32) -> Value {
    let template = json!({ "spec": { "containers": [
        { "name": "pytorch", "image": "example.com/mnist:1.0", "command": ["python", "train.py"] },
    ] } });
    json!({
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "metadata": { "name": name, "namespace": namespace },
        "spec": { "pytorchReplicaSpecs": {
            "Master": { "replicas": 1, "restartPolicy": "OnFailure", "template": template },
            "Worker": { "replicas": workers, "restartPolicy": "OnFailure", "template": template },
        } },
    })
}

/// The same with a pull policy, which takes a runtime of its own.
pub(crate) fn always_pulled(name: &str, namespace: &str) -> Value {
    let mut job = mnist(name, namespace, 1);
    for role in ["Master", "Worker"] {
        job["spec"]["pytorchReplicaSpecs"][role]["template"]["spec"]["containers"][0]["imagePullPolicy"] =
            json!("Always");
    }
    job
}

/// A MigrationPolicy.
pub(crate) fn policy(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "trainshift.dev/v1alpha1", "kind": "MigrationPolicy", "metadata": {"name": name}, "spec": spec,
    })
}

/// `kubectl create` of one object.
pub(crate) fn create(kubectl: &Kubectl, object: &Value, flags: &[&str]) -> Result<Output> {
    kubectl.run(
        &[&["create", "--filename=-"], flags].concat(),
        Some(&object.to_string()),
    )
}

/// A user with v1's rights on PyTorchJobs and, of v2, Trainer's shipped edit role and nothing more.
pub(crate) fn editor(control_plane: &ControlPlane, namespace: &str) -> Result<Kubectl> {
    let user = format!("editor-of-{namespace}");
    let binding = |name: &str, kind: &str, role: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": { "name": name, "namespace": namespace },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user }],
        })
    };
    control_plane.create(&[
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": { "name": "v1", "namespace": namespace },
            "rules": [{ "apiGroups": ["kubeflow.org"], "resources": ["pytorchjobs", "pytorchjobs/scale"], "verbs": ["*"] }],
        }),
        binding("v1", "Role", "v1"),
        binding("v2", "ClusterRole", "kubeflow-trainer-edit"),
    ])?;
    control_plane.user(&user, &["researchers"])
}

/// Waits until trainshift is asked about jobs in the namespace: the API server learns of webhooks and labels by watching. A
/// dry run that asks for the TrainJob tells in every mode.
pub(crate) fn wait_until_judged(control_plane: &ControlPlane, namespace: &str) -> Result<()> {
    let mut probe = mnist("probe", namespace, 1);
    probe["metadata"]["annotations"] = json!({ "trainshift.dev/show": "trainjob" });
    wait_until(&format!("trainshift judges {namespace}"), TIMEOUT, || {
        let answer = create(control_plane.admin(), &probe, &["--dry-run=server"])?;
        Ok(if answer.stderr.contains("kind: TrainJob") {
            Progress::Done(())
        } else {
            Progress::Waiting(format!("{answer:?}"))
        })
    })
}

/// What a user saves who follows the denial's advice: all but the first line of what kubectl printed.
pub(crate) fn all_but_the_first_line(output: &Output) -> Result<String> {
    ensure!(output.status == 1, "kubectl was not refused: {output:?}");
    let (_, yaml) = output.stderr.split_once('\n').unwrap_or_default();
    Ok(yaml.to_owned())
}

/// Waits until `name` has `count` pods by JobSet's label, and returns them in the order of their ranks.
pub(crate) fn pods(
    control_plane: &ControlPlane,
    namespace: &str,
    name: &str,
    count: usize,
) -> Result<Vec<Value>> {
    let selector = format!("--selector=jobset.sigs.k8s.io/jobset-name={name}");
    wait_until(&format!("{name} has {count} pods"), TIMEOUT, || {
        let list =
            control_plane
                .admin()
                .json(&["get", "pods", "--namespace", namespace, &selector])?;
        let mut pods = list["items"].as_array().cloned().unwrap_or_default();
        if pods.len() == count {
            pods.sort_by_key(rank);
            return Ok(Progress::Done(pods));
        }
        let others = control_plane.admin().run(
            &[
                "get",
                "trainjob,jobset,job,events",
                "--namespace",
                namespace,
            ],
            None,
        )?;
        Ok(Progress::Waiting(format!(
            "{} pods;\n{}",
            pods.len(),
            others.stdout
        )))
    })
}

/// The value of a variable of a pod's container `node`, with a fieldRef resolved as the kubelet would.
pub(crate) fn variable(pod: &Value, name: &str) -> Option<String> {
    let containers = pod["spec"]["containers"].as_array()?;
    let container = containers
        .iter()
        .find(|container| container["name"] == "node")?;
    let variable = container["env"]
        .as_array()?
        .iter()
        .rev()
        .find(|variable| variable["name"] == name)?;
    if let Some(value) = variable["value"].as_str() {
        return Some(value.to_owned());
    }
    let path = variable["valueFrom"]["fieldRef"]["fieldPath"].as_str()?;
    let (map, key) = path
        .strip_prefix("metadata.")?
        .strip_suffix("']")?
        .split_once("['")?;
    pod["metadata"][map][key].as_str().map(str::to_owned)
}

fn rank(pod: &Value) -> Option<i32> {
    variable(pod, "RANK")?.parse().ok()
}

/// Whether the object exists.
pub(crate) fn exists(
    control_plane: &ControlPlane,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Result<bool> {
    let answer = control_plane
        .admin()
        .run(&["get", kind, name, "--namespace", namespace], None)?;
    Ok(answer.status == 0)
}
