//! Which facts a finding is about: its path in the `PyTorchJob`, held against their names.

use serde_json::Value;

use super::{Scene, unsaid};
use crate::convert::finding::{Code, Finding, Outcome};
use crate::parity::compare::Difference;

pub fn runtime_cannot(scene: &Scene, difference: &Difference) -> bool {
    let is_lost = lost_here(scene, Code::RuntimeCannot, difference);
    is_lost && unsaid::is_unsaid(scene, difference) || shows_lost_label(scene, difference)
}

/// Whether the value lacks nothing but the text of a label that the runtime can't carry.
fn shows_lost_label(scene: &Scene, difference: &Difference) -> bool {
    let codes = [Code::RuntimeCannot];
    let mut lost = scene.reported(&codes);
    let is_lost = lost.any(|finding| finding.at.ends_with(".metadata.labels"));
    is_lost && lacks_label(scene, difference, &|_| true)
}

/// Whether the value lacks nothing but the text of a label that the pod no longer has, one of those that are `meant`.
fn lacks_label(scene: &Scene, difference: &Difference, meant: &dyn Fn(&str) -> bool) -> bool {
    let text = |value: &Option<Value>| value.as_ref().map(Value::to_string);
    let (Some(v1), Some(v2)) = (text(&difference.v1), text(&difference.v2)) else {
        return false;
    };
    let labels = scene
        .v1
        .iter()
        .filter(|(name, _)| name.starts_with("labels[") && meant(name));
    let mut gone = labels.filter(|(name, _)| !scene.v2.contains_key(*name));
    gone.any(|(_, value)| {
        let label = value.as_str().unwrap_or_default();
        let mut places = v1.match_indices(label);
        places.any(|(at, _)| v1[..at].to_owned() + &v1[at + label.len()..] == v2)
    })
}

/// What shows the label shows nothing in its place; a selector that names it is another.
pub fn pod_label(scene: &Scene, difference: &Difference) -> bool {
    let codes = [Code::PodLabels];
    let mut lost = scene
        .reported(&codes)
        .filter_map(|finding| finding.old.as_deref());
    let shows = difference.field.contains("].env[") || difference.field.starts_with("volumes[");
    lost_here(scene, Code::PodLabels, difference)
        && (!shows
            || lost.any(|label| {
                lacks_label(scene, difference, &|name| {
                    name == format!("labels[{label}]")
                })
            }))
}

/// Whether the probe of the fact is one of those that were reported.
pub fn probe_variable(scene: &Scene, difference: &Difference) -> bool {
    let item = Difference {
        field: format!("{}[0]", difference.field),
        ..difference.clone()
    };
    lost_here(scene, Code::ProbeVariable, &item)
}

fn lost_here(scene: &Scene, code: Code, difference: &Difference) -> bool {
    let codes = [code];
    let mut lost = scene
        .reported(&codes)
        .filter(|finding| finding.outcome == Outcome::Lost);
    lost.any(|finding| {
        let names = |list: &str| scene.v1.get(list).and_then(Value::as_array);
        is_about(finding, &difference.field, &names)
    })
}

/// Whether `finding` is about the fact `field`, of whichever container of its list.
#[must_use]
pub fn speaks_of(finding: &Finding, field: &str) -> bool {
    is_about(finding, field, &|_| None)
}

/// The names of the containers of a list, where they are known.
type Containers<'f> = dyn Fn(&str) -> Option<&'f Vec<Value>> + 'f;

fn is_about(finding: &Finding, field: &str, containers: &Containers) -> bool {
    let paths = finding.covers.iter().chain([&finding.at]);
    let mut facts = paths.filter_map(|path| in_facts(path));
    let whole = field;
    let field = parts(field);
    facts.any(|path| {
        if follows(&path, whole) {
            return true;
        }
        let mut path = parts(&path);
        name_container(&mut path, containers);
        name_variable(&mut path, finding);
        // A container that is gone is missing from the list, too.
        let is_container = path.len() == 2 && path[0].ends_with("ontainers");
        let starts = path.len() <= field.len()
            && (0..path.len()).all(|place| {
                path[place] == field[place]
                    || is_index(&path[place])
                        && (is_index(&field[place]) || is_any(finding, &path[..place], containers))
            });
        starts || (is_container && field[..] == path[..1])
    })
}

