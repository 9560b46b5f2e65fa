//! What a run saw on one minor of Trainer, as it is kept: committed, so that a change of behaviour shows as a difference.
//!
//! Nothing in it depends on the machine or on chance except what [`Seen::is_same`] leaves out.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::random::Tally;
use crate::control_plane::programs::{ETCD, KUBERNETES, TRAINING_OPERATOR, Versions, root};

/// One minor.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(super) struct Seen {
    /// The programs' versions, by name.
    pub(super) versions: BTreeMap<String, String>,
    /// When it was seen.
    pub(super) date: String,
    /// The jobs made up at random.
    pub(super) random: Tally,
    /// By case, then by style and layout.
    pub(super) cases: BTreeMap<String, BTreeMap<String, Outcome>>,
    /// In how many of the comparisons each declared difference was there.
    pub(super) counts: BTreeMap<String, usize>,
    /// What becomes of jobs as their pods run, side by side.
    pub(super) behaviour: Vec<Scenario>,
}

/// How a case ended in one style and layout.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// The same pods, but for what differs for every job, and these declared differences.
    Same(Vec<String>),
    /// The converter refuses it by these codes.
    Refused(Vec<String>),
}

/// One line of `behaviour-<minor>.json`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Scenario {
    #[serde(rename = "scenario")]
    pub(super) name: String,
    pub(super) v1: Value,
    pub(super) v2: Value,
    pub(super) equal: bool,
    pub(super) declared: Option<String>,
    pub(super) reason: Option<String>,
}

impl Seen {
    /// What was seen of this minor before.
    pub(super) fn read(minor: &str) -> Result<Self> {
        let path = kept(minor);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Every minor that was ever seen, oldest first.
    pub(super) fn all() -> Result<Vec<(&'static str, Self)>> {
        let minors = Versions::ALL.into_iter().map(|versions| versions.minor);
        let seen = minors.filter(|minor| kept(minor).exists());
        seen.map(|minor| Ok((minor, Self::read(minor)?))).collect()
    }

    /// Keeps it.
    pub(super) fn write(&self, minor: &str) -> Result<()> {
        let path = kept(minor);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        fs::write(path, format!("{:#}\n", serde_json::to_value(self)?))?;
        Ok(())
    }

    /// Whether the two say the same, whenever and by whatever random jobs they were seen.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let timeless = |seen: &Self| Self {
            date: String::new(),
            random: Tally::default(),
            ..seen.clone()
        };
        timeless(self) == timeless(other)
    }

    /// Takes over what the behaviour tests of this run wrote, if they ran.
    pub(super) fn add_behaviour(&mut self, minor: &str) -> Result<()> {
        let path = root().join(format!("target/parity/behaviour-{minor}.json"));
        if path.exists() {
            let text = fs::read_to_string(&path)?;
            self.behaviour =
                serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

fn kept(minor: &str) -> PathBuf {
    root().join(format!("tests/fixtures/parity/{minor}.json"))
}

/// What the control plane is made of, from the modules that it was built from.
pub(super) fn versions(versions: Versions) -> Result<BTreeMap<String, String>> {
    let programs = [
        (
            "Trainer",
            versions.trainer,
            "github.com/kubeflow/trainer/v2",
        ),
        ("JobSet", versions.jobset, "sigs.k8s.io/jobset"),
        (
            "Training Operator",
            TRAINING_OPERATOR,
            "github.com/kubeflow/training-operator",
        ),
        ("Kubernetes", KUBERNETES, "k8s.io/kubernetes"),
        ("etcd", ETCD, "go.etcd.io/etcd/server/v3"),
    ];
    let version = |tool: &str, module: &str| -> Result<String> {
        let path = root().join("tests/cluster/tools").join(tool).join("go.mod");
        let text = fs::read_to_string(&path)?;
        let mut words = text.lines().map(str::split_whitespace);
        let found = words.find_map(|mut line| {
            let named = line.any(|word| word == module);
            line.next()
                .filter(|version| named && version.starts_with('v'))
        });
        let version = found.with_context(|| format!("{}: no {module}", path.display()))?;
        Ok(version.trim_start_matches('v').to_owned())
    };
    programs
        .into_iter()
        .map(|(name, tool, module)| Ok((name.to_owned(), version(tool, module)?)))
        .collect()
}
