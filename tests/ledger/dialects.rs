//! What a TrainJob and a runtime of each version of Trainer can hold, by their CRDs and controllers (trainer v2.0.1,
//! v2.1.0, v2.2.1, v2.3.0). Written down again, apart from the converter.

use serde_json::Value;
use trainshift::convert::target::Dialect;

const TRAINER: [&str; 7] = [
    "args",
    "command",
    "env",
    "image",
    "numNodes",
    "numProcPerNode",
    "resourcesPerNode",
];
const POD_2_0: [&str; 6] = [
    "containers",
    "nodeSelector",
    "schedulingGates",
    "serviceAccountName",
    "tolerations",
    "volumes",
];
const POD_2_1: [&str; 2] = ["affinity", "imagePullSecrets"];
const POD_2_2: [&str; 1] = ["securityContext"];
const POD_2_3: [&str; 1] = ["terminationGracePeriodSeconds"];

/// Whether the CRDs of `dialect` know every field, and nothing in the objects makes its controller go wrong.
pub(crate) fn can_be_said(
    dialect: Dialect,
    trainjob: &Value,
    runtime: &Value,
) -> Result<(), String> {
    let spec = &trainjob["spec"];
    let (list, deadline) = match dialect {
        Dialect::V2_0 => ("podSpecOverrides", None),
        Dialect::V2_1 => ("podTemplateOverrides", None),
        Dialect::V2_2 | Dialect::V2_3 => ("runtimePatches", Some("activeDeadlineSeconds")),
    };
    let mut known = vec!["runtimeRef", "suspend", "trainer", list];
    known.extend(deadline);
    known.extend((dialect == Dialect::V2_3).then_some("managedBy"));
    only(spec, &known)?;
    only(&spec["trainer"], &TRAINER)?;
    if !matches!(
        spec["trainer"]["numProcPerNode"],
        Value::Null | Value::Number(_)
    ) {
        return Err("numProcPerNode is no number".to_owned());
    }
    overrides(dialect, spec)?;
    if dialect >= Dialect::V2_2 {
        limits(dialect, &spec["trainer"])?;
    }
    trains(dialect, spec)?;
    let set = &runtime["spec"]["template"]["spec"];
    if !set["ttlSecondsAfterFinished"].is_null() {
        return Err(
            "a time to live, with which Trainer trains again, 2.0 after an upgrade".to_owned(),
        );
    }
    if dialect == Dialect::V2_0 && !runtime["spec"]["podGroupPolicy"]["volcano"].is_null() {
        return Err("Volcano, which Trainer 2.0 doesn't know".to_owned());
    }
    let jobs = set["replicatedJobs"].as_array().into_iter().flatten();
    for job in jobs {
        let deadline = &job["template"]["spec"]["activeDeadlineSeconds"];
        if dialect >= Dialect::V2_2 && !deadline.is_null() {
            return Err("a deadline in the runtime".to_owned());
        }
    }
    Ok(())
}

/// The overrides of the pods, one at most.
fn overrides(dialect: Dialect, spec: &Value) -> Result<(), String> {
    let mut fields: Vec<&str> = POD_2_0.to_vec();
    let (pod, metadata) = match dialect {
        Dialect::V2_0 => {
            fields.push("targetJobs");
            (&spec["podSpecOverrides"][0], &Value::Null)
        }
        Dialect::V2_1 => {
            let template = &spec["podTemplateOverrides"][0];
            only(template, &["metadata", "spec", "targetJobs"])?;
            (&template["spec"], &template["metadata"])
        }
        Dialect::V2_2 | Dialect::V2_3 => {
            let path = "/runtimePatches/0/trainingRuntimeSpec/template/spec/replicatedJobs/0/template/spec/template";
            let template = spec.pointer(path).unwrap_or(&Value::Null);
            (&template["spec"], &template["metadata"])
        }
    };
    for (since, more) in [
        (Dialect::V2_1, &POD_2_1[..]),
        (Dialect::V2_2, &POD_2_2[..]),
        (Dialect::V2_3, &POD_2_3[..]),
    ] {
        fields.extend(more.iter().filter(|_| since <= dialect));
    }
    only(metadata, &["annotations", "labels"])?;
    only(pod, &fields)?;
    let mut container = vec!["name", "volumeMounts"];
    container.extend((dialect >= Dialect::V2_2).then_some("securityContext"));
    only(&pod["containers"][0], &container)
}

fn limits(dialect: Dialect, trainer: &Value) -> Result<(), String> {
    let longest = if dialect == Dialect::V2_2 {
        65_536
    } else {
        1_048_576
    };
    for list in ["args", "command", "env"] {
        let items = trainer[list].as_array().map_or(&[][..], Vec::as_slice);
        let long = |item: &Value| {
            let text = item.as_str().unwrap_or_default();
            text.chars().count() > longest
        };
        if items.len() > 128 || items.iter().any(long) {
            return Err(format!("too much in {list}"));
        }
    }
    let image = trainer["image"].as_str().unwrap_or_default();
    (image.len() <= 500)
        .then_some(())
        .ok_or_else(|| "too long an image".to_owned())
}

/// Trainer 2.0 runs the stock runtime's own command where there is none, and counts processes by requests.
fn trains(dialect: Dialect, spec: &Value) -> Result<(), String> {
    let trainer = &spec["trainer"];
    if dialect != Dialect::V2_0 || spec["runtimeRef"]["name"] != "torch-distributed" {
        return Ok(());
    }
    if trainer["command"].is_null() {
        return Err("the stock command instead of the image's".to_owned());
    }
    let limits = trainer["resourcesPerNode"]["limits"].as_object();
    let requests = &trainer["resourcesPerNode"]["requests"];
    let missing = limits.is_some_and(|limits| limits.keys().any(|key| requests[key].is_null()));
    (!missing)
        .then_some(())
        .ok_or_else(|| "limits without requests".to_owned())
}

fn only(object: &Value, known: &[&str]) -> Result<(), String> {
    let fields = object.as_object().into_iter().flatten();
    let unknown = fields
        .map(|(key, _)| key.as_str())
        .find(|key| !known.contains(key));
    unknown.map_or(Ok(()), |key| Err(format!("no field {key} in this version")))
}