/// Whether the API server sets the fact `field` by itself from the pod's field `path`
/// (kubernetes v1.36.3 `plugin/pkg/admission/{priority,runtimeclass,serviceaccount}`).
fn follows(path: &str, field: &str) -> bool {
    match path {
        "priorityClassName" => matches!(field, "priority" | "preemptionPolicy"),
        "annotations" => field.ends_with(".securityContext.appArmorProfile.type"),
        "runtimeClassName" => field.starts_with("overhead"),
        "automountServiceAccountToken" => {
            field.starts_with("volumes[kube-api-access]")
                || field.contains(".volumeMounts[/var/run/secrets/kubernetes.io/serviceaccount]")
        }
        _ => false,
    }
}

/// Whether the API server sets the fact `field` from any other of the pod's fields.
pub fn is_set_by_api_server(field: &str) -> bool {
    const FIELDS: [&str; 4] = [
        "annotations",
        "automountServiceAccountToken",
        "priorityClassName",
        "runtimeClassName",
    ];
    FIELDS.iter().any(|path| follows(path, field))
}

/// The name that facts have for the field `path` of the job.
fn in_facts(path: &str) -> Option<String> {
    const FIELDS: [(&str, &str); 2] = [
        ("spec.runPolicy.schedulingPolicy", "gang"),
        ("spec.runPolicy.backoffLimit", "restart.limit"),
    ];
    if let Some((_, fact)) = FIELDS.iter().find(|(field, _)| path.starts_with(field)) {
        return Some((*fact).to_owned());
    }
    let of_role = path.strip_prefix("spec.pytorchReplicaSpecs.")?;
    let (_, of_role) = of_role.split_once('.')?;
    let of_template = of_role.strip_prefix("template.");
    let of_pod = of_template.and_then(|path| {
        path.strip_prefix("spec.")
            .or_else(|| path.strip_prefix("metadata."))
    });
    of_pod
        .or((of_role == "restartPolicy").then_some(RESTART))
        .map(str::to_owned)
}

/// Stands for every fact about restarts.
const RESTART: &str = "restart";

/// `containers[node].env[A]` in parts: `containers`, `node`, `env`, `A`.
fn parts(path: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for character in path.chars() {
        match character {
            '[' | '.' if depth == 0 => parts.push(String::new()),
            ']' if depth == 1 => {}
            _ => parts
                .last_mut()
                .into_iter()
                .for_each(|part| part.push(character)),
        }
        depth += i32::from(character == '[') - i32::from(character == ']');
    }
    parts.retain(|part| !part.is_empty());
    // All facts about restarts are spoken of together.
    if parts.first().is_some_and(|first| first == "restartPolicy") {
        RESTART.clone_into(&mut parts[0]);
    }
    parts
}

/// Whether an index after `list` stands for any item of it: facts have names for them, not the order.
fn is_any(finding: &Finding, list: &[String], containers: &Containers) -> bool {
    match list {
        [list] if list.ends_with("ontainers") => containers(list).is_none(),
        // What shows a label is known by its value.
        [list] => list == "volumes" && finding.code == Code::PodLabels,
        [.., list] => list == "env",
        [] => false,
    }
}

fn is_index(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// A container is known by its place in the job, and by its name in the facts.
fn name_container(path: &mut [String], containers: &Containers) {
    let [list, container, ..] = path else {
        return;
    };
    let index = container.parse::<usize>().ok();
    let name = containers(list)
        .zip(index)
        .and_then(|(names, index)| names.get(index)?.as_str());
    if let Some(name) = name {
        name.clone_into(container);
    }
}

/// So is a variable, which the finding names. What becomes of its source is what becomes of its value.
fn name_variable(path: &mut Vec<String>, finding: &Finding) {
    let Some(position) = path.iter().position(|part| part == "env") else {
        return;
    };
    path.truncate(position + 2);
    let name = finding
        .old
        .as_ref()
        .filter(|_| finding.code == Code::RuntimeCannot);
    if let (Some(variable), Some(name)) = (path.get_mut(position + 1), name) {
        name.clone_into(variable);
    }
}
