//! `trainshift generate`.

use std::fs;

use serde_json::{Value, json};

use super::{CONFIG_MAP, JOB, objects, run, run_in};

fn webhooks(args: &[&str]) -> Vec<Value> {
    let args: Vec<_> = ["generate", "webhook"]
        .iter()
        .chain(args)
        .copied()
        .collect();
    let ended = run(&args, "");
    assert_eq!(ended.code, 0, "{}", ended.err);
    objects(&ended.out)
}

#[test]
fn both_configurations_name_what_is_judged_and_nothing_else() {
    let configurations = webhooks(&[]);
    assert_eq!(configurations[0]["kind"], "MutatingWebhookConfiguration");
    assert_eq!(configurations[1]["kind"], "ValidatingWebhookConfiguration");
    for (configuration, name) in configurations.iter().zip(["mutate", "validate"]) {
        assert_eq!(
            configuration["metadata"]["annotations"]["cert-manager.io/inject-ca-from"],
            "trainshift-system/trainshift"
        );
        let webhook = &configuration["webhooks"][0];
        assert_eq!(webhook["name"], format!("{name}.trainshift.dev"));
        assert_eq!(
            webhook["clientConfig"],
            json!({"service": {"namespace": "trainshift-system", "name": "trainshift", "port": 443, "path": format!("/{name}")}})
        );
        assert_eq!(webhook["failurePolicy"], "Ignore");
        assert_eq!(webhook["rules"][0]["resources"], json!(["pytorchjobs"]));
        assert_eq!(
            webhook["rules"][1]["resources"],
            json!(["pytorchjobs/scale"])
        );
        assert_eq!(webhook["rules"][1]["operations"], json!(["UPDATE"]));
        assert!(webhook.get("objectSelector").is_none());
        assert!(!configuration.to_string().contains("\"*\""));
    }
    assert_eq!(
        configurations[0]["webhooks"][0]["reinvocationPolicy"],
        "IfNeeded"
    );
}

#[test]
fn webhooks_take_an_address_a_ca_and_a_selector() {
    let root = tempfile::tempdir().expect("a directory");
    let ca = root.path().join("ca.pem");
    let pem = rcgen::generate_simple_self_signed(["localhost".to_owned()])
        .expect("a certificate")
        .cert
        .pem();
    fs::write(&ca, &pem).expect("written");
    let ca = ca.to_str().expect("UTF-8");
    let configurations = webhooks(&[
        "--url",
        "https://localhost:8443/",
        "--ca-bundle",
        ca,
        "--failure-policy",
        "fail",
        "--namespace-selector",
        "tier=research",
        "--timeout-seconds",
        "5",
    ]);
    for configuration in &configurations {
        assert!(configuration["metadata"].get("annotations").is_none());
        let webhook = &configuration["webhooks"][0];
        assert!(
            webhook["clientConfig"]["url"]
                .as_str()
                .expect("a URL")
                .starts_with("https://localhost:8443/")
        );
        assert!(
            webhook["clientConfig"]["caBundle"]
                .as_str()
                .expect("base64")
                .starts_with("LS0t")
        );
        assert_eq!(webhook["failurePolicy"], "Fail");
        assert_eq!(webhook["timeoutSeconds"], 5);
        assert_eq!(
            webhook["namespaceSelector"],
            json!({"matchLabels": {"tier": "research"}})
        );
    }
}

#[test]
fn an_installation_elsewhere_leaves_out_its_own_account() {
    let configurations = webhooks(&["--service", "ml/shift:8443"]);
    let condition = &configurations[0]["webhooks"][0]["matchConditions"][0]["expression"];
    assert_eq!(
        condition,
        "request.userInfo.username != \"system:serviceaccount:ml:trainshift-controller\""
    );
}

#[test]
fn bad_webhook_arguments_are_bad_usage() {
    let root = tempfile::tempdir().expect("a directory");
    fs::write(
        root.path().join("key.pem"),
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    )
    .expect("written");
    fs::write(root.path().join("text.pem"), "hello").expect("written");
    for args in [
        ["--service", "trainshift"],
        ["--service", "a/b:0"],
        ["--service", "a/b/c"],
        ["--url", "http://localhost"],
        ["--url", "https://"],
        ["--name", "kueue-after"],
        ["--name", "a"],
        ["--namespace-selector", "tier"],
        ["--timeout-seconds", "31"],
        ["--ca-bundle", "key.pem"],
        ["--ca-bundle", "text.pem"],
        ["--ca-bundle", "missing.pem"],
    ] {
        let ended = run_in(root.path(), &["generate", "webhook", args[0], args[1]], "");
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{args:?}");
    }
}

#[test]
fn prints_the_runtime_that_jobs_refer_to() {
    let runtimes = objects(&run(&["generate", "runtimes"], "").out);
    assert_eq!(runtimes[0]["kind"], "ClusterTrainingRuntime");
    assert_eq!(runtimes[0]["metadata"]["name"], "trainshift-pytorch");
}

#[test]
fn reviews_the_first_job_the_same_way_each_time() {
    let input = [CONFIG_MAP, "---\n", JOB].concat();
    let args = [
        "generate",
        "review",
        "-",
        "--as",
        "alice",
        "--group",
        "team",
        "--dry-run",
        "--namespace",
        "research",
    ];
    let first = run(&args, &input);
    assert_eq!(first.code, 0, "{}", first.err);
    assert_eq!(first.out, run(&args, &input).out);
    let review: Value = serde_json::from_str(&first.out).expect("JSON");
    let request = &review["request"];
    assert_eq!(
        request["userInfo"],
        json!({"username": "alice", "groups": ["team"]})
    );
    assert_eq!(
        (&request["operation"], &request["dryRun"]),
        (&json!("CREATE"), &json!(true))
    );
    assert_eq!(
        (&request["name"], &request["namespace"]),
        (&json!("mnist"), &json!("research"))
    );
    assert_eq!(request["object"]["metadata"]["namespace"], "research");
    assert!(request.get("oldObject").is_none());
    assert_eq!(request["uid"].as_str().map(str::len), Some(36));
}

