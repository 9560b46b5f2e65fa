//! What pods are called and marked with.

use serde_json::{Value, json};

use super::{Scene, place};
use crate::api::meta::{
    JOB_LABELS, NODE, V1_CONTAINER, V1_DEFAULT_PORT, V1_LABEL_PREFIX, V1_PORT_NAME,
};
use crate::convert::finding::{Code, Finding, Outcome};
use crate::parity::Facts;
use crate::parity::address::AfterSlash;
use crate::parity::compare::Difference;
use crate::parity::facts::{HOSTNAME, NAME, SUBDOMAIN};

/// By which a Job knows that it has yet to count a pod.
const JOB_FINALIZER: &str = "finalizers[batch.kubernetes.io/job-tracking]";
/// The init container that v1 adds to workers.
const INIT: &str = "init-pytorch";

pub fn name(scene: &Scene, difference: &Difference) -> bool {
    let hostname = scene.v2.get(HOSTNAME).and_then(Value::as_str);
    let tail = difference
        .v2_text()
        .zip(hostname)
        .and_then(|(name, host)| name.strip_prefix(host));
    scene.rank.is_some()
        && difference.field == NAME
        && difference.v1.is_some()
        && tail.is_some_and(|tail| tail.is_empty() || tail.starts_with('-'))
}

pub fn hostname(scene: &Scene, difference: &Difference) -> bool {
    difference.field == HOSTNAME
        && difference.v2.is_some()
        && difference.v1.as_ref() == scene.v1.get(NAME)
}

pub fn own_hostname(scene: &Scene, difference: &Difference) -> bool {
    let is_theirs = match difference.field.as_str() {
        HOSTNAME => difference.v2.is_some(),
        SUBDOMAIN => difference.v2.as_ref() == scene.case.v2.job.get(NAME),
        _ => false,
    };
    is_theirs && difference.v1.is_some()
}

pub fn subdomain(scene: &Scene, difference: &Difference) -> bool {
    difference.field == SUBDOMAIN
        && difference.v1.is_none()
        && difference.v2.as_ref() == scene.case.v2.job.get(NAME)
}

/// Both sides show the pod's own name, which the pod asks for, and differ in nothing else.
pub fn own_name(scene: &Scene, difference: &Difference) -> bool {
    let mut reported = scene.reported(&[Code::HostName]);
    let asked = reported.any(|finding| finding.old.as_deref() == Some("metadata.name"));
    let name = |facts: &Facts| facts.get(NAME)?.as_str().map(str::to_owned);
    let (Some(v1), Some(v2)) = (&difference.v1, &difference.v2) else {
        return false;
    };
    let (Some(old), Some(new)) = (name(scene.v1), name(scene.v2)) else {
        return false;
    };
    let shows = v1.to_string().contains(&old) && v2.to_string().contains(&new);
    let text = |name| scene.v2.get(name).and_then(Value::as_str);
    let address = text(HOSTNAME).zip(text(SUBDOMAIN));
    // Under v1 a pod's own name is its address as well, and both may stand side by side.
    let by_address = address.is_some_and(|(hostname, subdomain)| {
        let addressed = renamed(v2, &new, &format!("{hostname}.{subdomain}"));
        scene.addresses.are_same(v1, &addressed, AfterSlash::Path)
    });
    asked && difference.field != NAME && shows && (renamed(v2, &new, &old) == *v1 || by_address)
}

/// `value` with `to` wherever a text has `from`.
fn renamed(value: &Value, from: &str, to: &str) -> Value {
    match value {
        Value::String(text) => Value::from(text.replace(from, to)),
        Value::Array(items) => items.iter().map(|item| renamed(item, from, to)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            let renamed = fields.map(|(key, field)| (key.clone(), renamed(field, from, to)));
            renamed.collect()
        }
        other => other.clone(),
    }
}

