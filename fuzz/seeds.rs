//! Writes the fuzzers' first inputs: `seeds TO` reads every `tests/fixtures/convert/*/*/pytorchjob.yaml` and writes it
//! below TO as a file, as JSON, and in a review of its creation, of its update, and of its being scaled.

// A fixture that can't be read ends the program.
#![allow(clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// What chooses the first world; libFuzzer finds the others.
const PREFIX: [u8; 2] = [0, 0];

fn main() {
    let to = PathBuf::from(std::env::args_os().nth(1).expect("where to write"));
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/convert");
    let mut last = Value::Null;
    for outcome in ["pass", "refuse"] {
        for case in fs::read_dir(fixtures.join(outcome)).expect("fixtures") {
            let case = case.expect("a fixture").path();
            let name = case.file_name().expect("a name").to_string_lossy();
            let text = fs::read_to_string(case.join("pytorchjob.yaml")).expect("a job");
            write(&to.join("file").join(&*name), text.as_bytes());
            let job: Value = serde_saphyr::from_str(&text).expect("YAML");
            seed(&to.join("convert").join(&*name), &job);
            let reviews = to.join("review");
            seed(
                &reviews.join(format!("{name}-created")),
                &review("CREATE", &job, &Value::Null),
            );
            seed(
                &reviews.join(format!("{name}-updated")),
                &review("UPDATE", &job, &last),
            );
            last = job;
        }
    }
    let scale = |replicas: i64| json!({"kind": "Scale", "spec": {"replicas": replicas}});
    let mut scaled = review("UPDATE", &scale(3), &scale(2));
    scaled["request"]["subResource"] = "scale".into();
    seed(&to.join("review/scaled"), &scaled);
}

fn review(operation: &str, object: &Value, old: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "1",
            "resource": {"group": "kubeflow.org", "version": "v1", "resource": "pytorchjobs"},
            "name": "mnist",
            "namespace": "research",
            "operation": operation,
            "userInfo": {"username": "jane"},
            "object": object,
            "oldObject": old,
            "dryRun": false,
        },
    })
}

fn seed(path: &Path, value: &Value) {
    let mut bytes = PREFIX.to_vec();
    bytes.extend(serde_json::to_vec(value).expect("JSON"));
    write(path, &bytes);
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, bytes).expect("a seed");
}
