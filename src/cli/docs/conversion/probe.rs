//! What the converter is asked: `probes.yaml`, and the job that each of its rows stands for.

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::api::pytorchjob::PyTorchJob;
use crate::convert::target::GangScheduler;

/// Job that values are put into unless a group or a row names another.
const USUAL: &str = "mnist";
/// Stands for every replica type in a path.
const EACH: &str = "*";

/// All of `probes.yaml`; its head says what each key means.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalogue {
    pub jobs: Vec<Job>,
    pub groups: Vec<Group>,
    pub launch: Vec<Launch>,
}

/// A small valid job.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Job {
    name: String,
    pub text: String,
    pub manifest: Value,
}

/// A table of fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub title: String,
    pub below: String,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    job: Option<String>,
    #[serde(default)]
    gang: Option<String>,
    pub rows: Vec<Row>,
}

/// A field.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub field: String,
    pub value: Option<Value>,
    #[serde(default)]
    pub note: String,
    #[serde(default)]
    pub v1: String,
    #[serde(default)]
    pub source: String,
    job: Option<String>,
    gang: Option<String>,
}

/// A job's variables.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Launch {
    pub job: String,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub spec: Map<String, Value>,
    pub v1: Vec<Variable>,
}

/// A variable as v1 sets it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Variable {
    pub variable: String,
    pub value: String,
}

impl Catalogue {
    /// Reads the file that is built in.
    pub fn read() -> anyhow::Result<Self> {
        serde_saphyr::from_str(include_str!("probes.yaml")).context("probes.yaml")
    }

    /// The job called `name`.
    pub fn job(&self, name: &str) -> anyhow::Result<&Job> {
        let mut jobs = self.jobs.iter();
        jobs.find(|job| job.name == name)
            .ok_or_else(|| anyhow!("probes.yaml has no job {name}"))
    }
}

impl Group {
    /// What the row's first cell says: the field, and what else tells it from its neighbours.
    pub fn label(&self, row: &Row) -> String {
        let mut label = format!("`{}`", row.field);
        let is_alone = self.rows.iter().filter(|r| r.field == row.field).count() == 1;
        let value = row.value.as_ref().and_then(in_one_line);
        if let (false, true, Some(value)) = (is_alone, row.note.is_empty(), value) {
            label = format!("`{}: {value}`", row.field);
        }
        if !row.note.is_empty() {
            label = format!("{label}, {}", row.note);
        }
        if let (Some(_), Some(gang)) = (&self.gang, row.gang.as_ref().or(self.gang.as_ref())) {
            label = format!("{label} ({gang})");
        }
        label
    }
}

/// A scalar or a list of them, as YAML has it.
fn in_one_line(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(in_one_line).collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// A row's job, with the field and without.
#[derive(Debug)]
pub(super) struct Probe {
    /// The job with the field, as it was written.
    pub manifest: Value,
    /// The same, read.
    pub job: PyTorchJob,
    /// The job without the field.
    pub without: PyTorchJob,
    /// Where the field stands, for each replica type that has it.
    pub paths: Vec<String>,
    /// What v1 schedules gangs with.
    pub gang: GangScheduler,
}

impl Probe {
    /// Puts the row's value into its job.
    pub fn new(catalogue: &Catalogue, group: &Group, row: &Row) -> anyhow::Result<Self> {
        let name = row.job.as_deref().or(group.job.as_deref());
        let original = &catalogue.job(name.unwrap_or(USUAL))?.manifest;
        let field = match (group.below.as_str(), row.field.as_str()) {
            ("", field) => field.to_owned(),
            (below, index) if index.starts_with('[') => format!("{below}{index}"),
            (below, field) => format!("{below}.{field}"),
        };
        let roles = original["spec"]["pytorchReplicaSpecs"].as_object();
        let roles = roles.into_iter().flat_map(Map::keys);
        let paths: Vec<_> = if field.contains(EACH) {
            roles.map(|role| field.replace(EACH, role)).collect()
        } else {
            vec![field]
        };
        let mut manifest = original.clone();
        if let Some(value) = &row.value {
            for path in &paths {
                *at(&mut manifest, path).with_context(|| path.clone())? = value.clone();
            }
        }
        let gang = match row.gang.as_deref().or(group.gang.as_deref()) {
            None | Some("none") => GangScheduler::None,
            Some("volcano") => GangScheduler::Volcano,
            Some("scheduler-plugins") => GangScheduler::SchedulerPlugins,
            Some(other) => return Err(anyhow!("probes.yaml: gang {other}")),
        };
        Ok(Self {
            job: job(&manifest)?,
            without: job(original)?,
            manifest,
            paths,
            gang,
        })
    }
}

impl Probe {
    /// Whether what is said of `field` is said of the probe's field, of a part of it, or of a whole that it is in.
    pub fn is_about(&self, field: &str) -> bool {
        let mut paths = self.paths.iter();
        !field.is_empty()
            && paths.any(|path| below(field, path).is_some() || below(path, field).is_some())
    }
}

/// Reads a manifest.
pub(super) fn job(manifest: &Value) -> anyhow::Result<PyTorchJob> {
    Ok(serde_json::from_value(manifest.clone())?)
}

/// The steps of a path such as `spec.containers[0].name` or `metadata.labels[example.com/key]`.
pub(super) fn steps(path: &str) -> Vec<&str> {
    let mut steps = Vec::new();
    for (index, part) in path.split('[').enumerate() {
        let (key, rest) = match part.split_once(']') {
            Some((key, rest)) if index > 0 => (Some(key), rest),
            _ => (None, part),
        };
        steps.extend(key);
        steps.extend(rest.split('.').filter(|key| !key.is_empty()));
    }
    steps
}

/// The place of `path`, made where it is missing.
fn at<'v>(value: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    let mut here = value;
    for step in steps(path) {
        here = match here {
            Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?)?,
            Value::Object(_) | Value::Null => &mut here[step],
            Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
        };
    }
    Some(here)
}

/// What of `path` is below `field`: nothing when it is the field itself, none when it isn't in it.
pub(super) fn below<'p>(path: &'p str, field: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(field)?;
    (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
}
