//! `trainshift policy`: mistakes with their places, and what policies would do.

use std::fs;

use serde_json::{Value, json};

use super::{JOB, run};

const POLICIES: &str = "tests/fixtures/policy/policies.yaml";
const JOBS: &str = "tests/fixtures/policy/jobs";
const BROKEN: &str = "tests/fixtures/policy/broken";
/// Before the dates of the fixtures.
const JANUARY: &str = "2027-01-10T00:00:00Z";

fn check(file: &str, args: &[&str]) -> (i32, String) {
    let ended = run(
        &[&["policy", "check", file, "--at", JANUARY], args].concat(),
        "",
    );
    assert_eq!(ended.err, "");
    (ended.code, ended.out)
}

#[test]
fn every_mistake_is_told_with_its_place_and_what_to_write_instead() {
    let (code, told) = check(&format!("{BROKEN}/mistakes.yaml"), &[]);
    assert_eq!(code, 2);
    snapbox::assert_data_eq!(told, snapbox::file!["snapshots/policy-mistakes.txt"].raw());
}

#[test]
fn ways_round_a_policy_are_warnings() {
    let file = format!("{BROKEN}/doubtful.yaml");
    let (code, told) = check(&file, &[]);
    assert_eq!(code, 0);
    snapbox::assert_data_eq!(told, snapbox::file!["snapshots/policy-warnings.txt"].raw());
    assert_eq!(check(&file, &["--strict"]).0, 1);
}

#[test]
fn json_holds_the_same() {
    let (code, told) = check(&format!("{BROKEN}/mistakes.yaml"), &["--output", "json"]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(code, 2);
    let mode = told["errors"].as_array().expect("a list").iter();
    let mode = mode.filter(|error| error["field"] == "spec.schedule[0].mode");
    let expected = json!({
        "file": format!("{BROKEN}/mistakes.yaml"), "line": 20, "column": 11, "field": "spec.schedule[0].mode",
        "message": "\"Denny\" is none of Audit, Warn, Deny", "hint": "did you mean Deny?",
    });
    assert_eq!(mode.collect::<Vec<_>>(), [&expected]);
    assert_eq!(told["warnings"][0]["code"], "MP013");
}

#[test]
fn reads_stdin_and_says_where_nothing_is() {
    let policy = fs::read_to_string(POLICIES).expect("read");
    assert_eq!(run(&["policy", "check", "-"], &policy).code, 0);
    for (text, message) in [
        ("", "error: stdin: there is no MigrationPolicy in it"),
        (JOB, "there is no MigrationPolicy in these files"),
        ("a: [", "error: stdin:1:4: unclosed bracket"),
        ("[1]", "error: stdin:1:1: expected an object, found a list"),
        ("apiVersion: v1", "error: stdin:1:1: kind is missing"),
    ] {
        let ended = run(&["policy", "check", "-"], text);
        let told = ended.out + &ended.err;
        assert!(ended.code == 2 && told.contains(message), "{text}: {told}");
    }
    let ended = run(&["policy", "check", "tests/fixtures/none.yaml"], "");
    assert_eq!(ended.code, 2);
    assert!(
        ended.out.contains("none.yaml: No such file"),
        "{}",
        ended.out
    );
}

#[test]
fn a_policy_may_be_json_with_tabs() {
    let json = "{\n\t\"apiVersion\": \"trainshift.dev/v1alpha1\",\n\t\"kind\": \"MigrationPolicy\",\n\t\"metadata\": {\"name\": \"a\"},\n\t\"spec\": {\"schedule\": [{\"mode\": \"Warn\"}]}\n}";
    assert_eq!(run(&["policy", "check", "-"], json).code, 0);
}

fn test(args: &[&str]) -> (i32, String) {
    let ended = run(&[&["policy", "test", POLICIES], args].concat(), "");
    (ended.code, ended.out + &ended.err)
}

#[test]
fn tells_what_happens_to_each_job_at_a_time() {
    let (code, told) = test(&["--jobs", JOBS, "--at", "2027-04-15T00:00:00Z"]);
    assert_eq!(code, 0, "{told}");
    snapbox::assert_data_eq!(told, snapbox::file!["snapshots/policy-test.txt"].raw());
}

#[test]
fn several_times_show_the_whole_migration() {
    let times = [
        "2026-12-01T00:00:00Z",
        "2027-01-15T00:00:00Z",
        "2027-02-15T00:00:00Z",
        "2027-06-15T00:00:00Z",
    ];
    let at: Vec<_> = times.iter().flat_map(|time| ["--at", time]).collect();
    let (code, told) = test(&[&["--jobs", JOBS], at.as_slice()].concat());
    assert_eq!(code, 0, "{told}");
    snapbox::assert_data_eq!(
        told,
        snapbox::file!["snapshots/policy-test-times.txt"].raw()
    );
}

#[test]
fn verbose_holds_what_the_client_reads() {
    let (_, told) = test(&["--jobs", JOBS, "--at", "2027-02-15T00:00:00Z", "-v"]);
    snapbox::assert_data_eq!(
        told,
        snapbox::file!["snapshots/policy-test-verbose.txt"].raw()
    );
}

#[test]
fn answers_as_json_hold_everything() {
    let katib = "system:serviceaccount:kubeflow:katib-controller";
    let at = "2027-02-15T00:00:00Z";
    let (code, told) = test(&["--jobs", JOBS, "--at", at, "--as", katib, "-o", "json"]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(code, 0);
    let mnist = &told["answers"][0];
    assert_eq!(
        (&mnist["name"], &mnist["policy"], &mnist["decision"]),
        (&json!("mnist"), &json!("research"), &json!("deny"))
    );
    // A ServiceAccount is told how to get the TrainJob.
    let message = mnist["message"].as_str().expect("text");
    assert!(message.contains("trainshift convert FILE"), "{message}");
    assert_eq!(told["errors"], json!([]));
}

#[test]
fn namespaces_give_labels() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("namespaces.yaml");
    let ask = |labels: &str, kind: &str| {
        let item = format!(
            "{{apiVersion: v1, kind: {kind}, metadata: {{name: research, labels: {labels}}}}}"
        );
        let list = format!("apiVersion: v1\nkind: List\nitems:\n- {item}\n");
        fs::write(&path, list).expect("written");
        let path = path.to_str().expect("UTF-8");
        test(&["--jobs", JOBS, "--at", JANUARY, "--namespaces", path])
    };
    let (code, told) = ask("{trainshift.dev/mode: deny}", "Namespace");
    assert!(code == 0 && told.contains("Deny (by label)"), "{told}");
    // Labels that nobody can read aren't none: the answer would be a looser one.
    let (code, told) = ask("{trainshift.dev/mode: deny, tier: 1}", "Namespace");
    let message = "Namespace \"research\": metadata.labels must be strings";
    assert!(code == 2 && told.contains(message), "{told}");
    let (code, told) = ask("{}", "ConfigMap");
    let message = "namespaces.yaml: there is no Namespace in it";
    assert!(code == 2 && told.contains(message), "{told}");
}

#[test]
fn an_update_is_judged_by_what_it_changes() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let old = write("old.yaml", JOB);
    let ask = |new: &str| {
        let args = [
            "--jobs",
            new,
            "--old",
            &old,
            "--operation",
            "update",
            "-n",
            "research",
        ];
        test(&[&args[..], &["--at", "2027-02-15T00:00:00Z"]].concat()).1
    };
    assert!(ask(&old).contains("1 admitted"));
    let more = write("more.yaml", &JOB.replace("replicas: 2", "replicas: 3"));
    assert!(ask(&more).contains("1 denied"));
    let other = write("other.yaml", &JOB.replace("name: mnist", "name: other"));
    assert!(ask(&other).contains("there is no research/other in --old"));
}

