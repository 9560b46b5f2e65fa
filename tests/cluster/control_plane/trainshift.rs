//! trainshift itself, as a process beside the control plane, and its webhook in the API server.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::certificates::Authority;
use super::components::TIMEOUT;
use super::kubectl::output;
use super::process::{Process, answers, get};
use super::{ControlPlane, MODE_LABEL, ports};

/// One instance: it judges the namespaces that carry its label.
pub(crate) struct Trainshift {
    program: PathBuf,
    label: String,
    mode: String,
    kubeconfig: PathBuf,
    directory: PathBuf,
    certificates: PathBuf,
    port: u16,
    admin: u16,
    process: Option<Process>,
}

impl Trainshift {
    /// Installs what all instances share: the rights of their ServiceAccount and trainshift's own runtime.
    pub(crate) fn install(control_plane: &ControlPlane) -> Result<()> {
        for what in ["crd", "rbac", "runtimes"] {
            let mut command = Command::new(program()?);
            command.args(["generate", what]);
            apply(control_plane, command)?;
        }
        Ok(())
    }

    /// Starts an instance in `mode` (`audit`, `warn`, `deny`) for the namespaces labelled `label`, with no other rights
    /// than those that trainshift asks for, and waits until it is ready.
    pub(crate) fn start(control_plane: &ControlPlane, label: &str, mode: &str) -> Result<Self> {
        let kubeconfig = control_plane.service_account("trainshift-system", "trainshift")?;
        Self::start_with(control_plane, label, mode, &kubeconfig)
    }

    /// The same with a kubeconfig of the caller's choice.
    pub(crate) fn start_with(
        control_plane: &ControlPlane,
        label: &str,
        mode: &str,
        kubeconfig: &Path,
    ) -> Result<Self> {
        let program = program()?;
        let directory = control_plane.directory().to_owned();
        let certificates = write_certificates(control_plane, label)?;
        let (port, admin) = (ports::free()?, ports::free()?);
        let mut instance = Self {
            program,
            label: label.to_owned(),
            mode: mode.to_owned(),
            kubeconfig: kubeconfig.to_owned(),
            directory,
            certificates,
            port,
            admin,
            process: None,
        };
        instance.run()?;
        Ok(instance)
    }

    /// Registers it with the API server, for the namespaces with its label. `failure_policy` says what becomes of a
    /// request that it does not answer.
    pub(crate) fn register(
        &self,
        control_plane: &ControlPlane,
        failure_policy: &str,
    ) -> Result<()> {
        register(
            control_plane,
            &self.label,
            self.port,
            &self.certificates,
            failure_policy,
        )
    }

    /// Ends it by SIGTERM and gives its exit code. The webhook stays registered, as when all replicas are down.
    pub(crate) fn stop(&mut self) -> Result<Option<i32>> {
        let mut process = self
            .process
            .take()
            .with_context(|| format!("trainshift-{} does not run", self.label))?;
        process.terminate(Duration::from_mins(1))
    }

    /// Starts it again where it was: same ports, same certificate.
    pub(crate) fn restart(&mut self) -> Result<()> {
        if self.process.is_some() {
            self.stop()?;
        }
        self.run()
    }

    /// Lets it run on after this process.
    pub(crate) fn leave_running(mut self) {
        if let Some(process) = &mut self.process {
            process.detach();
        }
    }

    /// What it answers on its admin port: `/readyz`, `/metrics`.
    pub(crate) fn says(&self, path: &str) -> Result<String> {
        let answer = get(self.admin, path)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("a head")?;
        ensure!(head.split(' ').nth(1) == Some("200"), "{path}: {answer}");
        Ok(body.to_owned())
    }

    fn run(&mut self) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.arg("serve");
        command.args([
            format!("--bind=127.0.0.1:{}", self.port),
            format!("--admin=127.0.0.1:{}", self.admin),
        ]);
        command.arg("--tls-dir").arg(&self.certificates);
        command
            .args(["--mode", &self.mode])
            .arg("--kubeconfig")
            .arg(&self.kubeconfig);
        let mut process = Process::start(
            &format!("trainshift-{}", self.label),
            command,
            &self.directory,
        )?;
        process.ready(TIMEOUT, answers(self.admin, "/readyz"))?;
        self.process = Some(process);
        Ok(())
    }
}

/// A certificate for the instance with this label, and that of its authority beside it; returns the directory.
pub(crate) fn write_certificates(control_plane: &ControlPlane, label: &str) -> Result<PathBuf> {
    let certificates = control_plane
        .directory()
        .join(format!("trainshift-{label}"));
    let authority = Authority::new("trainshift")?;
    authority.serving(&[])?.write(&certificates)?;
    fs::write(certificates.join("ca.crt"), &authority.pair.certificate)?;
    Ok(certificates)
}

/// Registers what answers on `port` with the API server, for the namespaces with `label`.
pub(crate) fn register(
    control_plane: &ControlPlane,
    label: &str,
    port: u16,
    certificates: &Path,
    failure_policy: &str,
) -> Result<()> {
    let mut command = Command::new(program()?);
    command.args(["generate", "webhook"]);
    command.args([
        format!("--failure-policy={failure_policy}"),
        format!("--name=trainshift-{label}"),
        format!("--url=https://127.0.0.1:{port}"),
        format!("--ca-bundle={}", certificates.join("ca.crt").display()),
        format!("--namespace-selector={MODE_LABEL}={label}"),
    ]);
    apply(control_plane, command)
}

/// The program, beside the directory of this test or example; cargo builds it for tests, and `make cluster` for the
/// example.
pub(crate) fn program() -> Result<PathBuf> {
    let own = env::current_exe()?;
    let target = own.ancestors().nth(2).context("a directory of cargo's")?;
    Ok(target.join("trainshift"))
}

fn apply(control_plane: &ControlPlane, command: Command) -> Result<()> {
    let what = format!("{command:?}");
    let generated = output(command, None)?;
    if generated.status != 0 {
        bail!("{what}: {}", generated.stderr);
    }
    control_plane
        .admin()
        .succeed(&["apply", "--filename=-"], Some(&generated.stdout))?;
    Ok(())
}
