//! Updates: what leaves a job as it is never fails, and what makes it another job is judged like a new one.

use serde_json::{Value, json};
use trainshift::policy::Mode;

use crate::harness::{answer, app, documents, message, mnist, mnist_with, requesting, update};

async fn denied(old: &Value, new: &Value) -> Value {
    let mutated = answer(app(Mode::Deny), "/mutate", &update(old, new)).await;
    let validated = answer(app(Mode::Deny), "/validate", &update(old, new)).await;
    assert_eq!(mutated["allowed"], validated["allowed"], "both paths agree");
    validated
}

#[tokio::test]
async fn labels_finalizers_and_status_are_never_blocked() {
    for patch in [
        json!({"metadata": {"labels": {"a": "b"}}}),
        json!({"metadata": {"finalizers": null}}),
        json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
        json!({"status": {"conditions": []}}),
    ] {
        let old = mnist_with(&json!({"metadata": {"finalizers": ["a/b"]}}));
        let mut new = old.clone();
        json_patch::merge(&mut new, &patch);
        let response = denied(&old, &new).await;
        assert_eq!(response["allowed"], true, "{patch}");
        assert_eq!(response.get("warnings"), None);
    }
}

#[tokio::test]
async fn a_job_that_cannot_be_read_can_still_lose_its_finalizer() {
    let old = json!({"kind": "PyTorchJob", "metadata": {"finalizers": ["a/b"]}, "spec": {"pytorchReplicaSpecs": "odd"}});
    let new = json!({"kind": "PyTorchJob", "metadata": {}, "spec": {"pytorchReplicaSpecs": "odd"}});
    assert_eq!(denied(&old, &new).await["allowed"], true);
}

#[tokio::test]
async fn another_image_is_another_job() {
    let mut new = mnist();
    new["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]["containers"][0]["image"] =
        "example.com/other:1".into();
    let response = denied(&mnist(), &new).await;
    let message = message(&response);
    assert!(
        message.contains(
            "this change of a PyTorchJob (spec.pytorchReplicaSpecs.Worker.template) is refused"
        ),
        "{message}"
    );
    assert!(
        documents(message)
            .iter()
            .any(|document| document["kind"] == "TrainJob")
    );
}

#[tokio::test]
async fn a_parked_job_is_judged_when_it_is_started() {
    let parked = mnist_with(&json!({"spec": {"runPolicy": {"suspend": true}}}));
    let started = mnist_with(&json!({"spec": {"runPolicy": {"suspend": false}}}));
    let response = denied(&parked, &started).await;
    assert!(
        message(&response).starts_with("starting this PyTorchJob is refused"),
        "{response:#}"
    );
}

#[tokio::test]
async fn a_queue_may_start_what_it_holds() {
    let parked = mnist_with(&json!({"spec": {"runPolicy": {"suspend": true}}}));
    let kueue = json!({"userInfo": {"username": "system:serviceaccount:kueue-system:kueue-controller-manager"}});
    let response = answer(
        app(Mode::Deny),
        "/validate",
        &requesting(update(&parked, &mnist()), &kueue),
    )
    .await;
    assert_eq!(response["allowed"], true);
}

#[tokio::test]
async fn suspending_and_shrinking_are_never_blocked() {
    let worker = |replicas: i32| json!({"spec": {"pytorchReplicaSpecs": {"Worker": {"replicas": replicas}}}});
    for (old, new) in [
        (
            mnist(),
            mnist_with(&json!({"spec": {"runPolicy": {"suspend": true}}})),
        ),
        (mnist(), mnist_with(&worker(1))),
    ] {
        assert_eq!(denied(&old, &new).await["allowed"], true);
    }
    let response = denied(&mnist(), &mnist_with(&worker(8))).await;
    assert!(
        message(&response).contains("spec.pytorchReplicaSpecs.Worker.replicas"),
        "{response:#}"
    );
}

#[tokio::test]
async fn scaling_up_is_refused_and_scaling_down_is_not() {
    let scale = |replicas: i64| json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": replicas}});
    let by_scale = json!({"subResource": "scale", "name": "mnist"});
    for (old, new, allowed) in [(1, 4, false), (4, 1, true), (4, 4, true)] {
        let review = requesting(update(&scale(old), &scale(new)), &by_scale);
        let response = answer(app(Mode::Deny), "/validate", &review).await;
        assert_eq!(response["allowed"], allowed);
        if !allowed {
            let message = message(&response);
            assert!(message.contains("from 1 to 4 workers"), "{message}");
            assert!(
                message.contains(
                    "kubectl get pytorchjob mnist -n research -o yaml | trainshift convert -"
                ),
                "{message}"
            );
        }
    }
}

#[tokio::test]
async fn deletions_connections_and_other_subresources_pass() {
    for patch in [
        json!({"operation": "DELETE", "object": null}),
        json!({"operation": "CONNECT"}),
        json!({"operation": "UPDATE", "subResource": "status"}),
        json!({"operation": "CREATE", "subResource": "eviction", "object": {"anything": true}}),
    ] {
        let review = requesting(update(&mnist(), &mnist()), &patch);
        let response = answer(app(Mode::Deny), "/validate", &review).await;
        assert_eq!(response["allowed"], true, "{patch}");
    }
}

#[tokio::test]
async fn a_change_of_many_fields_names_the_first_few_on_one_line() {
    let mut new = mnist();
    let roles = new["spec"]["pytorchReplicaSpecs"].as_object_mut().unwrap();
    let worker = roles["Worker"].clone();
    for number in 0..2000 {
        roles.insert(
            format!("odd\n{number:04}{}", "x".repeat(60)),
            worker.clone(),
        );
    }
    let response = denied(&mnist(), &new).await;
    let message = message(&response);
    let first = message.lines().next().unwrap();
    assert!(first.contains(" and 1992 more) is refused in"), "{first}");
    assert!(message.len() <= 32 * 1024, "{}", message.len());
}