#[test]
fn the_examples_cases_pass() {
    let (code, told) = test(&["tests/fixtures/policy/tests.yaml"]);
    assert_eq!(code, 0, "{told}");
    assert!(told.ends_with("14 cases: 14 passed, 0 failed\n"), "{told}");
}

#[test]
fn queue_controllers_are_those_that_the_server_is_told() {
    let case = |user: &str| {
        format!(
            "{{apiVersion: trainshift.dev/v1alpha1, kind: MigrationPolicyTest, metadata: {{name: queue}}, spec: {{cases: [{{
            name: a queue starts what it holds, expect: {{decision: Admit}}, given: {{at: '2027-02-15T00:00:00Z', as: {user:?},
            namespace: {{name: research}}, old: {{patch: {{spec: {{runPolicy: {{suspend: true}}}}}}}}}}}}]}}}}"
        )
    };
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("tests.yaml");
    let ask = |user: &str, flags: &[&str]| {
        fs::write(&path, case(user)).expect("written");
        test(&[&["--assert", path.to_str().expect("UTF-8")], flags].concat()).0
    };
    let kueue = "system:serviceaccount:kueue-system:kueue-controller-manager";
    let own = "system:serviceaccount:batch:queue";
    assert_eq!((ask(kueue, &[]), ask(own, &[])), (0, 1));
    let flags = ["--queue-controller", own];
    assert_eq!((ask(kueue, &flags), ask(own, &flags)), (1, 0));
}

#[test]
fn a_case_that_fails_says_what_was_expected_and_what_it_got() {
    let failing = format!("{BROKEN}/failing.yaml");
    let (code, told) = test(&["--assert", &failing]);
    assert_eq!(code, 1);
    snapbox::assert_data_eq!(
        told,
        snapbox::file!["snapshots/policy-test-failing.txt"].raw()
    );
    let (code, told) = test(&["--assert", &failing, "--output", "json"]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((code, &told["cases"][0]["passed"]), (1, &json!(true)));
    assert_eq!(
        told["cases"][1]["failures"][0],
        json!({"field": "decision", "expected": "Deny", "got": "Warn"})
    );
}

#[test]
fn a_broken_case_is_an_error_with_its_place() {
    let (code, told) = test(&[&format!("{BROKEN}/tests.yaml")]);
    assert_eq!(code, 2);
    snapbox::assert_data_eq!(
        told,
        snapbox::file!["snapshots/policy-test-broken.txt"].raw()
    );
}

#[test]
fn what_is_missing_is_said() {
    let (code, told) = test(&[]);
    assert!(
        code == 2 && told.contains("give PyTorchJobs by --jobs"),
        "{told}"
    );
    let (code, told) = test(&["--jobs", JOBS, "--at", "2027-02-01"]);
    assert!(
        code == 2 && told.contains("write 2027-02-01T00:00:00Z"),
        "{told}"
    );
    let (code, told) = test(&["--jobs", JOBS, "--operation", "update"]);
    assert!(
        code == 2 && told.contains("--old and --operation update go together"),
        "{told}"
    );
}
