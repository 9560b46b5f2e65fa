//! The jobs that are compared: the golden cases of the converter, and the examples that v1 ships.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use trainshift::api::meta::SHIPPED_RUNTIME;
use trainshift::convert::dialect::Dialect;
use trainshift::convert::target::{GangScheduler, Layout, Style, Target};

use crate::control_plane::programs::{TRAINING_OPERATOR, root, sources};

/// A job, and what it is converted for.
#[derive(Clone)]
pub(super) struct Case {
    /// The golden case's folder, or the example's path.
    pub(super) name: String,
    /// The job as its author wrote it.
    pub(super) job: Value,
    /// What the folder's `target.yaml` says.
    pub(super) settings: Value,
    /// Whether it is one of v1's own examples.
    pub(super) is_example: bool,
}

/// Golden cases that can't be compared on a control plane, each with the reason.
pub(super) const LEFT_OUT: &[(&str, &str)] = &[
    (
        "everything-that-only-a-template-can-say",
        "the API server takes no pod with all of it at once; pods-that-share-the-host and pods-with-users-of-their-own have its parts",
    ),
    (
        "managed-by-multikueue",
        "its own cluster makes no pods of it, under v1 as under v2",
    ),
    (
        "ports-of-its-own",
        "v1 makes no Service for a second port without a name, and its workers never find the Master",
    ),
    (
        "ports-that-trainer-takes-for-one",
        "v1 makes no Service for a second port without a name, and its workers never find the Master",
    ),
    (
        "replica-keys-in-lower-case",
        "v1's webhook admits Master and Worker only; files may say otherwise",
    ),
    (
        "unknown-fields-at-every-level",
        "v1's API server drops what it doesn't know, so only files have it",
    ),
    (
        "variable-set-twice-keeps-the-last",
        "v1's API server admits no variable twice; files may have it",
    ),
    (
        "variable-that-is-overridden-stands-in-another",
        "v1's API server admits no variable twice; files may have it",
    ),
];

/// All cases that are compared, in the order of their names.
pub(super) fn all() -> Result<Vec<Case>> {
    let mut cases = golden()?;
    cases.retain(|case| !LEFT_OUT.iter().any(|(name, _)| *name == case.name));
    cases.extend(examples()?);
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(cases)
}

/// The cases of `tests/fixtures/convert/pass`.
pub(super) fn golden() -> Result<Vec<Case>> {
    let folder = root().join("tests/fixtures/convert/pass");
    let mut cases = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let settings = path.join("target.yaml");
        cases.push(Case {
            name: name.into_owned(),
            job: yaml(&path.join("pytorchjob.yaml"))?,
            settings: if settings.exists() {
                yaml(&settings)?
            } else {
                Value::Null
            },
            is_example: false,
        });
    }
    Ok(cases)
}

/// The `PyTorchJobs` among the examples of training-operator.
pub(super) fn examples() -> Result<Vec<Case>> {
    let examples = sources(TRAINING_OPERATOR, "github.com/kubeflow/training-operator")?
        .join("examples/pytorch");
    let mut cases = Vec::new();
    let mut directories = vec![examples.clone()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                directories.push(path);
            } else if is_job(&path)? {
                let name = path.strip_prefix(&examples)?.with_extension("");
                cases.push(Case {
                    name: format!("example-{}", name.display()).replace('/', "-"),
                    job: yaml(&path)?,
                    settings: Value::Null,
                    is_example: true,
                });
            }
        }
    }
    Ok(cases)
}

fn is_job(path: &Path) -> Result<bool> {
    let is_yaml = path
        .extension()
        .is_some_and(|extension| extension == "yaml");
    Ok(is_yaml && fs::read_to_string(path)?.contains("PyTorchJob"))
}

fn yaml(path: &PathBuf) -> Result<Value> {
    let text = fs::read_to_string(path)?;
    serde_saphyr::from_str(&text).with_context(|| path.display().to_string())
}

impl Case {
    /// What to convert for, in this style and layout; the case's own settings come first.
    pub(super) fn target(&self, dialect: Dialect, style: Style, layout: Layout) -> Result<Target> {
        let mut target = Target {
            dialect,
            style,
            layout,
            ..Target::default()
        };
        let Some(settings) = self.settings.as_object() else {
            return Ok(target);
        };
        for (key, value) in settings {
            match (key.as_str(), value) {
                ("gang", value) if value == "volcano" => target.gang = GangScheduler::Volcano,
                ("gang", value) if value == "scheduler-plugins" => {
                    target.gang = GangScheduler::SchedulerPlugins;
                }
                ("layout", value) if value == "roles" => target.layout = Layout::Roles,
                ("layout", value) if value == "one" => target.layout = Layout::One,
                ("generate", Value::Bool(generate)) => target.generate = *generate,
                ("shipped", Value::Bool(false)) => {
                    target.cluster_runtimes.remove(SHIPPED_RUNTIME);
                }
                ("runtime", Value::String(runtime)) => target.runtime = Some(runtime.clone()),
                _ => bail!("{}: target.yaml: {key}: {value}", self.name),
            }
        }
        Ok(target)
    }

    /// The styles and layouts in which the case is compared.
    pub(super) fn variants(&self) -> Vec<(Style, Layout)> {
        let mut variants = vec![(Style::Exact, Layout::Auto)];
        if self.has_both_roles() && self.settings.get("layout").is_none() {
            variants.extend([(Style::Exact, Layout::One), (Style::Exact, Layout::Roles)]);
        }
        variants.push((Style::Idiomatic, Layout::Auto));
        variants
    }

    fn has_both_roles(&self) -> bool {
        self.specs().is_some_and(|specs| specs.len() == 2)
    }

    fn specs(&self) -> Option<&serde_json::Map<String, Value>> {
        self.job["spec"]["pytorchReplicaSpecs"].as_object()
    }

    /// How many pods v1 makes of it.
    pub(super) fn pods(&self) -> usize {
        let specs = self.specs().into_iter().flatten();
        let count = |spec: &Value| spec["replicas"].as_u64().unwrap_or(1);
        let sum: u64 = specs.map(|(_, spec)| count(spec)).sum();
        usize::try_from(sum).unwrap_or(usize::MAX)
    }

    /// The namespace that its author wrote.
    pub(super) fn namespace(&self) -> &str {
        self.job["metadata"]["namespace"]
            .as_str()
            .unwrap_or("default")
    }

    /// Whether it waits without pods.
    pub(super) fn is_suspended(&self) -> bool {
        self.job["spec"]["runPolicy"]["suspend"] == true
    }

    /// The pod specs in it.
    pub(super) fn pod_specs(&self) -> impl Iterator<Item = &Value> {
        let specs = self.specs().into_iter().flatten();
        specs.map(|(_, spec)| &spec["template"]["spec"])
    }
}