pub fn init_pytorch(_: &Scene, difference: &Difference) -> bool {
    if difference.field == "initContainers" {
        let mut names = difference.v1.clone().unwrap_or_default();
        if let Some(names) = names.as_array_mut() {
            names.retain(|name| name != INIT);
        }
        return names == difference.v2.clone().unwrap_or_else(|| json!([]));
    }
    difference.v2.is_none()
        && difference
            .field
            .starts_with(&format!("initContainers[{INIT}]."))
}

pub fn container_name(_: &Scene, difference: &Difference) -> bool {
    difference.field == "containers[trainer].name"
        && difference.v1_text() == Some(V1_CONTAINER)
        && difference.v2_text() == Some(NODE)
}

/// The key of a label or an annotation of the pod.
fn key<'d>(difference: &'d Difference, map: &str) -> Option<&'d str> {
    let key = difference.field.strip_prefix(map)?;
    key.strip_prefix('[')?.strip_suffix(']')
}

pub fn v1_label(scene: &Scene, difference: &Difference) -> bool {
    let key = key(difference, "labels");
    scene.rank.is_some()
        && difference.v2.is_none()
        && key.is_some_and(|key| key.starts_with(V1_LABEL_PREFIX))
}

pub fn job_label(scene: &Scene, difference: &Difference) -> bool {
    let key = key(difference, "labels").or_else(|| key(difference, "annotations"));
    let theirs = key.zip(difference.v2.as_ref());
    scene.rank.is_some()
        && difference.v1.is_none()
        && theirs.is_some_and(|(key, value)| place::is_theirs(scene, key, value))
}

/// A prediction has no uids.
pub fn taken_label(scene: &Scene, difference: &Difference) -> bool {
    let key = key(difference, "labels").filter(|key| JOB_LABELS.contains(key));
    let is_theirs = |key: &str| match &difference.v2 {
        Some(value) => place::is_theirs(scene, key, value),
        None => key.ends_with("controller-uid"),
    };
    scene.rank.is_some() && key.is_some_and(is_theirs)
}

pub fn job_finalizer(_: &Scene, difference: &Difference) -> bool {
    difference.field == JOB_FINALIZER && difference.v1.is_none()
}

pub fn template_finalizer(_: &Scene, difference: &Difference) -> bool {
    difference.field.starts_with("finalizers[") && difference.v2.is_none()
}

/// On the host's network a port is the node's, and not information only.
pub fn default_port(scene: &Scene, difference: &Difference) -> bool {
    let port = format!("containers[trainer].ports[{V1_DEFAULT_PORT}/TCP]");
    let name = scene.v1.get(&format!("{port}.name"));
    let of_port = difference.field.strip_prefix(&port);
    name.is_some_and(|name| name == V1_PORT_NAME)
        && difference.v2.is_none()
        && (of_port == Some(".name")
            || of_port == Some(".hostPort") && !scene.v2.contains_key("hostNetwork"))
}

pub fn ports(scene: &Scene, difference: &Difference) -> bool {
    let Some(port) = difference.field.strip_prefix("containers[trainer].ports[") else {
        return false;
    };
    let is_left_out = difference.v2.is_none();
    let is_named = difference.v1.is_none() && port.ends_with("].name");
    // A port of the host is taken from it, so that leaving it out must have been told as a loss.
    let number = port.split_once('/').map(|(number, _)| number);
    let is_lost =
        |finding: &Finding| finding.outcome == Outcome::Lost && finding.old.as_deref() == number;
    // One that the API server filled in, because the pod has the host's network, goes with that.
    let is_filled_in = difference
        .v1
        .as_ref()
        .and_then(Value::as_i64)
        .map(|port| port.to_string())
        .as_deref()
        == number
        && scene.v1.contains_key("hostNetwork")
        && !scene.v2.contains_key("hostNetwork");
    let may_go =
        !port.ends_with(".hostPort") || is_filled_in || scene.reported(&[Code::Ports]).any(is_lost);
    is_named || is_left_out && may_go
}
