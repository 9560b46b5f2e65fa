//! Deny: one read says what happened and what to do, and the YAML is what the requester can submit.

use std::sync::Arc;

use serde_json::{Value, json};
use trainshift::admission::{Asked, Cluster, Offline};
use trainshift::api::review::UserInfo;
use trainshift::convert::target::Target;
use trainshift::policy::{Mode, Namespace};

use crate::harness::{
    answer, app, app_in, create, documents, message, mnist, mnist_with, requesting, under,
};

/// A cluster in which nobody, or everybody, may create runtimes.
struct Rights(bool, Arc<Target>);

impl Rights {
    fn new(granted: bool) -> Self {
        Self(granted, Arc::default())
    }
}

impl Cluster for Rights {
    fn target(&self) -> Option<Arc<Target>> {
        Some(Arc::clone(&self.1))
    }

    fn namespace<'a>(&'a self, name: &'a str) -> Asked<'a, Namespace> {
        Box::pin(std::future::ready(Some(Namespace::named(name))))
    }

    fn may_create_runtimes<'a>(
        &'a self,
        user: &'a UserInfo,
        namespace: &'a str,
    ) -> Asked<'a, bool> {
        assert_eq!((user.username.as_str(), namespace), ("jane", "research"));
        Box::pin(std::future::ready(Some(self.0)))
    }

    fn may_bypass<'a>(&'a self, user: &'a UserInfo, policy: &'a str) -> Asked<'a, bool> {
        assert_eq!((user.username.as_str(), policy), ("jane", "research"));
        Box::pin(std::future::ready(Some(self.0)))
    }
}

fn always_pulls() -> Value {
    let mut job = mnist();
    for role in ["Master", "Worker"] {
        job["spec"]["pytorchReplicaSpecs"][role]["template"]["spec"]["containers"][0]["imagePullPolicy"] =
            "Always".into();
    }
    job
}

#[tokio::test]
async fn either_path_refuses_and_hands_back_the_trainjob() {
    for path in ["/mutate", "/validate"] {
        let response = answer(app(Mode::Deny), path, &create(&mnist())).await;
        let message = message(&response);
        let first = message.lines().next().unwrap();
        assert!(
            first.starts_with(
                "PyTorchJob is refused in namespace research (the cluster's default)."
            ),
            "{first}"
        );
        let documents = documents(message);
        assert_eq!(documents.len(), 1, "{message}");
        assert_eq!(documents[0]["kind"], "TrainJob");
        assert_eq!(
            documents[0]["metadata"],
            json!({"name": "mnist", "namespace": "research"})
        );
        assert_eq!(
            documents[0]["spec"]["runtimeRef"],
            json!({"name": "trainshift-pytorch"})
        );
        assert_eq!(documents[0]["spec"]["trainer"]["numNodes"], 4);
        assert_eq!(response["status"]["code"], 403);
        assert_eq!(response["status"]["reason"], "Forbidden");
        assert_eq!(response["auditAnnotations"]["mode"], "Deny");
    }
}

#[tokio::test]
async fn causes_name_field_and_code() {
    let response = answer(app(Mode::Deny), "/validate", &create(&mnist())).await;
    let causes = response["status"]["details"]["causes"].as_array().unwrap();
    let address = causes
        .iter()
        .find(|cause| cause["reason"] == "TS003")
        .unwrap();
    assert_eq!(address["field"], "MASTER_ADDR");
    assert_eq!(response["status"]["details"]["kind"], "PyTorchJob");
    assert_eq!(response["status"]["details"]["group"], "kubeflow.org");
    assert_eq!(response["status"]["details"]["name"], "mnist");
}

#[tokio::test]
async fn the_text_says_by_whose_rule_and_since_when() {
    let policy = json!({
        "schedule": [{"mode": "Warn"}, {"mode": "Deny", "from": "2027-02-01T00:00:00Z"}],
        "message": "Help: https://wiki.example/trainjob",
    });
    let app = under(app(Mode::Audit), &policy, "2027-02-01T00:00:00Z");
    let response = answer(app, "/validate", &create(&mnist())).await;
    let message = message(&response);
    assert!(
        message.starts_with(
            "PyTorchJob is refused in namespace research since 2027-02-01 (policy research)."
        ),
        "{message}"
    );
    assert!(
        message.contains("# Help: https://wiki.example/trainjob\n"),
        "{message}"
    );
    assert_eq!(documents(message).len(), 1);
}

#[tokio::test]
async fn who_may_create_runtimes_gets_one() {
    let response = answer(
        app_in(Mode::Deny, Rights::new(true)),
        "/validate",
        &create(&always_pulls()),
    )
    .await;
    let documents = documents(message(&response));
    assert_eq!(documents[0]["kind"], "TrainingRuntime");
    assert_eq!(documents[1]["kind"], "TrainJob");
    assert_eq!(
        documents[1]["spec"]["runtimeRef"]["name"],
        documents[0]["metadata"]["name"]
    );
}

