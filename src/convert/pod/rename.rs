//! Names that change: of the training container wherever a field refers to it, and of v1's pods in text.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::api::meta::{
    CONTAINER_ANNOTATIONS, DEFAULT_CONTAINER, NODE, ObjectMeta, PROBES, V1_CONTAINER,
};
use crate::api::pod::{Container, EnvVar, Named};

use super::{Context, Sources};
use crate::convert::finding::{Code, Outcome};
use crate::convert::launch::{self, For};
use crate::convert::ledger::{Ledger, child, push_key};

/// In annotations: the default container, and keys that end in a container's name.
pub(super) fn annotations(metadata: &mut ObjectMeta, sources: &Sources, ledger: &mut Ledger) {
    let at = |key: &str| child(".metadata.annotations", key);
    if let Some(value) = metadata
        .annotations
        .get_mut(DEFAULT_CONTAINER)
        .filter(|value| *value == V1_CONTAINER)
    {
        NODE.clone_into(value);
        let finding = sources.finding(
            Code::ContainerReference,
            Outcome::Adapted,
            &at(DEFAULT_CONTAINER),
        );
        ledger.find(finding.change(V1_CONTAINER, NODE));
    }
    for prefix in CONTAINER_ANNOTATIONS {
        let old = format!("{prefix}{V1_CONTAINER}");
        if let Some(value) = metadata.annotations.remove(&old) {
            let new = format!("{prefix}{NODE}");
            ledger.find(
                sources
                    .finding(Code::ContainerReference, Outcome::Adapted, &at(&old))
                    .change(V1_CONTAINER, NODE),
            );
            metadata.annotations.insert(new, value);
        }
    }
}

/// In commands, arguments, variables and probes: v1's pod names become v2's addresses.
pub(super) fn hosts(
    container: &mut Container,
    context: Context,
    sources: &Sources,
    at: &str,
    ledger: &mut Ledger,
) {
    let mut rewrite = |text: &mut String, place: &dyn Fn() -> String| {
        if let Some(rewritten) = launch::rewrite(text, context.topology, context.names) {
            let finding = sources.finding(Code::HostName, Outcome::Adapted, &place());
            // Only the names: the text around them may be long, or hold a secret.
            let (old, new): (Vec<_>, Vec<_>) = rewritten.changes.into_iter().unzip();
            ledger.find(finding.change(listed(&old), listed(&new)));
            *text = rewritten.text;
        }
    };
    for (list, texts) in [
        ("command", &mut container.command),
        ("args", &mut container.args),
    ] {
        for (index, text) in texts.iter_mut().enumerate() {
            rewrite(text, &|| format!("{at}.{list}[{index}]"));
        }
    }
    for (index, variable) in container.env.iter_mut().enumerate() {
        if let Some(value) = &mut variable.value {
            rewrite(value, &|| format!("{at}.env[{index}].value"));
        }
    }
    // What a container is told when it starts and ends names hosts as well.
    for key in PROBES.into_iter().chain(["lifecycle"]) {
        if let Some(probe) = container.rest.get_mut(key) {
            each_text(probe, &mut format!("{at}.{key}"), &mut |text, place| {
                rewrite(text, &|| place.to_owned());
            });
        }
    }
}

/// Calls `change` with every text below `value` and its path.
fn each_text(value: &mut Value, at: &mut String, change: &mut dyn FnMut(&mut String, &str)) {
    let start = at.len();
    match value {
        Value::String(text) => change(text, at),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let _ = write!(at, "[{index}]");
                each_text(item, at, change);
                at.truncate(start);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                push_key(at, key);
                each_text(field, at, change);
                at.truncate(start);
            }
        }
        _ => {}
    }
}

/// The first of `names`, and how many there are.
fn listed(names: &[String]) -> String {
    match names {
        [first, _, ..] => format!("{first} and {} more", names.len() - 1),
        _ => names.concat(),
    }
}

/// In variables that read the container's resources.
pub(super) fn references(env: &mut [EnvVar], sources: &Sources, at: &str, ledger: &mut Ledger) {
    for (index, variable) in env.iter_mut().enumerate() {
        if let Some(Value::Object(source)) = &mut variable.value_from {
            let mut at = format!("{at}.env[{index}].valueFrom");
            in_fields(source, &mut at, sources, ledger);
        }
    }
}

/// The field path of the pod's own name.
const POD_NAME: &str = "metadata.name";

/// In variables that hold the pod's own name, which scripts take apart for the rank: nothing can be put in its place.
pub(super) fn pod_names(
    env: &[EnvVar],
    context: Context,
    sources: &Sources,
    at: &str,
    ledger: &mut Ledger,
) {
    for (index, variable) in env.iter().enumerate() {
        let source = variable.value_from.as_ref();
        let path = source.and_then(|source| source.pointer("/fieldRef/fieldPath"));
        if path == Some(&Value::from(POD_NAME)) {
            let at = format!("{at}.env[{index}].valueFrom");
            report_pod_name(context, sources, &at, ledger);
        }
    }
}

/// In volumes that show it as a file.
pub(super) fn pod_name_files(
    volumes: &mut [Named],
    context: Context,
    sources: &Sources,
    ledger: &mut Ledger,
) {
    for (index, volume) in volumes.iter_mut().enumerate() {
        for (key, value) in &mut volume.rest {
            let mut at = format!(".spec.volumes[{index}].{key}");
            each_text(value, &mut at, &mut |text, at| {
                if let Some(at) = at.strip_suffix(".fieldRef.fieldPath")
                    && text == POD_NAME
                {
                    report_pod_name(context, sources, at, ledger);
                }
            });
        }
    }
}

fn report_pod_name(context: Context, sources: &Sources, at: &str, ledger: &mut Ledger) {
    let replicated_job = match context.role {
        For::Workers => format!("{}-<i>-0", context.names.worker),
        For::All | For::Master => format!("{}-0-<i>", context.names.node),
    };
    let finding = sources.finding(Code::HostName, Outcome::Adapted, at);
    ledger.find(finding.covering(Vec::new()).had(POD_NAME).note(format!(
        "<job>-{replicated_job}-<5 random characters> under v2, so its last part is no index"
    )));
}

/// In volumes that show the container's resources as files.
pub(super) fn volumes(volumes: &mut [Named], sources: &Sources, ledger: &mut Ledger) {
    for (index, volume) in volumes.iter_mut().enumerate() {
        let mut at = format!(".spec.volumes[{index}]");
        in_fields(&mut volume.rest, &mut at, sources, ledger);
    }
}

/// Renames the container in every `resourceFieldRef` below `fields`.
fn in_fields(
    fields: &mut Map<String, Value>,
    at: &mut String,
    sources: &Sources,
    ledger: &mut Ledger,
) {
    let start = at.len();
    for (key, child) in fields {
        push_key(at, key);
        match child.get_mut("containerName") {
            Some(name) if key == "resourceFieldRef" && *name == V1_CONTAINER => {
                *name = Value::from(NODE);
                at.push_str(".containerName");
                let finding = sources.finding(Code::ContainerReference, Outcome::Adapted, at);
                ledger.find(finding.change(V1_CONTAINER, NODE));
            }
            _ => in_value(child, at, sources, ledger),
        }
        at.truncate(start);
    }
}

fn in_value(value: &mut Value, at: &mut String, sources: &Sources, ledger: &mut Ledger) {
    let start = at.len();
    match value {
        Value::Object(fields) => in_fields(fields, at, sources, ledger),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let _ = write!(at, "[{index}]");
                in_value(item, at, sources, ledger);
                at.truncate(start);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
