//! Reviews, and a router to send them to.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header::CONTENT_TYPE};
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use trainshift::admission::{App, Cluster, Offline, router};
use trainshift::api::policy::MigrationPolicy;
use trainshift::policy::{Mode, Policies, Snapshot};

/// A job that the shipped runtime can carry: two nodes, `python train.py`.
pub fn mnist() -> Value {
    let template = json!({"spec": {"containers": [
        {"name": "pytorch", "image": "example.com/mnist:1.0", "command": ["python", "train.py"]},
    ]}});
    json!({
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "metadata": {"name": "mnist", "namespace": "research"},
        "spec": {"pytorchReplicaSpecs": {
            "Master": {"replicas": 1, "restartPolicy": "OnFailure", "template": template},
            "Worker": {"replicas": 3, "restartPolicy": "OnFailure", "template": template},
        }},
    })
}

/// The job with a JSON merge patch applied.
pub fn mnist_with(patch: &Value) -> Value {
    let mut job = mnist();
    json_patch::merge(&mut job, patch);
    job
}

/// The review of a job's creation by an ordinary user.
pub fn create(object: &Value) -> Value {
    review("CREATE", object, &Value::Null)
}

/// The review of a job's update by an ordinary user.
pub fn update(old: &Value, new: &Value) -> Value {
    review("UPDATE", new, old)
}

fn review(operation: &str, object: &Value, old: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "0df28fbd-5f5f-11e8-bc74-36e6bb280816",
            "kind": {"group": "kubeflow.org", "version": "v1", "kind": "PyTorchJob"},
            "resource": {"group": "kubeflow.org", "version": "v1", "resource": "pytorchjobs"},
            "name": object["metadata"]["name"].as_str().unwrap_or_default(),
            "namespace": "research",
            "operation": operation,
            "userInfo": {"username": "jane", "groups": ["system:authenticated"]},
            "object": object,
            "oldObject": old,
            "dryRun": false,
            "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
        },
    })
}

/// A review with a JSON merge patch applied to its request.
pub fn requesting(mut review: Value, patch: &Value) -> Value {
    json_patch::merge(&mut review["request"], patch);
    review
}

/// A webhook in one mode, with no cluster to ask.
pub fn app(mode: Mode) -> App {
    app_in(mode, Offline::default())
}

/// A webhook in one mode, in the world that `cluster` tells of.
pub fn app_in(mode: Mode, cluster: impl Cluster + 'static) -> App {
    App {
        policies: Arc::new(ArcSwapOption::from_pointee(Snapshot::new(mode))),
        clock: Arc::new(Timestamp::now),
        cluster: Arc::new(cluster),
        queue_controllers: vec![
            "system:serviceaccount:kueue-system:kueue-controller-manager".to_owned(),
        ],
        observer: Arc::new(()),
    }
}

/// `app` under one `MigrationPolicy`, `research`, of which this is the spec, at `now`.
pub fn under(app: App, spec: &Value, now: &str) -> App {
    under_all(app, &[("research", spec.clone())], now)
}

/// `app` under policies by name and spec, at `now`.
pub fn under_all(mut app: App, policies: &[(&str, Value)], now: &str) -> App {
    let policy = |(name, spec): &(&str, Value)| {
        MigrationPolicy::new(name, serde_json::from_value(spec.clone()).unwrap())
    };
    let policies: Vec<_> = policies.iter().map(policy).collect();
    let (policies, problems) = Policies::new(&policies);
    assert_eq!(problems, []);
    let snapshot = Snapshot::new(Mode::Audit).with_policies(policies);
    app.policies = Arc::new(ArcSwapOption::from_pointee(snapshot));
    let now: Timestamp = now.parse().unwrap();
    app.clock = Arc::new(move || now);
    app
}

/// Sends bytes, as the API server would, and returns status and body.
pub async fn send(app: App, path: &str, body: Vec<u8>) -> (StatusCode, Vec<u8>) {
    let request = Request::post(path)
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .unwrap();
    let response = router(Arc::new(app)).oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, body.to_vec())
}

/// Sends a review and returns the response inside the answered review.
pub async fn answer(app: App, path: &str, review: &Value) -> Value {
    let (status, body) = send(app, path, review.to_string().into_bytes()).await;
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
    let mut answer: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(answer["kind"], "AdmissionReview");
    assert_eq!(
        answer["response"]["uid"], review["request"]["uid"],
        "the uid is echoed"
    );
    answer["response"].take()
}

/// The message of a denial.
pub fn message(response: &Value) -> &str {
    assert_eq!(response["allowed"], false, "{response:#}");
    response["status"]["message"].as_str().unwrap()
}

/// The documents that a denial's message holds below its first line.
pub fn documents(message: &str) -> Vec<Value> {
    let (_, yaml) = message.split_once('\n').expect("a first line and YAML");
    serde_saphyr::from_multiple::<Value>(yaml)
        .unwrap()
        .into_iter()
        .filter(|document| !document.is_null())
        .collect()
}
