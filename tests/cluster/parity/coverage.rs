//! Which fields of a PyTorchJob the cases set, held against v1's own CRD.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::cases;
use crate::control_plane::programs::{TRAINING_OPERATOR, sources};

/// Fewer cases of our own would be too few, whatever fields they set.
const LEAST: usize = 60;

/// Fields that no case sets, each with the reason.
pub(super) const UNSET: &[(&str, &str)] = &[(
    "pod.ephemeralContainers",
    "no pod can be created with one, under v1 as under v2",
)];

/// Where lists of fields are in the CRD, and what they are called here.
const LEVELS: [(&str, &str); 7] = [
    ("spec", ""),
    ("elasticPolicy", "/elasticPolicy"),
    ("runPolicy", "/runPolicy"),
    ("schedulingPolicy", "/runPolicy/schedulingPolicy"),
    ("replica", "/pytorchReplicaSpecs/*"),
    ("pod", "/pytorchReplicaSpecs/*/template/spec"),
    (
        "container",
        "/pytorchReplicaSpecs/*/template/spec/containers/*",
    ),
];

/// Every field of the CRD is set by a case, or named in [`UNSET`]; none is in both.
pub(super) fn every_field_of_v1_is_set_by_a_case() -> Result<()> {
    let crd = sources(TRAINING_OPERATOR, "github.com/kubeflow/training-operator")?
        .join("manifests/base/crds/kubeflow.org_pytorchjobs.yaml");
    let crd: Value = serde_saphyr::from_str(&fs::read_to_string(crd)?)?;
    let spec = crd
        .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec")
        .context("the schema of v1's CRD")?;
    let cases = cases::all()?;
    let own = cases.iter().filter(|case| !case.is_example).count();
    ensure!(own >= LEAST, "{own} cases are too few");
    let mut problems = Vec::new();
    for (level, path) in LEVELS {
        let steps: Vec<&str> = path.split('/').skip(1).collect();
        let known = fields(schema(spec, &steps).with_context(|| format!("the CRD has no {path}"))?);
        ensure!(!known.is_empty(), "{path} has no fields");
        let mut set = BTreeSet::new();
        for case in &cases {
            values(&case.job["spec"], &steps, &mut set);
        }
        for field in known {
            let name = format!("{level}.{field}");
            let excused = UNSET.iter().any(|(unset, _)| *unset == name);
            match (set.contains(&field), excused) {
                (false, false) => problems.push(format!("no case sets {name}")),
                (true, true) => problems.push(format!("{name} is set: it needs no reason")),
                _ => {}
            }
        }
    }
    ensure!(problems.is_empty(), "{problems:#?}");
    Ok(())
}

/// The schema at a path; `*` is any element or key.
fn schema<'s>(from: &'s Value, steps: &[&str]) -> Option<&'s Value> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(from);
    };
    let next = match *step {
        "*" => from
            .get("items")
            .or_else(|| from.get("additionalProperties"))?,
        field => from.get("properties")?.get(field)?,
    };
    schema(next, rest)
}

fn fields(schema: &Value) -> Vec<String> {
    let properties = schema["properties"].as_object();
    properties
        .into_iter()
        .flatten()
        .map(|(key, _)| key.clone())
        .collect()
}

/// The fields that are set at a path.
fn values(from: &Value, steps: &[&str], set: &mut BTreeSet<String>) {
    let Some((step, rest)) = steps.split_first() else {
        let fields = from.as_object().into_iter().flatten();
        set.extend(fields.map(|(key, _)| key.clone()));
        return;
    };
    match (*step, from) {
        // Fields of containers are those of init containers, too.
        ("containers", Value::Object(fields)) => ["containers", "initContainers"]
            .iter()
            .filter_map(|list| fields.get(*list))
            .for_each(|list| values(list, rest, set)),
        ("*", Value::Array(items)) => items.iter().for_each(|item| values(item, rest, set)),
        ("*", Value::Object(fields)) => fields.values().for_each(|item| values(item, rest, set)),
        (field, _) => values(&from[field], rest, set),
    }
}