#[tokio::test]
async fn who_may_not_gets_a_trainjob_on_the_shared_runtime_and_reads_what_it_costs() {
    let response = answer(
        app_in(Mode::Deny, Rights::new(false)),
        "/validate",
        &create(&always_pulls()),
    )
    .await;
    let message = message(&response);
    assert!(
        message.contains("imagePullPolicy: Always -> lost"),
        "{message}"
    );
    assert!(
        message.contains("ask whoever administers the namespace"),
        "{message}"
    );
    let documents = documents(message);
    assert_eq!(documents.len(), 1, "{message}");
    assert_eq!(
        documents[0]["spec"]["runtimeRef"]["name"],
        "trainshift-pytorch"
    );
}

#[tokio::test]
async fn a_job_that_needs_a_runtime_says_whom_to_ask() {
    let mut job = mnist();
    job["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]["containers"][0]["image"] =
        "example.com/worker:1".into();
    let response = answer(
        app_in(Mode::Deny, Rights::new(false)),
        "/validate",
        &create(&job),
    )
    .await;
    let message = message(&response);
    assert!(
        message.contains(
            "ask whoever administers the namespace to apply it, then apply the TrainJob yourself"
        ),
        "{message}"
    );
    let kinds: Vec<_> = documents(message)
        .iter()
        .map(|document| document["kind"].clone())
        .collect();
    assert_eq!(kinds, ["TrainingRuntime", "TrainJob"]);
}

#[tokio::test]
async fn a_job_that_cannot_be_converted_is_told_why_and_gets_no_yaml() {
    let job = mnist_with(&json!({"spec": {"pytorchReplicaSpecs": {"Master": {"replicas": 2}}}}));
    let response = answer(app(Mode::Deny), "/validate", &create(&job)).await;
    let message = message(&response);
    assert!(
        message.contains("It can't become a TrainJob before these are mended"),
        "{message}"
    );
    assert!(
        message.contains("TS040 spec.pytorchReplicaSpecs.Master.replicas: 2"),
        "{message}"
    );
    assert!(documents(message).is_empty());
}

#[tokio::test]
async fn a_machine_gets_a_summary_that_fits_into_a_pipelines_state() {
    let user = json!({"userInfo": {"username": "system:serviceaccount:kubeflow:katib-controller"}});
    let response = answer(
        app(Mode::Deny),
        "/validate",
        &requesting(create(&mnist()), &user),
    )
    .await;
    let message = message(&response);
    assert!(documents(message).is_empty(), "{message}");
    assert!(message.contains("trainshift convert FILE"), "{message}");
    assert!(
        response["status"]["details"]["causes"]
            .as_array()
            .is_some_and(|causes| !causes.is_empty())
    );
}

#[tokio::test]
async fn a_literal_credential_is_never_printed() {
    let mut job = mnist();
    for role in ["Master", "Worker"] {
        job["spec"]["pytorchReplicaSpecs"][role]["template"]["spec"]["containers"][0]["env"] =
            json!([{"name": "HF_TOKEN", "value": "hf_s3cr3t"}]);
    }
    for review in [
        create(&job),
        requesting(
            create(&mnist_with(
                &json!({"metadata": {"annotations": {"trainshift.dev/show": "trainjob"}}, "spec": job["spec"]}),
            )),
            &json!({"dryRun": true}),
        ),
    ] {
        let response = answer(app(Mode::Deny), "/validate", &review).await;
        assert!(!response.to_string().contains("hf_s3cr3t"), "{response:#}");
        assert!(message(&response).contains("TS031"), "{response:#}");
    }
}

#[tokio::test]
async fn a_message_over_32_kib_is_a_summary_and_never_half_a_document() {
    let mut job = mnist();
    for role in ["Master", "Worker"] {
        job["spec"]["pytorchReplicaSpecs"][role]["template"]["spec"]["containers"][0]["args"] =
            json!(["x".repeat(40_000)]);
    }
    let response = answer(app(Mode::Deny), "/validate", &create(&job)).await;
    let message = message(&response);
    assert!(message.len() < 32 * 1024);
    assert!(documents(message).is_empty());
}

#[tokio::test]
async fn a_dry_run_that_asks_is_shown_the_trainjob_in_every_mode() {
    let job =
        mnist_with(&json!({"metadata": {"annotations": {"trainshift.dev/show": "trainjob"}}}));
    for mode in Mode::ALL {
        for path in ["/mutate", "/validate"] {
            let review = requesting(create(&job), &json!({"dryRun": true}));
            let response = answer(app(mode), path, &review).await;
            let documents = documents(message(&response));
            assert_eq!(documents[0]["kind"], "TrainJob");
            assert_eq!(
                documents[0]["metadata"].get("annotations"),
                None,
                "the question is not part of the answer"
            );
        }
    }
    // Without a dry run the annotation says nothing.
    let response = answer(app(Mode::Audit), "/validate", &create(&job)).await;
    assert_eq!(response["allowed"], true);
}

#[tokio::test]
async fn a_dry_run_that_does_not_ask_is_answered_like_any_request() {
    for (mode, allowed) in [(Mode::Audit, true), (Mode::Warn, true), (Mode::Deny, false)] {
        let plain = answer(app(mode), "/validate", &create(&mnist())).await;
        let dry = answer(
            app(mode),
            "/validate",
            &requesting(create(&mnist()), &json!({"dryRun": true})),
        )
        .await;
        assert_eq!(plain, dry);
        assert_eq!(plain["allowed"], allowed);
    }
}

#[tokio::test]
async fn a_generated_name_is_not_known_before_the_job_is_stored() {
    let mut job = mnist();
    job["metadata"] = json!({"generateName": "sweep-", "namespace": "research"});
    let response = answer(app(Mode::Deny), "/mutate", &create(&job)).await;
    let documents = documents(message(&response));
    assert_eq!(
        documents[0]["metadata"],
        json!({"generateName": "sweep-", "namespace": "research"})
    );
    let env = documents[0]["spec"]["trainer"]["env"].as_array().unwrap();
    let address = env
        .iter()
        .find(|variable| variable["name"] == "MASTER_ADDR")
        .unwrap();
    assert_eq!(address["value"], "$(JOBSET_NAME)-node-0-0.$(JOBSET_NAME)");
}

#[tokio::test]
async fn without_the_shipped_runtime_a_runtime_is_generated() {
    let target = Target {
        cluster_runtimes: std::collections::BTreeSet::new(),
        ..Target::default()
    };
    let response = answer(
        app_in(Mode::Deny, Offline::new(target)),
        "/validate",
        &create(&mnist()),
    )
    .await;
    assert_eq!(documents(message(&response))[0]["kind"], "TrainingRuntime");
}

#[tokio::test]
async fn a_machine_that_asks_by_a_dry_run_is_shown_the_trainjob() {
    let job =
        mnist_with(&json!({"metadata": {"annotations": {"trainshift.dev/show": "trainjob"}}}));
    for mode in Mode::ALL {
        let patch =
            json!({"dryRun": true, "userInfo": {"username": "system:serviceaccount:ci:nightly"}});
        let response = answer(app(mode), "/validate", &requesting(create(&job), &patch)).await;
        assert_eq!(
            documents(message(&response))[0]["kind"],
            "TrainJob",
            "{mode}"
        );
    }
}

#[tokio::test]
async fn a_dry_run_never_promises_a_trainjob_that_it_does_not_print() {
    let show = |container: Value| {
        let mut job =
            mnist_with(&json!({"metadata": {"annotations": {"trainshift.dev/show": "trainjob"}}}));
        for role in ["Master", "Worker"] {
            json_patch::merge(
                &mut job["spec"]["pytorchReplicaSpecs"][role]["template"]["spec"]["containers"][0],
                &container,
            );
        }
        requesting(create(&job), &json!({"dryRun": true}))
    };
    for (container, word) in [
        (
            json!({"args": ["x".repeat(40_000)]}),
            "too long for this message",
        ),
        (
            json!({"env": [{"name": "A_TOKEN", "value": "b"}]}),
            "holds a credential",
        ),
        (json!({"name": "main"}), "can't become a TrainJob"),
    ] {
        let response = answer(app(Mode::Warn), "/validate", &show(container)).await;
        let first = message(&response).lines().next().unwrap();
        assert!(
            first.contains(word) && !first.contains("This is its"),
            "{first}"
        );
        assert!(!first.contains("or a dry run"), "{first}");
    }
}

#[tokio::test]
async fn a_thousand_findings_are_a_short_message_with_few_causes() {
    let variables: Vec<_> = (0..1000)
        .map(|number| json!({"name": "SAME", "value": number.to_string().repeat(1000)}))
        .collect();
    let mut job = mnist();
    for role in ["Master", "Worker"] {
        job["spec"]["pytorchReplicaSpecs"][role]["template"]["spec"]["containers"][0]["env"] =
            json!(variables);
    }
    let response = answer(app(Mode::Deny), "/validate", &create(&job)).await;
    let message = message(&response);
    assert!(message.len() < 32 * 1024, "{}", message.len());
    assert!(
        message.contains("more: trainshift convert FILE"),
        "{message}"
    );
    assert!(response.to_string().len() < 100 * 1024);
}
