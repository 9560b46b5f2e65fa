//! The command line of each component, and when it is ready.
//!
//! Client throttles are raised everywhere: at their defaults (20 to 50 requests a second) they, and not the machine,
//! would decide how long a test takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::certificates::Authority;
use super::kubectl::Kubectl;
use super::ports;
use super::process::{Process, answers};
use super::programs::{self, ETCD, KUBERNETES, TRAINING_OPERATOR, Versions};
use super::wait::Progress;

/// Generous, since a loaded machine with two cores must do; a component that exits is noticed at once.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(2);

const REQUESTS_PER_SECOND: u32 = 1000;

/// etcd, on `port` for its clients.
pub(crate) fn etcd(directory: &Path, port: u16) -> Result<Process> {
    let (client, peer) = (
        format!("http://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{}", ports::free()?),
    );
    let mut command = Command::new(programs::find(ETCD, "etcd")?);
    command.arg("--data-dir").arg(directory.join("etcd"));
    command.args([
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
    ]);
    command.args([
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
    ]);
    command.arg(format!("--initial-cluster=default={peer}"));
    // What it holds does not outlive the run.
    command.args(["--unsafe-no-fsync", "--log-level=warn"]);
    Process::start("etcd", command, directory)
}

/// kube-apiserver, with certificates and the audit policy as laid out in `directory`.
pub(crate) fn kube_apiserver(directory: &Path, port: u16, etcd: u16) -> Result<Process> {
    fs::write(
        directory.join("audit-policy.yaml"),
        json!({
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [{ "level": "Metadata" }],
        })
        .to_string(),
    )?;
    let mut command = Command::new(programs::find(KUBERNETES, "kube-apiserver")?);
    let file = |name: &str| directory.join(name).display().to_string();
    command.args([
        format!("--etcd-servers=http://127.0.0.1:{etcd}"),
        format!("--secure-port={port}"),
        format!("--client-ca-file={}", file("ca/tls.crt")),
        format!("--tls-cert-file={}", file("apiserver/tls.crt")),
        format!("--tls-private-key-file={}", file("apiserver/tls.key")),
        format!(
            "--service-account-key-file={}",
            file("service-accounts/tls.crt")
        ),
        format!(
            "--service-account-signing-key-file={}",
            file("service-accounts/tls.key")
        ),
        format!("--audit-policy-file={}", file("audit-policy.yaml")),
        format!("--audit-log-path={}", file("audit.log")),
        format!("--cert-dir={}", file("apiserver")),
    ]);
    command.args([
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        // A Service `kubernetes` with an endpoint on loopback is refused, again and again; nobody needs it.
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--authorization-mode=Node,RBAC",
    ]);
    Process::start("kube-apiserver", command, directory)
}

/// kube-controller-manager: Jobs, garbage collection, `ServiceAccounts`, role aggregation, each under its own name.
pub(crate) fn kube_controller_manager(directory: &Path, kubeconfig: &Path) -> Result<Process> {
    let mut command = Command::new(programs::find(KUBERNETES, "kube-controller-manager")?);
    let file = |name: &str| directory.join(name).display().to_string();
    command.args([
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--root-ca-file={}", file("ca/tls.crt")),
        format!(
            "--service-account-private-key-file={}",
            file("service-accounts/tls.key")
        ),
        format!("--kube-api-qps={REQUESTS_PER_SECOND}"),
        format!("--kube-api-burst={REQUESTS_PER_SECOND}"),
    ]);
    command.args([
        "--use-service-account-credentials",
        "--leader-elect=false",
        // It is ready when it has done something; a port to ask it would be one more to find.
        "--secure-port=0",
        // There are no nodes, and no cloud.
        "--controllers=*,-node-ipam-controller,-node-route-controller,-cloud-node-lifecycle-controller",
    ]);
    Process::start("kube-controller-manager", command, directory)
}

/// A probe for the controller manager: a namespace has its default `ServiceAccount`.
pub(crate) fn has_default_service_account(
    kubectl: &Kubectl,
    namespace: &str,
) -> impl FnMut() -> Result<Progress<()>> {
    move || {
        let seen = kubectl.run(
            &["get", "serviceaccount", "default", "--namespace", namespace],
            None,
        )?;
        Ok(if seen.status == 0 {
            Progress::Done(())
        } else {
            Progress::Waiting(seen.stderr)
        })
    }
}

/// A controller with a webhook server: what all of them need to run on loopback.
pub(crate) struct Operator {
    /// The component, and its directory.
    pub(crate) name: &'static str,
    /// The port of its webhook server.
    pub(crate) webhooks: u16,
    health: u16,
    directory: PathBuf,
}

impl Operator {
    /// Finds ports, and lays the serving certificate where the webhook server looks for it.
    pub(crate) fn new(
        name: &'static str,
        run: &Path,
        authority: &Authority,
        service: &str,
    ) -> Result<Self> {
        let directory = run.join(name);
        authority
            .serving(&[service])?
            .write(&directory.join("k8s-webhook-server/serving-certs"))?;
        Ok(Self {
            name,
            webhooks: ports::free()?,
            health: ports::free()?,
            directory,
        })
    }

