//! Variables, and what refers to them.

use serde_json::Value;

use super::{Scene, speaks};
use crate::api::meta::JOB_COMPLETION_INDEX;
use crate::convert::finding::{Code, Outcome};
use crate::convert::names::{NAME_VARIABLE, OTHER_NAME_VARIABLE};
use crate::parity::address::AfterSlash;
use crate::parity::compare::Difference;
use crate::parity::facts::NAME;

/// The port of Trainer's torch policy (trainer v2.3.0 `pkg/constants`, `ContainerTrainerPort`).
const TORCH_PORT: &str = "29500";

/// The name of the variable that differs, and its value under v2.
fn variable(difference: &Difference) -> Option<&str> {
    let (_, name) = difference.field.split_once("].env[")?;
    name.strip_suffix(']')
}

fn is(difference: &Difference, name: &str) -> bool {
    variable(difference) == Some(name)
}

pub fn address(scene: &Scene, difference: &Difference) -> bool {
    let (Some(v1), Some(v2)) = (&difference.v1, &difference.v2) else {
        return false;
    };
    let Scene {
        addresses, rank, ..
    } = scene;
    let same = |after| addresses.are_same(v1, v2, after);
    let refers = || refers_after_slash(scene, &difference.field, 0);
    rank.is_some() && v1 != v2 && (same(AfterSlash::Path) || refers() && same(AfterSlash::Address))
}

/// Most variables that refer to one another; two that refer to each other would go on for ever.
const LONGEST_CHAIN: usize = 8;

/// Whether v1 puts what another variable says right after a slash, here or in one that this one refers to. There an
/// address looks like a part of a path.
fn refers_after_slash(scene: &Scene, fact: &str, depth: usize) -> bool {
    let (Some(written), Some((container, _))) = (scene.written(fact), fact.split_once(".env["))
    else {
        return false;
    };
    let referred = written
        .split("$(")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    written.contains("/$(")
        || depth < LONGEST_CHAIN
            && referred.into_iter().any(|(name, _)| {
                refers_after_slash(scene, &format!("{container}.env[{name}]"), depth + 1)
            })
}

pub fn completion_index(scene: &Scene, difference: &Difference) -> bool {
    let index = format!("annotations[{JOB_COMPLETION_INDEX}]");
    is(difference, "JOB_COMPLETION_INDEX")
        && difference.v1.is_none()
        && difference.v2.as_ref() == scene.v2.get(&index)
}

pub fn job_name(scene: &Scene, difference: &Difference) -> bool {
    let ours = [NAME_VARIABLE, OTHER_NAME_VARIABLE];
    variable(difference).is_some_and(|name| ours.contains(&name))
        && difference.v1.is_none()
        && difference.v2.as_ref() == scene.case.v2.job.get(NAME)
}

pub fn standalone(_: &Scene, difference: &Difference) -> bool {
    is(difference, "PET_STANDALONE")
        && difference.v1_text() == Some("")
        && difference.v2_text() == Some("1")
}

/// The reference that the conversion said it can't keep stands there as it is.
pub fn late_reference(scene: &Scene, difference: &Difference) -> bool {
    let mut lost = scene
        .reported(&[Code::EnvOverridden])
        .filter(|finding| finding.outcome == Outcome::Lost)
        .filter_map(|finding| finding.old.as_deref());
    let now = difference.v2_text().unwrap_or_default();
    variable(difference).is_some() && lost.any(|reference| now.contains(reference))
}

/// Item by item: what was not reported is the same, or the same address.
pub fn in_probe(scene: &Scene, difference: &Difference) -> bool {
    let items = |value: &Option<Value>| value.as_ref().and_then(Value::as_array).cloned();
    let (Some(v1), Some(v2)) = (items(&difference.v1), items(&difference.v2)) else {
        return false;
    };
    let explained = |(index, (v1, v2)): (usize, (Value, Value))| {
        let item = format!(".exec.command[{index}]");
        let mut reported = scene.reported(&[Code::ProbeVariable]);
        let is_reported = reported.any(|finding| finding.at.ends_with(&item));
        let same = v1 == v2;
        let item = Difference {
            v1: Some(v1),
            v2: Some(v2),
            ..difference.clone()
        };
        same || (is_reported && speaks::probe_variable(scene, &item)) || address(scene, &item)
    };
    v1.len() == v2.len() && v1.into_iter().zip(v2).enumerate().all(explained)
}

pub fn torch_container_port(scene: &Scene, difference: &Difference) -> bool {
    scene.is_on_torch_policy()
        && difference.field == format!("containers[trainer].ports[{TORCH_PORT}/TCP]")
        && difference.v1.is_none()
}

pub fn torch_port(scene: &Scene, difference: &Difference) -> bool {
    scene.is_on_torch_policy()
        && is(difference, "PET_MASTER_PORT")
        && difference.v1.is_some()
        && difference.v2_text() == Some(TORCH_PORT)
}

/// Where v1 sets none of them, and v2 the right ones.
pub fn torch_without_master(scene: &Scene, difference: &Difference) -> bool {
    let rank = scene.rank.map(|rank| rank.to_string());
    let Some(v2) = difference.v2.as_ref().filter(|_| difference.v1.is_none()) else {
        return false;
    };
    scene.is_on_torch_policy()
        && match variable(difference) {
            Some("PET_MASTER_ADDR") => {
                scene.addresses.in_ranks_v2(v2, AfterSlash::Path) == "<address of rank 0>"
            }
            Some("PET_MASTER_PORT") => v2 == TORCH_PORT,
            Some("PET_NODE_RANK") => v2.as_str() == rank.as_deref(),
            _ => false,
        }
}

/// A number stays one: only a word, such as `auto`, is worked out.
pub fn processes(scene: &Scene, difference: &Difference) -> bool {
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<i32>().ok());
    let v1 = number(difference.v1_text());
    scene.is_on_torch_policy()
        && is(difference, "PET_NPROC_PER_NODE")
        && difference.v1.is_some()
        && difference.v2.is_some()
        && (v1.is_none() || v1 == number(difference.v2_text()))
}

pub fn range_of_one_size(scene: &Scene, difference: &Difference) -> bool {
    let range = difference.v1_text().and_then(|range| range.split_once(':'));
    let pods = scene.case.v2.pods.len().to_string();
    scene.is_on_torch_policy()
        && is(difference, "PET_NNODES")
        && difference.v2_text() == Some(&pods)
        && range == Some((&pods, &pods))
}

pub fn range(scene: &Scene, difference: &Difference) -> bool {
    scene.is_on_torch_policy()
        && is(difference, "PET_NNODES")
        && difference
            .v1_text()
            .is_some_and(|range| range.contains(':'))
        && difference.v2_text() == Some(&scene.case.v2.pods.len().to_string())
}
