//! One pod, flattened.

use serde_json::{Map, Value, json};

use super::selector::Selectors;
use super::{DROPPED, HOSTNAME, NAME, SUBDOMAIN, Side, TRAINER, defaults, env, flatten};
use crate::api::meta::{CONTAINER_ANNOTATIONS, DEFAULT_CONTAINER, PROBES};
use crate::parity::Facts;

/// Start of the name of the volume that holds a pod's credentials; what follows is made up for each pod
/// (kubernetes v1.36.3 `plugin/pkg/admission/serviceaccount`).
const CREDENTIALS: &str = "kube-api-access";

/// Adds the facts of each of `pods`, which are in rank order, to those of its rank.
pub fn add(pods: &[Value], side: Side, ranks: &mut Vec<Facts>) {
    if ranks.len() < pods.len() {
        ranks.resize_with(pods.len(), Facts::new);
    }
    let no_labels = Map::new();
    let mut selectors = Selectors::among(pods, &no_labels);
    for (pod, facts) in pods.iter().zip(ranks) {
        metadata(&pod["metadata"], side, facts);
        spec(pod, side, &mut selectors, facts);
        for (key, value) in pod.as_object().into_iter().flatten() {
            if !is_dropped("", key) && !matches!(key.as_str(), "metadata" | "spec") {
                flatten::insert(key.clone(), value.clone(), facts);
            }
        }
    }
}

fn is_dropped(below: &str, key: &str) -> bool {
    DROPPED.iter().any(|(path, _)| match path.split_once('.') {
        Some((parent, field)) => parent == below && field == key,
        None => below.is_empty() && *path == key,
    })
}

fn metadata(metadata: &Value, side: Side, facts: &mut Facts) {
    for (key, value) in metadata.as_object().into_iter().flatten() {
        match key.as_str() {
            key if is_dropped("metadata", key) => {}
            "labels" => flatten::entries("labels", value, facts),
            "annotations" => flatten::entries("annotations", &annotations(value, side), facts),
            "finalizers" => {
                for finalizer in value.as_array().into_iter().flatten() {
                    let name = finalizer.as_str().unwrap_or_default();
                    flatten::insert(format!("finalizers[{name}]"), Value::from(true), facts);
                }
            }
            key => flatten::insert(key.to_owned(), value.clone(), facts),
        }
    }
}

/// Annotations that name a container, with the name that facts have for it.
fn annotations(annotations: &Value, side: Side) -> Value {
    let training = side.training_container();
    let renamed = |(key, value): (&String, &Value)| {
        let container = CONTAINER_ANNOTATIONS
            .iter()
            .find(|prefix| key.strip_prefix(**prefix) == Some(training));
        let is_default = key == DEFAULT_CONTAINER && value == training;
        match container {
            Some(prefix) => (format!("{prefix}{TRAINER}"), value.clone()),
            None if is_default => (key.clone(), Value::from(TRAINER)),
            None => (key.clone(), value.clone()),
        }
    };
    let entries = annotations.as_object().into_iter().flatten();
    Value::Object(entries.map(renamed).collect())
}

fn spec(pod: &Value, side: Side, selectors: &mut Selectors, facts: &mut Facts) {
    let mut spec = pod["spec"].as_object().cloned().unwrap_or_default();
    let mut take = |key: &str| spec.remove(key).unwrap_or_default();
    for list in ["containers", "initContainers"] {
        containers(list, &take(list), pod, side, facts);
    }
    // A pod without a hostname is called by its own name.
    let hostname = match take("hostname") {
        Value::String(given) if !given.is_empty() => Value::from(given),
        _ => pod["metadata"][NAME].clone(),
    };
    let (account, old_account) = (take("serviceAccountName"), take("serviceAccount"));
    let account = if account.is_null() {
        old_account
    } else {
        account
    };
    let subdomain = take("subdomain");
    spec.insert("serviceAccountName".to_owned(), account);
    defaults::fill_pod(&mut spec);
    for (name, value) in [(HOSTNAME, hostname), (SUBDOMAIN, subdomain)] {
        if !value.is_null() && value != "" {
            facts.insert(name.to_owned(), value);
        }
    }
    for key in ["affinity", "topologySpreadConstraints"] {
        if let Some(value) = spec.get_mut(key) {
            selectors.mark(value);
        }
    }
    if let Some(Value::Array(volumes)) = spec.get_mut("volumes") {
        for volume in volumes {
            rename_credentials(volume);
            show_fields(volume, pod, side);
        }
    }
    flatten::fields("", &spec, facts);
}

fn rename_credentials(named: &mut Value) {
    if named["name"]
        .as_str()
        .is_some_and(|name| name.starts_with(CREDENTIALS))
    {
        named["name"] = Value::from(CREDENTIALS);
    }
}

