//! `trainshift diff`: pods beside pods, the verdict in the exit code.

use std::fs;

use serde_json::{Value, json};

use super::{JOB, REFUSED, run, run_in};

const GUIDE: [&str; 2] = ["tests/fixtures/diff/v1.yaml", "tests/fixtures/diff/v2.yaml"];

fn report(args: &[&str], stdin: impl AsRef<[u8]>) -> (i32, Value) {
    let ended = run(args, stdin);
    (
        ended.code,
        serde_json::from_str(&ended.out).expect("one JSON document"),
    )
}

/// The fields of a job's undeclared differences.
fn undeclared(job: &Value) -> Vec<&str> {
    let differences = job["differences"].as_array().expect("a list");
    let undeclared = differences
        .iter()
        .filter(|difference| difference["declared"].is_null());
    undeclared
        .map(|difference| difference["field"].as_str().expect("a name"))
        .collect()
}

#[test]
fn a_conversion_is_equal_but_for_declared_differences() {
    let ended = run(&["diff", "-"], JOB);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(
        ended
            .out
            .starts_with("mnist  equal but for declared differences"),
        "{}",
        ended.out
    );
}

#[test]
fn the_migration_guides_own_example_loses_its_ranks() {
    let ended = run(&["diff", GUIDE[0], GUIDE[1]], "");
    assert_eq!(ended.code, 1, "{}", ended.err);
    snapbox::assert_data_eq!(ended.out, snapbox::file!["snapshots/diff.txt"].raw());
    let (_, report) = report(&["diff", "-o", "json", GUIDE[0], GUIDE[1]], "");
    let fields = undeclared(&report["jobs"][0]);
    for variable in ["MASTER_ADDR", "MASTER_PORT", "RANK", "WORLD_SIZE"] {
        let field = format!("containers[trainer].env[{variable}]");
        assert!(fields.contains(&field.as_str()), "{variable}: {fields:?}");
    }
    let ours = run(&["diff", GUIDE[0]], "");
    assert_eq!(ours.code, 0, "{}", ours.out);
}

#[test]
fn a_conversion_that_somebody_keeps_in_git_is_equal_as_well() {
    for fixture in [
        "python-on-four-nodes-finds-its-ranks",
        "roles-of-real-size",
        "time-to-live-and-deadline",
    ] {
        let v1 = format!("tests/fixtures/convert/pass/{fixture}/pytorchjob.yaml");
        let converted = run(&["convert", &v1], "");
        let ended = run(&["diff", &v1, "-"], converted.out);
        assert_eq!(ended.code, 0, "{fixture}: {}{}", ended.out, ended.err);
    }
}

#[test]
fn a_thousand_workers_read_as_one() {
    let job = JOB.replace("replicas: 2", "replicas: 1000");
    let ended = run(&["diff", "-"], job);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(
        ended
            .out
            .contains("\"mnist-worker-<rank>\" -> \"mnist-node-0-<rank>\""),
        "{}",
        ended.out
    );
    assert!(ended.out.lines().count() < 80, "{}", ended.out);
}

#[test]
fn a_refused_job_has_no_pods_to_compare() {
    let ended = run(&["diff", "-"], REFUSED);
    assert_eq!(ended.code, 1);
    assert!(
        ended.out.contains("refused") && ended.out.contains("TS0"),
        "{}",
        ended.out
    );
}

#[test]
fn a_runtime_that_nobody_gave_is_asked_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let trainjob = fs::read_to_string(GUIDE[1]).expect("readable");
    let trainjob = trainjob.replace("torch-distributed", "our-runtime");
    fs::write(
        directory.path().join("v1.yaml"),
        fs::read(GUIDE[0]).expect("readable"),
    )
    .expect("written");
    fs::write(directory.path().join("v2.yaml"), trainjob).expect("written");
    let ended = run_in(directory.path(), &["diff", "v1.yaml", "v2.yaml"], "");
    assert_eq!(ended.code, 2, "{}", ended.out);
    let advice = "kubectl get clustertrainingruntime our-runtime -o yaml";
    assert!(ended.err.contains(advice), "{}", ended.err);
    let ended = run(&["diff", GUIDE[0], "--runtime", "our-runtime"], "");
    assert_eq!(ended.code, 2, "{}", ended.out);
}

