//! `trainshift convert`: objects on stdout, the report on stderr, the verdict in the exit code.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{CONFIG_MAP, JOB, REFUSED, kinds, objects, run, run_in};

#[test]
fn converts_stdin_with_and_without_a_dash() {
    for args in [&["convert"][..], &["convert", "-"]] {
        let ended = run(args, JOB);
        assert_eq!(ended.code, 0, "{}", ended.err);
        let objects = objects(&ended.out);
        assert_eq!(kinds(&objects).last(), Some(&"TrainJob"));
        assert!(
            ended.out.contains("- \"1e-4\"\n") && ended.out.contains("- \"on\"\n"),
            "{}",
            ended.out
        );
    }
}

#[test]
fn reports_every_field_at_one_glance() {
    let ended = run(&["convert"], JOB);
    snapbox::assert_data_eq!(ended.err, snapbox::file!["snapshots/report.txt"].raw());
}

#[test]
fn accounts_for_every_leaf_in_the_json_report() {
    let ended = run(
        &["convert", "--report", "json"],
        [JOB, "---\n", REFUSED].concat(),
    );
    let report: Value = serde_json::from_str(&ended.err).expect("one JSON document");
    let paths: Vec<_> = report["jobs"][0]["fields"]
        .as_array()
        .expect("fields")
        .iter()
        .map(|field| field["path"].as_str().expect("a path"))
        .collect();
    assert_eq!(paths.len(), 11, "{paths:?}");
    assert!(paths.contains(&"spec.pytorchReplicaSpecs.Worker.template.spec.containers[0].args[1]"));
    assert_eq!(report["jobs"][1]["verdict"], "refused");
    assert_eq!(report["summary"]["jobs"], 2);
    assert_eq!(report["summary"]["refused"], 1);
}

#[test]
fn passes_other_objects_through_byte_for_byte() {
    let ended = run(&["convert"], CONFIG_MAP);
    assert_eq!((ended.code, ended.out.as_str()), (0, CONFIG_MAP));
    assert!(
        ended
            .err
            .contains("stdin: ConfigMap settings passed through"),
        "{}",
        ended.err
    );

    let windows = CONFIG_MAP.replace('\n', "\r\n");
    let several =
        format!("\u{feff}{windows}---\r\n# only a comment\r\n---\n{JOB}--- # kept\n{CONFIG_MAP}");
    let ended = run(&["convert", "--report", "none"], &several);
    assert!(ended.out.starts_with(&windows), "{}", ended.out);
    assert!(
        ended.out.ends_with(&format!("\n--- # kept\n{CONFIG_MAP}")),
        "{}",
        ended.out
    );
    assert_eq!(ended.err, "");
}

#[test]
fn takes_another_version_of_the_kind_for_another_object() {
    let ended = run(
        &["convert"],
        JOB.replace("kubeflow.org/v1", "kubeflow.org/v1beta2"),
    );
    assert_eq!(ended.code, 0);
    assert!(
        ended
            .err
            .contains("PyTorchJob of kubeflow.org/v1beta2 mnist passed through"),
        "{}",
        ended.err
    );
}

#[test]
fn takes_lists_apart() {
    let job: Value = objects(JOB).remove(0);
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [job, {"apiVersion": "v1", "kind": "Secret"}, job]});
    let ended = run(&["convert"], list.to_string());
    let kinds_of = |text: &str| -> Vec<String> {
        kinds(&objects(text))
            .into_iter()
            .filter(|kind| !kind.ends_with("Runtime"))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(kinds_of(&ended.out), ["TrainJob", "Secret", "TrainJob"]);

    let mut bare = job;
    bare.as_object_mut()
        .expect("an object")
        .retain(|key, _| key != "kind" && key != "apiVersion");
    let list = json!({"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJobList", "items": [bare]});
    assert_eq!(
        kinds_of(&run(&["convert"], list.to_string()).out),
        ["TrainJob"]
    );
}

#[test]
fn puts_the_runtime_before_the_job_that_refers_to_it() {
    let different = JOB.replace("    Worker:\n", "    Master:\n      replicas: 1\n      template: {spec: {containers: [{name: pytorch, image: other}]}}\n    Worker:\n");
    let ended = run(&["convert"], different);
    assert_eq!(kinds(&objects(&ended.out)), ["TrainingRuntime", "TrainJob"]);
}

#[test]
fn prints_one_json_object_as_itself_and_several_as_a_list() {
    let short = JOB.replace("    backoffLimit: 3\n", "    suspend: false\n");
    let one: Value =
        serde_json::from_str(&run(&["convert", "-o", "json"], &short).out).expect("JSON");
    assert_eq!(one["kind"], "TrainJob");
    let both = [short.as_str(), "---\n", CONFIG_MAP].concat();
    let list: Value =
        serde_json::from_str(&run(&["convert", "-o", "json"], both).out).expect("JSON");
    assert_eq!(
        (&list["apiVersion"], &list["kind"]),
        (&json!("v1"), &json!("List"))
    );
    assert_eq!(
        kinds(list["items"].as_array().expect("items")),
        ["TrainJob", "ConfigMap"]
    );
}

