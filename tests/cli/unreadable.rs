//! What can't be read: a message that says where and why, exit code 2, no panic, no hang.

use std::fmt::Write as _;
use std::fs;

use rstest::rstest;

use super::{JOB, run, run_in};

/// The job with one text replaced.
fn with(old: &str, new: &str) -> String {
    assert!(JOB.contains(old));
    JOB.replace(old, new)
}

const REPLICAS: &str = "stdin:10: spec.pytorchReplicaSpecs.Worker.replicas: ";

#[rstest]
#[case::nothing("", "nothing came in on stdin")]
#[case::comments_only("# a\n---\n# b\n", "nothing came in on stdin")]
#[case::prose(
    "Dear all,\nplease convert my job.\n",
    "expected a Kubernetes object, found the string"
)]
#[case::a_number("42\n", "expected a Kubernetes object, found the number 42")]
#[case::open_bracket("a: [1,\n", "stdin:1: not YAML that can be read: unclosed bracket")]
#[case::a_tab_as_indentation("a:\n\tb: 1\n", "stdin:2: not YAML that can be read: tabs disallowed")]
#[case::two_colons("a: b: c\n", "mapping values are not allowed")]
#[case::half_of_json("{\"kind\": \"PyTorchJob\", ", "not YAML that can be read")]
#[case::an_unknown_alias("a: *b\n", "alias references unknown anchor")]
#[case::a_key_that_is_a_list("? [a]\n: b\n", "not YAML that can be read")]
#[case::not_a_number("a: .nan\n", "non-finite float")]
#[case::a_template("kind: {{ .Values.kind }}\n", "hint: this looks like a template")]
#[case::a_helm_block(
    "{{- if .Values.on }}\na: 1\n{{- end }}\n",
    "hint: this looks like a template"
)]
#[case::a_control_character("a: \u{1}\n", "not YAML that can be read")]
fn not_an_object(#[case] stdin: &str, #[case] expected: &str) {
    let ended = run(&["convert"], stdin);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(ended.err.contains(expected), "{}", ended.err);
}

#[rstest]
#[case::shell_variable("replicas: 2", "replicas: $N", &[REPLICAS, "expected an integer, found the string \"$N\"", "render it first"])]
#[case::shell_braces("replicas: 2", "replicas: ${N}", &[REPLICAS, "found the string \"${N}\"", "render it first"])]
#[case::quoted_number("replicas: 2", "replicas: \"2\"", &[REPLICAS, "expected an integer, found the string \"2\""])]
#[case::fraction("replicas: 2", "replicas: 1.5", &[REPLICAS, "found the number 1.5"])]
#[case::too_large("replicas: 2", "replicas: 99999999999", &[REPLICAS, "expected an integer of 32 bits"])]
#[case::boolean("replicas: 2", "replicas: yes", &[REPLICAS, "found the boolean true"])]
#[case::list("replicas: 2", "replicas: [2]", &[REPLICAS, "found a list"])]
#[case::number_for_text("image: train:1", "image: 1.10", &["containers[0].image: expected a string, found the number 1.1", "hint: put the value in quotes"])]
#[case::boolean_in_args("\"on\"", "on", &["containers[0].args[2]: expected a string, found the boolean true", "stdin:17:"])]
#[case::text_for_a_list("args: [--lr, \"1e-4\", \"on\"]", "args: --lr 1e-4", &["containers[0].args: expected a list, found the string"])]
#[case::list_for_a_mapping("metadata:\n  name: mnist", "metadata: [mnist]", &["stdin:3: metadata: expected a mapping, found a list"])]
#[case::text_for_a_mapping("  runPolicy:\n    backoffLimit: 3\n", "  runPolicy: none\n", &["spec.runPolicy: expected a mapping, found the string \"none\""])]
#[case::label_that_is_a_number("  name: mnist", "  name: mnist\n  labels: {version: 2}", &["metadata.labels.version: expected a string, found the number 2"])]
#[case::null_among_containers("          - name: pytorch\n", "          - null\n          - name: pytorch\n", &["containers[0]: expected a mapping, found nothing (null)"])]
fn a_field_of_the_wrong_type(#[case] old: &str, #[case] new: &str, #[case] expected: &[&str]) {
    let ended = run(&["convert"], with(old, new));
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    for expected in expected {
        assert!(ended.err.contains(expected), "{}", ended.err);
    }
}

