//! A real Kubernetes control plane on loopback, with the v1 operator, `JobSet` and Trainer in it.
//!
//! In: the programs that `make control-plane` built. Out: an API server to which everything applies that applies in a
//! cluster: RBAC, admission, CRD schemas, garbage collection, audit. What is missing is nodes: pods stay Pending, and a
//! test that needs them further writes their status.

mod access;
pub(crate) mod audit;
mod boot;
pub(crate) mod certificates;
mod components;
pub(crate) mod guardian;
pub(crate) mod kubectl;
pub(crate) mod manifests;
pub(crate) mod pids;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod programs;
pub(crate) mod proxy;
pub(crate) mod trainshift;
pub(crate) mod wait;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use self::access::Access;
use self::boot::Boot;
use self::components::TIMEOUT;
use self::guardian::Guardian;
use self::kubectl::Kubectl;
use self::pids::Pids;
use self::process::Process;
use self::programs::Versions;

/// The label that says which trainshift, by its mode, judges a namespace.
pub(crate) const MODE_LABEL: &str = "trainshift-test/mode";

/// A running control plane. It ends with the value, or with the process that owns it, whatever ends that.
pub(crate) struct ControlPlane {
    name: String,
    versions: Versions,
    directory: PathBuf,
    access: Access,
    admin: Kubectl,
    guardian: Guardian,
    processes: Vec<Process>,
}

/// Where the control plane of this name keeps certificates, logs, pids and its audit log.
pub(crate) fn directory(name: &str) -> PathBuf {
    programs::root().join("target/control-plane/run").join(name)
}

impl ControlPlane {
    /// Starts everything and waits until all of it is ready, in `directory(name)`, which is emptied first.
    pub(crate) fn boot(name: &str, versions: Versions) -> Result<Self> {
        programs::check(versions)?;
        let directory = directory(name);
        if let Some(running) = Pids::of(&directory).running()?.first() {
            bail!(
                "{name} runs already ({}, process {})",
                running.name,
                running.pid
            );
        }
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        let guardian = Guardian::start(&directory)?;

        let access = Access::new(&directory)?;
        let admin = Kubectl::new(&access.kubeconfig("admin", &["system:masters"])?)?;
        let processes = Boot {
            directory: &directory,
            access: &access,
            admin: &admin,
            versions,
        }
        .run()?;
        Ok(Self {
            name: name.to_owned(),
            versions,
            directory,
            access,
            admin,
            guardian,
            processes,
        })
    }

    /// What runs in it.
    pub(crate) fn versions(&self) -> Versions {
        self.versions
    }

    /// The name that it was booted by.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// kubectl as a cluster administrator.
    pub(crate) fn admin(&self) -> &Kubectl {
        &self.admin
    }

    /// kubectl as any user; what they may do is for RBAC to say. At most two groups.
    pub(crate) fn user(&self, user: &str, groups: &[&str]) -> Result<Kubectl> {
        Kubectl::new(&self.kubeconfig_for(user, groups)?)
    }

    /// A kubeconfig with a client certificate for any user, in at most two groups.
    pub(crate) fn kubeconfig_for(&self, user: &str, groups: &[&str]) -> Result<PathBuf> {
        self.access.kubeconfig(user, groups)
    }

    /// A kubeconfig by which the API server knows its bearer as a `ServiceAccount`.
    pub(crate) fn service_account(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        self.access.service_account(namespace, name)
    }

    /// A new namespace that the trainshift in this mode judges, ready for pods; its name is nobody else's.
    pub(crate) fn namespace(&self, mode: &str) -> Result<String> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let name = format!("{mode}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.namespace_in(&name, mode)?;
        Ok(name)
    }

    /// The same with a name of the caller's choice.
    pub(crate) fn namespace_in(&self, name: &str, mode: &str) -> Result<()> {
        let metadata = json!({ "name": name, "labels": { MODE_LABEL: mode } });
        self.create(&[json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata })])?;
        let probe = components::has_default_service_account(&self.admin, name);
        wait::wait_until(
            &format!("namespace {name} has its default ServiceAccount"),
            TIMEOUT,
            probe,
        )
    }

    /// Creates objects as the administrator.
    pub(crate) fn create(&self, objects: &[Value]) -> Result<()> {
        self.admin.create(objects)
    }

    /// Where certificates, logs, pids and the audit log are.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The components that have ended by themselves since they were ready: a test that failed may have failed of that.
    pub(crate) fn ended(&mut self) -> Vec<&str> {
        self.processes
            .iter_mut()
            .filter_map(Process::ended)
            .collect()
    }

    /// Lets everything run on after this process.
    pub(crate) fn leave_running(mut self) -> Result<()> {
        for process in &mut self.processes {
            process.detach();
        }
        self.guardian.stand_down()
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.processes.clear();
        let _ = self.guardian.stand_down();
    }
}