    /// `JobSet`'s controller.
    pub(crate) fn jobset(&self, versions: Versions, kubeconfig: &Path) -> Result<Process> {
        let config = self.config(&json!({
            "apiVersion": "config.jobset.x-k8s.io/v1alpha1",
            "kind": "Configuration",
            "health": { "healthProbeBindAddress": format!("127.0.0.1:{}", self.health) },
            "metrics": { "bindAddress": "0" },
            "webhook": { "host": "127.0.0.1", "port": self.webhooks },
            "leaderElection": { "leaderElect": false },
            "internalCertManagement": { "enable": false },
            "clientConnection": { "qps": REQUESTS_PER_SECOND, "burst": REQUESTS_PER_SECOND },
        }))?;
        self.start(versions.jobset, "jobset", kubeconfig, &[config])
    }

    /// Trainer's controller.
    pub(crate) fn trainer(&self, versions: Versions, kubeconfig: &Path) -> Result<Process> {
        let program = "trainer-controller-manager";
        if versions.has_flags_only() {
            lay_awaited_certificate()?;
            let flags = [
                format!("--health-probe-bind-address=127.0.0.1:{}", self.health),
                format!("--webhook-server-port={}", self.webhooks),
                "--metrics-bind-address=0".to_owned(),
            ];
            return self.start(versions.trainer, program, kubeconfig, &flags);
        }
        let config = self.config(&json!({
            "apiVersion": "config.trainer.kubeflow.org/v1alpha1",
            "kind": "Configuration",
            "health": { "healthProbeBindAddress": format!("127.0.0.1:{}", self.health) },
            "metrics": { "bindAddress": "0" },
            "webhook": { "host": "127.0.0.1", "port": self.webhooks },
            "leaderElection": { "leaderElect": false },
            "certManagement": { "enable": false },
            "clientConnection": { "qps": REQUESTS_PER_SECOND, "burst": REQUESTS_PER_SECOND },
            "controller": { "groupKindConcurrency": { "TrainJob.trainer.kubeflow.org": 5 } },
        }))?;
        self.start(versions.trainer, program, kubeconfig, &[config])
    }

    /// The v1 operator. Its webhook server listens on all addresses: no flag that it be on loopback.
    pub(crate) fn training_operator(
        &self,
        versions: Versions,
        kubeconfig: &Path,
    ) -> Result<Process> {
        lay_awaited_certificate()?;
        let mut arguments = vec![
            format!("--health-probe-bind-address=127.0.0.1:{}", self.health),
            format!("--webhook-server-port={}", self.webhooks),
            format!("--kube-api-qps={REQUESTS_PER_SECOND}"),
            format!("--kube-api-burst={REQUESTS_PER_SECOND}"),
            "--metrics-bind-address=0".to_owned(),
            "--enable-scheme=pytorchjob".to_owned(),
            "--controller-threads=5".to_owned(),
        ];
        let gang = versions.gang.into_iter();
        arguments.extend(gang.map(|scheduler| format!("--gang-scheduler-name={scheduler}")));
        self.start(
            TRAINING_OPERATOR,
            "training-operator.v1",
            kubeconfig,
            &arguments,
        )
    }

    /// Waits until its webhook server listens, which is what these programs mean by ready.
    pub(crate) fn ready(&self, process: &mut Process) -> Result<()> {
        process.ready(TIMEOUT, answers(self.health, "/readyz"))
    }

    fn start(
        &self,
        tool: &str,
        program: &str,
        kubeconfig: &Path,
        arguments: &[String],
    ) -> Result<Process> {
        let mut command = Command::new(programs::find(tool, program)?);
        command
            .env("KUBECONFIG", kubeconfig)
            .env("TMPDIR", &self.directory)
            .args(arguments);
        Process::start(
            self.name,
            command,
            self.directory.parent().unwrap_or(&self.directory),
        )
    }

    fn config(&self, config: &Value) -> Result<String> {
        let file = self.directory.join("config.json");
        fs::write(&file, config.to_string())?;
        Ok(format!("--config={}", file.display()))
    }
}

/// Lays down the file without which v1 and Trainer 2.0 don't begin.
///
/// They wait until `/tmp/k8s-webhook-server/serving-certs/tls.crt` exists, a path that no flag changes; but what they
/// serve is read from under `TMPDIR`. So an empty file there, which is nobody's, does for any number of control planes.
fn lay_awaited_certificate() -> Result<()> {
    let awaited = Path::new("/tmp/k8s-webhook-server/serving-certs");
    let file = awaited.join("tls.crt");
    if !file.exists() {
        fs::create_dir_all(awaited)
            .and_then(|()| fs::write(&file, ""))
            .with_context(|| format!("{} is waited for", file.display()))?;
    }
    Ok(())
}
