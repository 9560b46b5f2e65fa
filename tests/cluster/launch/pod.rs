//! What a pod's training container would run, and with which variables, were its pods all on this machine.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;
use trainshift::parity::facts::env;

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
    let variables = env::resolve(container, pod);
    let texts = ["command", "args"].map(|list| container[list].as_array());
    let command = texts
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(Value::as_str)
        .map(|text| on_loopback(&env::expand(text, &variables), hosts))
        .collect();
    let environment = variables.iter().map(|(name, value)| {
        // What only a kubelet could know is no text, or stands between these.
        let known = value.as_str().filter(|text| !text.contains('<'));
        let text = known.with_context(|| format!("{name} can't be known here: {value}"))?;
        Ok((name.clone(), on_loopback(text, hosts)))
    });
    Ok(Process {
        command,
        environment: environment.collect::<Result<_>>()?,
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