/// Puts what a file shows in place of the field that it refers to, and the container's name that facts have.
fn show_fields(value: &mut Value, pod: &Value, side: Side) {
    match value {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| show_fields(item, pod, side)),
        Value::Object(fields) => {
            let path = fields
                .get("fieldRef")
                .and_then(|field| field["fieldPath"].as_str());
            if let Some(shown) = path.map(|path| env::pod_field(path, pod)) {
                fields.insert("fieldRef".to_owned(), Value::from(shown));
            }
            name_container(fields, side);
            fields
                .values_mut()
                .for_each(|field| show_fields(field, pod, side));
        }
        _ => {}
    }
}

/// Puts the name that facts have for the training container into a reference to it.
fn name_container(source: &mut Map<String, Value>, side: Side) {
    let container = source.get_mut("resourceFieldRef");
    let name = container.and_then(|field| field.get_mut("containerName"));
    if let Some(name) = name.filter(|name| **name == side.training_container()) {
        *name = Value::from(TRAINER);
    }
}

fn containers(list: &str, containers: &Value, pod: &Value, side: Side, facts: &mut Facts) {
    let mut names = Vec::new();
    for (name, container) in named(list, containers, side) {
        let at = format!("{list}[{name}]");
        if name == TRAINER {
            facts.insert(format!("{at}.name"), container["name"].clone());
        }
        one_container(&at, container, pod, side, facts);
        names.push(Value::from(name));
    }
    if !names.is_empty() {
        facts.insert(list.to_owned(), Value::from(names));
    }
}

/// Each of `containers`, with the name that facts have for it.
fn named<'c>(
    list: &str,
    containers: &'c Value,
    side: Side,
) -> impl Iterator<Item = (String, &'c Value)> {
    let has_trainer = list == "containers";
    let containers = containers.as_array().into_iter().flatten();
    containers.map(move |container| {
        let own = container["name"].as_str().unwrap_or_default();
        let name = match own {
            _ if has_trainer && own == side.training_container() => TRAINER.to_owned(),
            // It is somebody else's, and keeps apart from the one that trains.
            TRAINER => format!("{TRAINER}'"),
            own => own.to_owned(),
        };
        (name, container)
    })
}

/// For each of `pods`, its variables that refer to others, as they are written.
pub fn written(pods: &[Value], side: Side) -> Vec<Facts> {
    let of_pod = |pod: &Value| {
        let mut written = Facts::new();
        for list in ["containers", "initContainers"] {
            for (name, container) in named(list, &pod["spec"][list], side) {
                for variable in container["env"].as_array().into_iter().flatten() {
                    let text = variable["value"].as_str().unwrap_or_default();
                    let variable = variable["name"].as_str().unwrap_or_default();
                    let fact = format!("{list}[{name}].env[{variable}]");
                    // Of two with one name the last counts.
                    written.remove(&fact);
                    if text.contains("$(") {
                        written.insert(fact, Value::from(text));
                    }
                }
            }
        }
        written
    };
    pods.iter().map(of_pod).collect()
}

fn one_container(at: &str, container: &Value, pod: &Value, side: Side, facts: &mut Facts) {
    let mut container = container.clone();
    for variable in container["env"].as_array_mut().into_iter().flatten() {
        // Before it is part of other variables' text.
        if let Some(source) = variable["valueFrom"].as_object_mut() {
            name_container(source, side);
        }
    }
    let container = &container;
    let environment = env::resolve(container, pod);
    let mut rest = container.as_object().cloned().unwrap_or_default();
    defaults::fill_container(&mut rest, pod["spec"]["hostNetwork"] == true);
    rest.remove("name");
    rest.remove("env");
    for key in ["command", "args"] {
        if let Some(texts) = rest.get_mut(key) {
            expand_all(texts, &environment);
        }
    }
    for mount in rest
        .get_mut("volumeMounts")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        rename_credentials(mount);
        if let Some(path) = mount.get_mut("subPathExpr") {
            expand_all(path, &environment);
        }
    }
    let literals = env::literals(container);
    for key in PROBES {
        if let Some(command) = rest
            .get_mut(key)
            .and_then(|probe| probe.pointer_mut("/exec/command"))
        {
            expand_all(command, &literals);
        }
    }
    flatten::fields(at, &rest, facts);
    for (name, mut value) in environment {
        show_fields(&mut value, &json!({}), side);
        facts.insert(format!("{at}.env[{name}]"), value);
    }
}

/// Expands a text, or each of a list of texts.
fn expand_all(texts: &mut Value, known: &env::Environment) {
    match texts {
        Value::Array(texts) => texts.iter_mut().for_each(|text| expand_all(text, known)),
        Value::String(text) => *text = env::expand(text, known),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