#[test]
fn jobs_without_a_partner_are_told() {
    let two = [JOB, "---\n", &JOB.replace("name: mnist", "name: other")].concat();
    let (code, report) = report(&["diff", "-o", "json", "-", GUIDE[1]], two);
    assert_eq!(code, 2);
    assert_eq!(report["unpaired"].as_array().map(Vec::len), Some(3));
    let both = run(&["diff", "-", "-"], JOB);
    assert_eq!(both.code, 2);
    assert!(both.err.contains("stdin can be read once"), "{}", both.err);
}

#[test]
fn any_shape_of_a_trainjob_is_compared_or_refused_without_a_crash() {
    let base = json!({
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": "pytorch-simple"},
        "spec": {"runtimeRef": {"name": "torch-distributed"}, "trainer": {"numNodes": 2}},
    });
    let odd = [
        json!(null),
        json!("x"),
        json!(7),
        json!([]),
        json!([1]),
        json!({}),
        json!({"x": []}),
    ];
    let places = [
        "/spec",
        "/spec/trainer",
        "/spec/trainer/numNodes",
        "/spec/runtimePatches",
        "/spec/podTemplateOverrides",
        "/spec/podSpecOverrides",
        "/spec/labels",
        "/spec/trainer/env",
        "/spec/trainer/command",
        "/spec/trainer/resourcesPerNode",
        "/spec/suspend",
        "/metadata/labels",
    ];
    let mut documents = Vec::new();
    for place in places {
        for value in &odd {
            let mut trainjob = base.clone();
            let (parent, key) = place.rsplit_once('/').expect("a path");
            trainjob.pointer_mut(parent).expect("is there")[key] = value.clone();
            documents.push(trainjob.to_string());
        }
    }
    for dialect in ["2.0", "2.1", "2.2", "2.3"] {
        for document in documents.chunks(12) {
            let ended = run(
                &["diff", "--to", dialect, GUIDE[0], "-"],
                document.join("\n---\n"),
            );
            assert!(ended.code <= 2, "{}", ended.err);
        }
    }
}

/// The guide's `TrainJob` with this in place of its command.
fn of_the_guide(instead: &str) -> String {
    let trainjob = fs::read_to_string(GUIDE[1]).expect("readable");
    let command = "    command: [python3, /opt/pytorch-mnist/mnist.py, --epochs=1]\n";
    assert!(trainjob.contains(command));
    trainjob.replace(command, instead)
}

#[test]
fn a_field_of_another_version_is_told_with_the_version_that_has_it() {
    let trainjob = of_the_guide("  podTemplateOverrides: []\n");
    let ended = run(&["diff", GUIDE[0], "-"], &trainjob);
    let told = "uncertain   spec.podTemplateOverrides: Trainer 2.3 has no such field; the API server drops it; Trainer 2.1 has it: --to 2.1\n";
    assert!(ended.out.contains(told), "{}", ended.out);
    let ended = run(&["diff", "--to", "2.1", GUIDE[0], "-"], trainjob);
    assert!(!ended.out.contains("uncertain"), "{}", ended.out);
}

#[test]
fn what_is_not_predicted_is_never_equal() {
    let v1 = fs::read_to_string(GUIDE[0]).expect("readable");
    let converted = run(&["convert", "-"], &v1).out;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("v1.yaml");
    fs::write(&path, &v1).expect("written");
    let trainjob = converted.replacen("spec:\n", "spec:\n  initializer: {dataset: {}}\n", 1);
    let args = ["diff", "-o", "json", path.to_str().expect("a path"), "-"];
    let (code, told) = report(&args, trainjob);
    assert_eq!(
        (code, &told["jobs"][0]["verdict"]),
        (1, &json!("uncertain"))
    );
    assert_eq!(told["jobs"][0]["caveats"][0]["field"], "spec.initializer");
    let torchtune = of_the_guide("    command: [tune, run]\n");
    let ended = run(&["diff", GUIDE[0], "-"], torchtune);
    let told = "uncertain   spec.trainer.command: Trainer's torch policy rewrites `tune run`";
    assert!(ended.out.contains(told), "{}", ended.out);
}