#[test]
fn reads_directories_in_order_and_files_in_json() {
    let root = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(root.path().join("in/b")).expect("created");
    let job_of = |name: &str| JOB.replace("mnist", name);
    fs::write(root.path().join("in/c.yml"), job_of("c")).expect("written");
    fs::write(
        root.path().join("in/b/b.json"),
        objects(&job_of("b")).remove(0).to_string(),
    )
    .expect("written");
    fs::write(root.path().join("in/a.yaml"), job_of("a")).expect("written");
    fs::write(root.path().join("in/notes.txt"), "no manifest").expect("written");
    let ended = run_in(root.path(), &["convert", "in"], "");
    let names: Vec<_> = objects(&ended.out)
        .iter()
        .filter(|object| object["kind"] == "TrainJob")
        .map(|object| {
            object["metadata"]["name"]
                .as_str()
                .expect("a name")
                .to_owned()
        })
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn ends_with_1_when_a_job_is_refused_and_names_it() {
    for report in ["text", "none"] {
        let ended = run(
            &["convert", "--report", report],
            [JOB, "---\n", REFUSED].concat(),
        );
        assert_eq!(ended.code, 1);
        assert!(
            ended.err.contains("empty") && ended.err.contains("TS040"),
            "{}",
            ended.err
        );
        assert!(ended.out.contains("kind: TrainJob"));
    }
}

#[test]
fn ends_with_1_past_fail_on() {
    let lossy = JOB.replace("      replicas: 2\n", "      replicas: 2\n      bogus: 1\n");
    let code = |fail_on: &str, report: &str| {
        run(
            &["convert", "--fail-on", fail_on, "--report", report],
            &lossy,
        )
        .code
    };
    for report in ["text", "none"] {
        assert_eq!(
            [
                code("refused", report),
                code("lossy", report),
                code("adapted", report)
            ],
            [0, 1, 1]
        );
    }
}

#[test]
fn ends_with_2_when_something_is_unreadable_but_converts_the_rest() {
    let ended = run(
        &["convert"],
        ["a: [\n---\n", JOB, "---\n", REFUSED].concat(),
    );
    assert_eq!(ended.code, 2);
    assert!(ended.out.contains("kind: TrainJob"));
    assert!(
        ended.err.contains("1 input could not be read"),
        "{}",
        ended.err
    );
}

#[test]
fn writes_for_the_version_that_is_named() {
    // Only from 2.2 on a TrainJob has a deadline.
    let job = JOB.replace("backoffLimit: 3", "activeDeadlineSeconds: 60");
    let run = |version| run(&["convert", "--to", version], &job);
    for (version, runtimes) in [("2.0", 1), ("2.1", 1), ("2.2", 0), ("2.3", 0), ("auto", 0)] {
        let ended = run(version);
        assert_eq!(ended.code, 0, "{version}: {}", ended.err);
        let found = ended.out.matches("kind: TrainingRuntime\nmetadata").count();
        assert_eq!(found, runtimes, "{version}: {}", ended.out);
    }
    assert_eq!(run("2.4").code, 2);
}

#[test]
fn ends_with_2_on_bad_usage_and_0_on_help() {
    for args in [
        &["convert", "--style", "nice"][..],
        &["convert", "--force"],
        &["frobnicate"],
        &[],
    ] {
        assert_eq!(run(args, "").code, 2, "{args:?}");
    }
    for args in [&["--help"][..], &["--version"], &["convert", "--help"]] {
        assert_eq!(run(args, "").code, 0, "{args:?}");
    }
}

#[test]
fn says_that_the_shipped_runtime_must_be_installed() {
    let ended = run(
        &["convert"],
        JOB.replace("    backoffLimit: 3\n", "    suspend: false\n"),
    );
    assert!(
        ended
            .err
            .contains("trainshift generate runtimes | kubectl apply -f -"),
        "{}",
        ended.err
    );
}

#[test]
fn colours_nothing_but_a_terminal_and_lets_no_control_character_out() {
    let ended = run(
        &["convert"],
        JOB.replace("name: mnist", "name: \"mn\\e[31mist\""),
    );
    assert!(!ended.err.contains('\u{1b}'), "{}", ended.err);
}

#[test]
fn ends_quietly_when_nobody_reads_on() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trainshift"))
        .args(["explain", "--output", "markdown"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("ends");
    assert_eq!(
        (ended.status.code(), ended.stderr.as_slice()),
        (Some(0), &b""[..])
    );
}
