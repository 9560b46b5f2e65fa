//! A namespace with a policy of its own, and the people in it.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::control_plane::kubectl::{Kubectl, Output};
use crate::control_plane::wait::{Progress, wait_until};
use crate::jobs::{self, create, editor, mnist};

/// By this label, and its own value of it, a namespace is matched by the policies of its fact.
pub(crate) const LABEL: &str = "trainshift-test/policy";
const PATIENCE: Duration = Duration::from_mins(1);

/// A namespace, `name`, in which nothing happens to a job but what the policies with the same label say.
pub(crate) struct Ground<'c> {
    pub(crate) control_plane: &'c ControlPlane,
    pub(crate) name: String,
    /// Somebody who may do everything with PyTorchJobs, and nothing with policies.
    pub(crate) user: Kubectl,
}

impl<'c> Ground<'c> {
    /// A new one.
    pub(crate) fn new(control_plane: &'c ControlPlane) -> Result<Self> {
        let name = control_plane.namespace("audit")?;
        let ground = Self {
            user: editor(control_plane, &name)?,
            control_plane,
            name,
        };
        ground.label(&[&format!("{LABEL}={}", ground.name)])?;
        Ok(ground)
    }

    /// Sets labels of the namespace, all at once.
    pub(crate) fn label(&self, labels: &[&str]) -> Result<()> {
        let command = ["label", "--overwrite", "namespace", &self.name];
        let admin = self.control_plane.admin();
        admin.succeed(&[&command[..], labels].concat(), None)?;
        Ok(())
    }

    /// Puts the namespace's own policy in force, or another one in its place.
    pub(crate) fn policy(&self, spec: &Value) -> Result<()> {
        self.named(&self.name, spec, &json!({}))
    }

    /// Puts a policy in force, whose message will be its name and a number; a dry run of a job with these labels tells
    /// when it is.
    pub(crate) fn named(&self, policy: &str, spec: &Value, labels: &Value) -> Result<()> {
        let here = json!({"match": {"namespaceSelector": {"matchLabels": {LABEL: self.name}}}});
        let mut object = jobs::policy(policy, &here);
        json_patch::merge(&mut object["spec"], spec);
        let message = format!("{policy}, told {}", object["spec"]["schedule"]);
        object["spec"]["message"] = json!(message);
        let admin = self.control_plane.admin();
        admin.succeed(&["apply", "--filename=-"], Some(&object.to_string()))?;
        let mut probe = mnist("probe", &self.name, 1);
        probe["metadata"]["labels"] = labels.clone();
        wait_until(&format!("policy {policy} is in force"), PATIENCE, || {
            let answer = create(admin, &probe, &["--dry-run=server"])?;
            Ok(if answer.stderr.contains(&message) {
                Progress::Done(())
            } else {
                Progress::Waiting(format!("{answer:?}"))
            })
        })
    }

    /// A job of this namespace.
    pub(crate) fn job(&self, patch: &Value) -> Value {
        let mut job = mnist("mnist", &self.name, 1);
        json_patch::merge(&mut job, patch);
        job
    }

    /// `who` changes the job by a JSON merge patch.
    pub(crate) fn edit(&self, who: &Kubectl, patch: &Value) -> Result<Output> {
        let command = ["patch", "pytorchjob", "mnist", "--namespace", &self.name];
        let patch = patch.to_string();
        who.run(
            &[&command[..], &["--type=merge", "--patch", &patch]].concat(),
            None,
        )
    }

    /// `who` scales the job's workers.
    pub(crate) fn scale(&self, who: &Kubectl, workers: u32) -> Result<Output> {
        let command = ["scale", "pytorchjob", "mnist", "--namespace", &self.name];
        let replicas = format!("--replicas={workers}");
        who.run(&[&command[..], &[&replicas]].concat(), None)
    }

    /// Another user who may do with PyTorchJobs what the first one may.
    pub(crate) fn another(&self, name: &str) -> Result<Kubectl> {
        self.let_in(
            &json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}),
        )?;
        self.control_plane.user(name, &["researchers"])
    }

    /// A ServiceAccount that may do the same.
    pub(crate) fn service_account(&self, namespace: &str, name: &str) -> Result<Kubectl> {
        self.let_in(&json!({"kind": "ServiceAccount", "namespace": namespace, "name": name}))?;
        let kubeconfig = self.control_plane.service_account(namespace, name)?;
        Kubectl::new(&kubeconfig)
    }

    fn let_in(&self, subject: &Value) -> Result<()> {
        let name = subject["name"].as_str().unwrap_or_default();
        self.control_plane.create(&[json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": format!("v1-{name}"), "namespace": self.name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "v1"},
            "subjects": [subject],
        })])?;
        self.wait_until_allowed(name, subject)
    }

    /// The API server learns of rights by watching.
    fn wait_until_allowed(&self, name: &str, subject: &Value) -> Result<()> {
        let user = match subject["namespace"].as_str() {
            Some(namespace) => format!("system:serviceaccount:{namespace}:{name}"),
            None => name.to_owned(),
        };
        let namespace = format!("--namespace={}", self.name);
        self.wait_until_may(&user, &["patch", "pytorchjobs.kubeflow.org", &namespace])
    }

    /// Waits until `kubectl auth can-i QUESTION --as USER` says yes.
    pub(crate) fn wait_until_may(&self, user: &str, question: &[&str]) -> Result<()> {
        let asker = format!("--as={user}");
        let command = [&["auth", "can-i", &asker], question].concat();
        wait_until(&format!("{user} may {question:?}"), PATIENCE, || {
            let answer = self.control_plane.admin().run(&command, None)?;
            Ok(if answer.status == 0 {
                Progress::Done(())
            } else {
                Progress::Waiting(format!("{answer:?}"))
            })
        })
    }
}

/// A schedule: `mode` from ever, and others from dates that are past.
pub(crate) fn schedule(mode: &str, later: &[(&str, &str)]) -> Value {
    let first = [json!({"mode": mode})];
    let later = later
        .iter()
        .map(|(mode, from)| json!({"mode": mode, "from": format!("{from}T00:00:00Z")}));
    json!(first.into_iter().chain(later).collect::<Vec<_>>())
}

/// An exemption of a ServiceAccount or a user, which ends long after anybody runs this.
pub(crate) fn exemption(name: &str, subject: &Value, narrowed: &Value) -> Value {
    let mut exemption = json!({
        "name": name, "subjects": [subject], "reason": "a test", "until": "2999-01-01T00:00:00Z",
    });
    json_patch::merge(&mut exemption, narrowed);
    exemption
}