#[test]
fn names_the_line_of_the_file_and_the_document() {
    let text = format!(
        "# first\na: 1\n---\n{}",
        with("replicas: 2", "replicas: $N")
    );
    let ended = run(&["convert"], text);
    assert!(
        ended.err.contains("error: stdin:13: document 2: spec."),
        "{}",
        ended.err
    );
}

#[test]
fn names_the_item_of_a_list() {
    let item = with("replicas: 2", "replicas: many").replace('\n', "\n  ");
    let text = format!(
        "apiVersion: v1\nkind: List\nitems:\n- {}\n",
        item.trim_end()
    );
    let ended = run(&["convert"], text);
    assert!(
        ended
            .err
            .contains("stdin:13: spec.pytorchReplicaSpecs.Worker.replicas: "),
        "{}",
        ended.err
    );
}

#[rstest]
#[case::null_maps(
    "metadata:\n  name: mnist",
    "metadata:\n  name: mnist\n  labels: null\n  annotations: ~"
)]
#[case::null_policy("    backoffLimit: 3\n", "")]
#[case::duplicate_keys("replicas: 2", "replicas: $N\n      replicas: 2")]
#[case::integral_float("replicas: 2", "replicas: 2.0")]
#[case::octal("replicas: 2", "replicas: 0o2")]
fn reads_what_kubectl_reads(#[case] old: &str, #[case] new: &str) {
    let ended = run(&["convert"], with(old, new));
    assert_eq!(ended.code, 0, "{}", ended.err);
}

#[test]
fn refuses_text_that_is_not_utf8() {
    let ended = run(&["convert"], b"a: 1\nb: \xf0\x9f\x98");
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("stdin:2: not UTF-8 text (byte 9)"),
        "{}",
        ended.err
    );
}

#[test]
fn ends_bombs_quickly() {
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (last, next) in "abcdefghi".chars().zip("bcdefghij".chars()) {
        let many = [format!("*{last}").as_str(); 9].join(",");
        let _ = writeln!(bomb, "{next}: &{next} [{many}]");
    }
    let deep = format!("a: {}", "[".repeat(200_000));
    let deep_json = "{\"a\":".repeat(200_000);
    let deep_blocks = "- ".repeat(200_000);
    for text in [bomb, deep, deep_json, deep_blocks] {
        assert_eq!(run(&["convert"], text).code, 2);
    }
}

#[test]
fn names_paths_that_cannot_be_read() {
    let root = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(root.path().join("empty/.git")).expect("created");
    fs::write(root.path().join("empty/readme.md"), "").expect("written");
    let ended = run_in(root.path(), &["convert", "empty", "missing.yaml", "-"], JOB);
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .err
            .contains("error: empty: no .yaml, .yml or .json file"),
        "{}",
        ended.err
    );
    assert!(
        ended.err.contains("error: missing.yaml: No such file"),
        "{}",
        ended.err
    );
    assert!(
        ended.out.contains("kind: TrainJob"),
        "the rest is converted"
    );
}

/// A file that nobody may read, also when the tests run as root: a link into nothing.
#[cfg(unix)]
#[test]
fn names_a_file_of_a_directory_that_cannot_be_opened() {
    let root = tempfile::tempdir().expect("a directory");
    std::os::unix::fs::symlink("/nowhere/at/all", root.path().join("a.yaml")).expect("linked");
    let ended = run_in(root.path(), &["convert", "."], "");
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("a.yaml: No such file"), "{}", ended.err);
}