#[test]
fn reviews_an_update_from_what_was() {
    let root = tempfile::tempdir().expect("a directory");
    fs::write(
        root.path().join("old.yaml"),
        JOB.replace("replicas: 2", "replicas: 1"),
    )
    .expect("written");
    let replicas =
        |object: &Value| object["spec"]["pytorchReplicaSpecs"]["Worker"]["replicas"].clone();
    let review = |args: &[&str]| -> Value {
        let args: Vec<_> = ["generate", "review", "-", "--operation", "update"]
            .iter()
            .chain(args)
            .copied()
            .collect();
        serde_json::from_str(&run_in(root.path(), &args, JOB).out).expect("JSON")
    };
    let changed = review(&["--old", "old.yaml"]);
    assert_eq!(replicas(&changed["request"]["oldObject"]), 1);
    let same = review(&[]);
    assert_eq!(same["request"]["oldObject"], same["request"]["object"]);
}

#[test]
fn a_review_needs_a_job() {
    let ended = run(&["generate", "review", "-"], CONFIG_MAP);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("no PyTorchJob in it"), "{}", ended.err);
    assert_eq!(run(&["generate", "review", "-", "--old", "x"], JOB).code, 2);
}

#[test]
fn completes_in_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = run(&["generate", "completions", shell], "");
        assert_eq!(ended.code, 0);
        assert!(ended.out.contains("trainshift"), "{shell}");
    }
}

/// A policy that denies from a date on, with an exemption.
const POLICY: &str = "\
apiVersion: trainshift.dev/v1alpha1
kind: MigrationPolicy
metadata: {name: research}
spec:
  match: {namespaces: [research]}
  schedule: [{mode: Warn}, {mode: Deny, from: \"2027-02-01T00:00:00Z\"}]
  message: \"Help: https://wiki.example/trainjob\"
";

fn vap(args: &[&str], stdin: &str) -> super::Ended {
    let fixed = ["generate", "vap", "--policy=-"];
    run(&[&fixed[..], args].concat(), stdin)
}

#[test]
fn the_floor_is_one_policy_and_its_binding_and_the_same_every_time() {
    let at = ["--at", "2027-01-01T00:00:00Z"];
    let ended = vap(&at, POLICY);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(vap(&at, POLICY).out, ended.out);
    let made = objects(&ended.out);
    assert_eq!(made[0]["kind"], "ValidatingAdmissionPolicy");
    assert_eq!(made[1]["kind"], "ValidatingAdmissionPolicyBinding");
    assert_eq!(made[1]["spec"]["validationActions"], json!(["Deny"]));
    assert_eq!(made[1]["spec"]["policyName"], made[0]["metadata"]["name"]);
    for object in &made {
        assert_eq!(
            object["metadata"]["labels"]["app.kubernetes.io/name"],
            "trainshift"
        );
    }
    let text = made[0]["spec"]["variables"].to_string();
    assert!(
        text.contains(" since 2027-02-01 (policy research)"),
        "{text}"
    );
    assert!(
        text.contains("Help: https://wiki.example/trainjob"),
        "{text}"
    );
}

#[test]
fn what_the_floor_can_not_say_is_told_and_strict_fails_on_it() {
    let before = ["--at", "2027-01-01T00:00:00Z"];
    let ended = vap(&before, POLICY);
    assert!(
        ended.err.contains("the floor can't say: from 2027-02-01"),
        "{}",
        ended.err
    );
    assert!(
        ended.out.contains("\n# Can't say: from 2027-02-01"),
        "{}",
        ended.out
    );
    let strict = vap(&[&before[..], &["--strict"]].concat(), POLICY);
    assert_eq!((strict.code, strict.out), (1, ended.out));
    let after = vap(&["--at", "2027-03-01T00:00:00Z", "--strict"], POLICY);
    assert_eq!((after.code, after.err.as_str()), (0, ""));
}

#[test]
fn more_than_an_api_server_takes_is_an_error_that_says_what_to_do() {
    let values: Vec<_> = (0..256)
        .map(|number| format!("a-rather-long-name-of-a-team-or-of-what-it-does-{number}"))
        .collect();
    let requirement =
        |number: usize| format!("{{key: team-{number}, operator: In, values: {values:?}}}");
    let requirements: Vec<_> = (0..8).map(requirement).collect();
    let selector = format!(
        "[research], namespaceSelector: {{matchExpressions: [{}]}}",
        requirements.join(", ")
    );
    let many = POLICY.replace("[research]", &selector);
    let ended = vap(&[], &many);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(
        ended.err.contains("the API server takes 100000"),
        "{}",
        ended.err
    );
    assert!(
        ended.err.contains("selectors instead of lists of names"),
        "{}",
        ended.err
    );
}

#[test]
fn files_without_policies_are_bad_usage() {
    for stdin in ["", JOB] {
        let ended = vap(&[], stdin);
        assert_eq!(ended.code, 2);
        assert!(
            ended.err.contains("there is no MigrationPolicy"),
            "{}",
            ended.err
        );
    }
}
