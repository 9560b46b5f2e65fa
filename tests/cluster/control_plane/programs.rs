//! Which programs a control plane is made of, and where they and their sources are.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::kubectl::output;

/// The folders under `tests/cluster/tools` of what there is one version of.
pub(crate) const ETCD: &str = "etcd-3.6";
pub(crate) const KUBERNETES: &str = "kubernetes-1.36";
pub(crate) const TRAINING_OPERATOR: &str = "training-operator-1.9";

/// The folders under `tests/cluster/tools` of what comes in several versions.
#[derive(Clone, Copy)]
pub(crate) struct Versions {
    /// Trainer.
    pub(crate) trainer: &'static str,
    /// `JobSet`, in the version that this Trainer is compiled with.
    pub(crate) jobset: &'static str,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            trainer: "trainer-2.3",
            jobset: "jobset-0.12",
        }
    }
}

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A built program.
pub(crate) fn find(tool: &str, name: &str) -> Result<PathBuf> {
    let program = root()
        .join("target/control-plane/bin")
        .join(tool)
        .join(name);
    if !program.is_file() {
        bail!("{name} ({tool}) is not built: run `make control-plane`");
    }
    Ok(program)
}

/// Are all programs there? Asked before anything is started.
pub(crate) fn check(versions: Versions) -> Result<()> {
    find(ETCD, "etcd")?;
    for name in ["kube-apiserver", "kube-controller-manager", "kubectl"] {
        find(KUBERNETES, name)?;
    }
    find(TRAINING_OPERATOR, "training-operator.v1")?;
    find(versions.trainer, "trainer-controller-manager")?;
    find(versions.jobset, "jobset")?;
    Ok(())
}

/// The sources that a tool was built from, in Go's module cache: its manifests are read there, so that they are always
/// those of the same version.
pub(crate) fn sources(tool: &str, module: &str) -> Result<PathBuf> {
    let mut command = Command::new("go");
    command
        .arg("-C")
        .arg(root().join("tests/cluster/tools").join(tool));
    command.args(["list", "-m", "-f", "{{.Dir}}", module]);
    let listed =
        output(command, None).context("go is needed to find the manifests of what it built")?;
    match listed.stdout.trim() {
        "" => bail!(
            "the sources of {module} are gone: run `go -C tests/cluster/tools/{tool} mod download`\n{}",
            listed.stderr
        ),
        directory => Ok(directory.into()),
    }
}
