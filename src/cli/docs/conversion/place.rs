//! Places in the output as people name them: list elements by their names, long beginnings by one word.

use std::fmt::Write as _;

use serde_json::Value;

use crate::api::meta::{NODE, WORKER_JOB};
use crate::convert::Output;
use crate::convert::ledger::{Destination, push_key};

use super::probe::steps;

/// What the long beginning of a path in the `TrainJob` is called, by the list of overrides that each version has.
const PATCHES: [(&str, &str, &str); 3] = [
    (
        "patch",
        "spec.runtimePatches[].trainingRuntimeSpec.template.spec.replicatedJobs[node].template.spec.template",
        "2.2, 2.3",
    ),
    ("patch", "spec.podTemplateOverrides[]", "2.1"),
    ("patch.spec", "spec.podSpecOverrides[]", "2.0"),
];

/// What the long beginning of a path in a generated runtime is called: first the longer.
const TEMPLATES: [(&str, &str, &str); 2] = [
    (
        "pod",
        "spec.template.spec.replicatedJobs[",
        "].template.spec.template",
    ),
    (
        "job",
        "spec.template.spec.replicatedJobs[",
        "].template.spec",
    ),
];

/// Short words and what they stand for, as Markdown.
pub(super) fn legend() -> Vec<(String, String)> {
    let patches = PATCHES.iter().map(|(short, long, versions)| {
        (
            (*short).to_owned(),
            format!("`{long}` of the TrainJob ({versions})"),
        )
    });
    let templates = TEMPLATES.iter().map(|(short, before, after)| {
        (
            format!("runtime.{short}"),
            format!("`{before}{NODE}{after}` of the TrainingRuntime; `runtime.{WORKER_JOB}.{short}` that of the Workers, where they have pods of their own"),
        )
    });
    let rest = (
        "runtime".to_owned(),
        "the TrainingRuntime; any other path is one of the TrainJob".to_owned(),
    );
    patches.chain(templates).chain([rest]).collect()
}

/// The place of a kept field, or none where leaving it out says the same.
pub(super) fn name(destination: &Destination, output: &Output) -> Option<String> {
    match destination {
        Destination::TrainJob(path) => {
            let path = by_name(path, &serde_json::to_value(&output.trainjob).ok()?);
            let short = PATCHES
                .iter()
                .find_map(|(short, long, _)| Some(format!("{short}{}", path.strip_prefix(long)?)));
            Some(short.unwrap_or(path))
        }
        Destination::Runtime(path) => {
            let path = by_name(path, &serde_json::to_value(&output.runtime).ok()?);
            let short = TEMPLATES.iter().find_map(|(short, before, after)| {
                let (job, rest) = path.strip_prefix(before)?.split_once(after)?;
                Some(match job {
                    NODE => format!("runtime.{short}{rest}"),
                    other => format!("runtime.{other}.{short}{rest}"),
                })
            });
            Some(short.unwrap_or(format!("runtime.{path}")))
        }
        Destination::Default => None,
    }
}

/// `path` with the names of list elements in place of their indexes, and nothing where they have none.
fn by_name(path: &str, object: &Value) -> String {
    let mut text = String::new();
    let mut here = object;
    for step in steps(path) {
        if let Value::Array(items) = here {
            let named = |item: &&Value| item["name"] == step;
            let item = items.iter().find(named);
            let item = item.or_else(|| items.get(step.parse::<usize>().ok()?));
            here = item.unwrap_or(&Value::Null);
            let name = here["name"].as_str().unwrap_or_default();
            let _ = write!(text, "[{name}]");
        } else {
            here = &here[step];
            push_key(&mut text, step);
        }
    }
    text
}
