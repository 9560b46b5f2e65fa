//! The order in which everything starts.
//!
//! etcd and the API server at the same time, the manifests being rendered meanwhile; then what these define; then the
//! controllers, all at once, since none waits for another.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::access::Access;
use super::certificates::Authority;
use super::components::{self, Operator, TIMEOUT};
use super::kubectl::Kubectl;
use super::manifests::{self, Objects};
use super::ports;
use super::process::Process;
use super::programs::Versions;
use super::wait::{Progress, wait_until};

/// What starting needs to know.
pub(super) struct Boot<'a> {
    pub(super) directory: &'a Path,
    pub(super) access: &'a Access,
    pub(super) admin: &'a Kubectl,
    pub(super) versions: Versions,
}

/// The objects of each project.
struct Rendered {
    jobset: Objects,
    trainer: Objects,
    runtimes: Objects,
    training_operator: Objects,
}

/// The controllers that serve webhooks.
struct Operators {
    jobset: Operator,
    trainer: Operator,
    training_operator: Operator,
}

impl Boot<'_> {
    /// Starts everything and waits until all of it is ready; ends what it has started when anything fails.
    pub(super) fn run(&self) -> Result<Vec<Process>> {
        let (rendered, servers) = rayon::join(|| self.render(), || self.start_servers());
        let (mut processes, mut rendered) = (servers?, rendered?);
        let operators = self.lay_out(&mut rendered)?;
        self.define(&rendered)?;
        processes.extend(self.start_controllers(&operators, &rendered.runtimes)?);
        Ok(processes)
    }

    fn start_servers(&self) -> Result<Vec<Process>> {
        let port = ports::free()?;
        // The API server tries again until etcd is there.
        let etcd = components::etcd(self.directory, port)?;
        let mut server = components::kube_apiserver(self.directory, self.access.port, port)?;
        // Not ready yet, which takes it another second, but good for what its administrator creates.
        server.ready(TIMEOUT, || self.api_says_ok("/readyz/ping"))?;
        Ok(vec![etcd, server])
    }

    fn api_says_ok(&self, path: &str) -> Result<Progress<()>> {
        let seen = self.admin.run(&["get", "--raw", path], None)?;
        Ok(if seen.status == 0 {
            Progress::Done(())
        } else {
            Progress::Waiting(seen.stderr)
        })
    }

    fn render(&self) -> Result<Rendered> {
        let ((jobset, trainer), (runtimes, training_operator)) = rayon::join(
            || {
                rayon::join(
                    || manifests::jobset(self.versions),
                    || manifests::trainer(self.versions),
                )
            },
            || {
                rayon::join(
                    || manifests::trainer_runtimes(self.versions),
                    manifests::training_operator,
                )
            },
        );
        Ok(Rendered {
            jobset: jobset?,
            trainer: trainer?,
            runtimes: runtimes?,
            training_operator: training_operator?,
        })
    }

    /// Gives each operator its ports and certificates, and its webhook configurations the address.
    fn lay_out(&self, rendered: &mut Rendered) -> Result<Operators> {
        let authority = Authority::new("webhooks")?;
        let jobset = self.operator(
            "jobset",
            &authority,
            "jobset-webhook-service.jobset-system.svc",
        )?;
        let service = "kubeflow-trainer-controller-manager.kubeflow-system.svc";
        let trainer = self.operator("trainer", &authority, service)?;
        manifests::redirect_webhooks(
            &mut rendered.jobset,
            jobset.webhooks,
            &authority.pair.certificate,
        );
        manifests::redirect_webhooks(
            &mut rendered.trainer,
            trainer.webhooks,
            &authority.pair.certificate,
        );

        let training_operator = self.operator(
            "training-operator",
            &authority,
            "training-operator.kubeflow.svc",
        )?;
        let objects = &mut rendered.training_operator;
        manifests::redirect_webhooks(
            objects,
            training_operator.webhooks,
            &authority.pair.certificate,
        );
        hide_from_rotator(objects, "training-operator-on-loopback")?;
        if self.versions.has_flags_only() {
            hide_from_rotator(&mut rendered.trainer, "trainer-on-loopback")?;
        }
        Ok(Operators {
            jobset,
            trainer,
            training_operator,
        })
    }

    fn operator(
        &self,
        name: &'static str,
        authority: &Authority,
        service: &str,
    ) -> Result<Operator> {
        Operator::new(name, self.directory, authority, service)
    }

    /// Creates all that the operators need to find when they start.
    fn define(&self, rendered: &Rendered) -> Result<()> {
        let namespaces = ["kubeflow", "kubeflow-system", "jobset-system"].map(
            |name| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }),
        );
        let Rendered {
            jobset,
            trainer,
            training_operator,
            ..
        } = rendered;
        let mut objects = [&namespaces, &jobset[..], trainer, training_operator].concat();
        if self.versions.gang.is_some() {
            objects.extend(manifests::pod_groups());
        }
        let is_crd = |object: &Value| object["kind"] == "CustomResourceDefinition";
        let wanted = objects.iter().filter(|object| is_crd(object)).count();
        // First, so that the API server sets them up while the rest is created.
        objects.sort_by_key(|object| !is_crd(object));
        self.admin.create(&objects)?;
        wait_until("all CRDs are established", TIMEOUT, || {
            let condition =
                r#"jsonpath={.items[*].status.conditions[?(@.type=="Established")].status}"#;
            let seen = self
                .admin
                .succeed(&["get", "crd", "--output", condition], None)?;
            let established = seen
                .split_whitespace()
                .filter(|status| *status == "True")
                .count();
            Ok(if established == wanted {
                Progress::Done(())
            } else {
                Progress::Waiting(format!("{established} of {wanted}"))
            })
        })?;
        wait_until("the API server is ready", TIMEOUT, || {
            self.api_says_ok("/readyz")
        })
    }

    /// Under the names that the operators have in a cluster, so that RBAC, admission and audit see who asks.
    fn start_controllers(&self, operators: &Operators, runtimes: &Objects) -> Result<Vec<Process>> {
        let Operators {
            jobset,
            trainer,
            training_operator,
        } = operators;
        let account = |namespace, name| self.access.service_account(namespace, name);
        let manager = self
            .access
            .kubeconfig("system:kube-controller-manager", &[])?;
        // The v1 operator first: it sleeps for a second or two before it looks whether it may begin.
        let mut processes = vec![
            training_operator
                .training_operator(self.versions, &account("kubeflow", "training-operator")?)?,
            trainer.trainer(
                self.versions,
                &account("kubeflow-system", "kubeflow-trainer-controller-manager")?,
            )?,
            jobset.jobset(
                self.versions,
                &account("jobset-system", "jobset-controller-manager")?,
            )?,
            components::kube_controller_manager(self.directory, &manager)?,
        ];
        for (process, operator) in processes
            .iter_mut()
            .zip([training_operator, trainer, jobset])
        {
            operator.ready(process)?;
        }
        // Before 2.3 Trainer's webhook judges those too that it ships.
        self.admin.create(runtimes)?;
        if let Some(manager) = processes.last_mut() {
            manager.ready(
                TIMEOUT,
                components::has_default_service_account(self.admin, "default"),
            )?;
        }
        Ok(processes)
    }
}

/// Gives the webhook configuration of v1, or of Trainer 2.0, a name that the operator does not know.
///
/// They always make certificates of their own, and write their authority into the configuration that they know by name;
/// with those a webhook can't be called by an address on loopback. Where there is no such configuration, they go on without.
fn hide_from_rotator(objects: &mut Objects, name: &str) -> Result<()> {
    let mut configurations = objects
        .iter_mut()
        .filter(|object| object["kind"] == "ValidatingWebhookConfiguration");
    let configuration = configurations
        .next()
        .with_context(|| format!("no webhook configuration to call {name}"))?;
    configuration["metadata"]["name"] = json!(name);
    Ok(())
}
