//! Audit and Warn: the job goes on, and who submitted it is told, once.

use serde_json::json;
use trainshift::admission::App;
use trainshift::policy::Mode;

use crate::harness::{answer, app, create, mnist, mnist_with, under, update};

#[tokio::test]
async fn audit_admits_in_silence_and_leaves_a_record() {
    let response = answer(app(Mode::Audit), "/validate", &create(&mnist())).await;
    assert_eq!(response["allowed"], true);
    assert_eq!(response.get("warnings"), None);
    let annotations = &response["auditAnnotations"];
    assert_eq!(annotations["mode"], "Audit");
    assert_eq!(annotations["policy"], "built-in");
    assert_eq!(annotations["verdict"], "adapted");
    assert!(
        annotations["codes"].as_str().unwrap().contains("TS003"),
        "{annotations}"
    );
}

#[tokio::test]
async fn warn_says_what_happens_first_and_then_one_line_for_each_finding() {
    let response = answer(app(Mode::Warn), "/validate", &create(&mnist())).await;
    assert_eq!(response["allowed"], true);
    let warnings: Vec<_> = response["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    assert!(
        warnings[0].starts_with("trainshift: PyTorchJob is being retired"),
        "{warnings:#?}"
    );
    assert!(warnings[0].contains("trainshift convert"), "{warnings:#?}");
    assert!(
        warnings
            .iter()
            .any(|line| line.contains("TS003 MASTER_ADDR: mnist-master-0 -> mnist-node-0-0.mnist"))
    );
    assert!(warnings.len() <= 8);
    for line in warnings {
        assert!(
            line.chars().count() <= 256 && !line.contains(char::is_control),
            "{line:?}"
        );
    }
}

#[tokio::test]
async fn warn_names_the_date_from_which_the_job_is_refused() {
    let policy = json!({
        "schedule": [{"mode": "Warn"}, {"mode": "Deny", "from": "2027-02-01T00:00:00Z"}],
        "message": "Help: https://wiki.example/trainjob",
    });
    let app = under(app(Mode::Audit), &policy, "2027-01-01T00:00:00Z");
    let response = answer(app, "/validate", &create(&mnist())).await;
    let warnings = response["warnings"].to_string();
    assert!(
        warnings.contains("in namespace research mode Deny begins on 2027-02-01"),
        "{warnings}"
    );
    assert!(
        warnings.contains("https://wiki.example/trainjob"),
        "{warnings}"
    );
}

#[tokio::test]
async fn mutate_leaves_the_warnings_to_validate() {
    for mode in [Mode::Audit, Mode::Warn] {
        let response = answer(app(mode), "/mutate", &create(&mnist())).await;
        assert_eq!(response["allowed"], true);
        assert_eq!(response.get("warnings"), None);
        assert_eq!(response.get("auditAnnotations"), None);
        assert_eq!(response.get("patch"), None);
    }
}

#[tokio::test]
async fn a_job_with_more_findings_than_lines_says_how_many_are_left_out() {
    let metadata =
        json!({"finalizers": ["a/b"], "ownerReferences": [{"name": "x"}], "labels": {"a": "b"}});
    let job = mnist_with(&json!({"metadata": metadata, "spec": {
        "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
        "runPolicy": {"ttlSecondsAfterFinished": 60},
    }}));
    let response = answer(app(Mode::Warn), "/validate", &create(&job)).await;
    let warnings = response["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 8);
    assert!(
        warnings[7].as_str().unwrap().contains("more findings"),
        "{warnings:#?}"
    );
}

#[tokio::test]
async fn a_job_that_v1_would_refuse_is_left_to_v1_with_the_reason() {
    let job = mnist_with(&json!({"spec": {"pytorchReplicaSpecs": {"Master": {"replicas": 2}}}}));
    let response = answer(app(Mode::Warn), "/validate", &create(&job)).await;
    assert_eq!(response["allowed"], true);
    let warnings = response["warnings"].to_string();
    assert!(
        warnings.contains("can't become a TrainJob yet"),
        "{warnings}"
    );
    assert!(
        warnings.contains("spec.pytorchReplicaSpecs.Master.replicas"),
        "{warnings}"
    );
    assert_eq!(response["auditAnnotations"]["verdict"], "refused");
}

#[tokio::test]
async fn a_finding_with_control_characters_is_one_line() {
    let job = mnist_with(&json!({"metadata": {"finalizers": ["a/b"], "od\nd": 1}}));
    let response = answer(app(Mode::Warn), "/validate", &create(&job)).await;
    for line in response["warnings"].as_array().unwrap() {
        assert!(!line.as_str().unwrap().contains(char::is_control), "{line}");
    }
}

#[tokio::test]
async fn scaling_up_is_warned_about() {
    let scale = |replicas: i64| json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": replicas}});
    let review = crate::harness::requesting(
        update(&scale(1), &scale(4)),
        &json!({"subResource": "scale", "name": "mnist"}),
    );
    let response = answer(app(Mode::Warn), "/validate", &review).await;
    assert_eq!(response["allowed"], true);
    assert!(
        response["warnings"][0]
            .as_str()
            .unwrap()
            .contains("can't be scaled"),
        "{response:#}"
    );
}

#[tokio::test]
async fn every_answer_is_observed_once() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use trainshift::admission::{Observer, Summary};

    struct Counter(Arc<AtomicUsize>);
    impl Observer for Counter {
        fn answered(&self, summary: &Summary<'_>) {
            let request = summary.request.unwrap();
            assert_eq!(
                (request.operation.as_str(), request.namespace.as_str()),
                ("CREATE", "research")
            );
            assert_eq!(summary.ruling.unwrap().rule.mode, Mode::Warn);
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let seen = Arc::new(AtomicUsize::new(0));
    let app = App {
        observer: Arc::new(Counter(Arc::clone(&seen))),
        ..app(Mode::Warn)
    };
    answer(app, "/validate", &create(&mnist())).await;
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}
