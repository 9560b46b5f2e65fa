//! What a pod's training container would run, and with which variables, were its pods all on this machine.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

const CONTAINER: &str = "node";
const LOOPBACK: &str = "127.0.0.1";

/// A command and its variables.
pub(crate) struct Process {
    /// Program and arguments.
    pub(crate) command: Vec<String>,
    /// Every variable that the pod sets.
    pub(crate) environment: BTreeMap<String, String>,
}

/// What `pod` runs; `hosts` are the names of all pods of the job.
pub(crate) fn process(pod: &Value, hosts: &[String]) -> Result<Process> {
    let containers = pod["spec"]["containers"].as_array();
    let container = containers
        .into_iter()
        .flatten()
        .find(|container| container["name"] == CONTAINER)
        .context("the pod has a training container")?;
    let variables = environment(container, pod)?;
    let texts = ["command", "args"].map(|list| container[list].as_array());
    let command = texts
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(Value::as_str)
        .map(|text| on_loopback(&expand(text, &variables), hosts))
        .collect();
    let environment = variables
        .iter()
        .map(|(name, value)| (name.clone(), on_loopback(value, hosts)))
        .collect();
    Ok(Process {
        command,
        environment,
    })
}

/// The name by which other pods reach this one.
pub(crate) fn host(pod: &Value) -> Result<String> {
    let part = |field: &str| {
        let text = pod["spec"][field].as_str();
        text.with_context(|| format!("the pod has a {field}"))
    };
    Ok(format!("{}.{}", part("hostname")?, part("subdomain")?))
}

fn on_loopback(text: &str, hosts: &[String]) -> String {
    hosts
        .iter()
        .fold(text.to_owned(), |text, host| text.replace(host, LOOPBACK))
}

/// The variables as the kubelet resolves them: in order, each from those before it.
fn environment(container: &Value, pod: &Value) -> Result<BTreeMap<String, String>> {
    let mut known = BTreeMap::new();
    for variable in container["env"].as_array().into_iter().flatten() {
        let name = variable["name"].as_str().context("a variable has a name")?;
        let path = variable["valueFrom"]["fieldRef"]["fieldPath"].as_str();
        let value = match path {
            Some(path) => field(pod, path).with_context(|| format!("{name}: {path}"))?,
            None => expand(variable["value"].as_str().unwrap_or_default(), &known),
        };
        known.insert(name.to_owned(), value);
    }
    Ok(known)
}

/// `metadata.name`, or `metadata.annotations['key']`.
fn field(pod: &Value, path: &str) -> Option<String> {
    let path = path.strip_prefix("metadata.")?;
    let value = match path
        .strip_suffix("']")
        .and_then(|path| path.split_once("['"))
    {
        Some((map, key)) => &pod["metadata"][map][key],
        None => &pod["metadata"][path],
    };
    value.as_str().map(str::to_owned)
}

/// Puts in what `$(NAME)` refers to; one that refers to nothing stays, and `$$` is a dollar.
fn expand(text: &str, known: &BTreeMap<String, String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let reference = after
            .strip_prefix('(')
            .and_then(|inner| inner.split_once(')'));
        rest = match (after.strip_prefix('$'), reference) {
            (Some(after), _) => {
                expanded.push('$');
                after
            }
            (None, Some((name, after))) if known.contains_key(name) => {
                expanded.push_str(&known[name]);
                after
            }
            _ => {
                expanded.push('$');
                after
            }
        };
    }
    expanded + rest
}
