//! Which programs a control plane is made of, and where they and their sources are.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use trainshift::convert::target::Dialect;

use super::kubectl::output;

/// The folders under `tests/cluster/tools` of what there is one version of.
pub(crate) const ETCD: &str = "etcd-3.6";
pub(crate) const KUBERNETES: &str = "kubernetes-1.36";
pub(crate) const TRAINING_OPERATOR: &str = "training-operator-1.9";

/// A minor of Trainer, with the folders under `tests/cluster/tools` of what comes in several versions.
#[derive(Clone, Copy)]
pub(crate) struct Versions {
    /// The minor of Trainer, as `2.3`.
    pub(crate) minor: &'static str,
    /// Trainer.
    pub(crate) trainer: &'static str,
    /// `JobSet`, in the version that this Trainer is compiled with.
    pub(crate) jobset: &'static str,
    /// What the v1 operator runs with as `--gang-scheduler-name`.
    pub(crate) gang: Option<&'static str>,
}

impl Versions {
    /// Every minor that can be built, oldest first.
    pub(crate) const ALL: [Self; 4] = [
        Self::new("2.0", "trainer-2.0", "jobset-0.8"),
        Self::new("2.1", "trainer-2.1", "jobset-0.10"),
        Self::new("2.2", "trainer-2.2", "jobset-0.11"),
        Self::newest(),
    ];

    const fn new(minor: &'static str, trainer: &'static str, jobset: &'static str) -> Self {
        Self {
            minor,
            trainer,
            jobset,
            gang: None,
        }
    }

    /// The same with a gang scheduler, of which there are the CRDs only: nothing schedules here.
    pub(crate) fn with_gang(self, scheduler: &'static str) -> Self {
        Self {
            gang: Some(scheduler),
            ..self
        }
    }

    /// The newest minor.
    pub(crate) const fn newest() -> Self {
        Self::new("2.3", "trainer-2.3", "jobset-0.12")
    }

    /// The versions that belong to a minor of Trainer, as `2.0`.
    pub(crate) fn of(minor: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|known| known.minor == minor);
        known.with_context(|| {
            let all = Self::ALL.map(|known| known.minor).join(", ");
            format!("there is no Trainer {minor} here: TRAINER must be one of {all}")
        })
    }

    /// The minor that `TRAINER` names in the environment; without it, the newest.
    pub(crate) fn asked_for() -> Result<Self> {
        match env::var("TRAINER") {
            Ok(minor) if !minor.is_empty() => Self::of(&minor),
            _ => Ok(Self::newest()),
        }
    }

    /// What trainshift calls it.
    pub(crate) fn dialect(self) -> Result<Dialect> {
        let mut known = Dialect::ALL.into_iter();
        let dialect = known.find(|dialect| dialect.as_str() == self.minor);
        dialect.with_context(|| format!("trainshift has no dialect {}", self.minor))
    }

    /// Whether Trainer is set up by flags, makes its own certificates whatever one says, and has no other way.
    pub(crate) fn has_flags_only(self) -> bool {
        self.minor == "2.0"
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
        bail!(
            "{name} ({tool}) is not built: run `make control-plane`, or `make control-plane-all` for every minor of Trainer"
        );
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
