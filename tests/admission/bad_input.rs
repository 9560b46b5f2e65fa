//! What no API server sends, and what a broken one might: each a clear answer, none a panic.

use axum::http::StatusCode;
use serde_json::{Value, json};
use trainshift::policy::Mode;

use crate::harness::{answer, app, create, message, mnist, requesting, send, update};

/// Bodies that are no review for this webhook, with a word that the answer must hold.
fn no_reviews() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let with = |path: &str, value: Value| {
        let mut review = create(&mnist());
        *review.pointer_mut(path).unwrap() = value;
        review.to_string().into_bytes()
    };
    let valid = create(&mnist()).to_string().into_bytes();
    vec![
        ("empty body", vec![], "empty"),
        ("only white space", text(" \n\t\r\n"), "empty"),
        ("not JSON", text("hello"), "JSON object"),
        (
            "YAML",
            text("apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\n"),
            "JSON object",
        ),
        ("HTML", text("<html></html>"), "JSON object"),
        ("null", text("null"), "JSON object"),
        ("true", text("true"), "JSON object"),
        ("a number", text("42"), "JSON object"),
        ("a string", text("\"AdmissionReview\""), "JSON object"),
        ("an empty list", text("[]"), "AdmissionReview"),
        ("an empty object", text("{}"), "apiVersion"),
        ("half an object", valid[..valid.len() / 2].to_vec(), "EOF"),
        (
            "two objects",
            [valid.clone(), valid.clone()].concat(),
            "trailing",
        ),
        (
            "garbage after the object",
            [valid, text("}")].concat(),
            "trailing",
        ),
        (
            "half a UTF-8 character",
            b"{\"uid\": \"\xC3".to_vec(),
            "EOF",
        ),
        (
            "invalid UTF-8",
            b"{\"kind\": \"\xC3\x28\"}".to_vec(),
            "unicode",
        ),
        ("a byte order mark", text("\u{feff}{}"), "JSON object"),
        ("NUL bytes", vec![0; 64], "JSON object"),
        ("deep nesting", text(&"[".repeat(100_000)), "JSON object"),
        (
            "deep nesting of objects",
            text(&"{\"a\":".repeat(100_000)),
            "EOF",
        ),
        (
            "v1beta1",
            with("/apiVersion", json!("admission.k8s.io/v1beta1")),
            "admissionReviewVersions",
        ),
        (
            "no apiVersion",
            with("/apiVersion", json!("")),
            "admission.k8s.io/v1",
        ),
        (
            "apiVersion of another type",
            with("/apiVersion", json!(1)),
            "apiVersion",
        ),
        (
            "another kind",
            with("/kind", json!("ConversionReview")),
            "ConversionReview",
        ),
        ("no request", with("/request", json!(null)), "request"),
        (
            "a request of another type",
            with("/request", json!("x")),
            "request",
        ),
        ("an empty uid", with("/request/uid", json!("")), "uid"),
        (
            "a uid of another type",
            with("/request/uid", json!(7)),
            "request.uid",
        ),
        (
            "no uid",
            with("/request", json!({"operation": "CREATE"})),
            "uid",
        ),
        (
            "another resource",
            with("/request/resource/resource", json!("pods")),
            "pods",
        ),
        (
            "another group",
            with("/request/resource/group", json!("batch")),
            "batch",
        ),
        (
            "no resource",
            with("/request/resource", json!({})),
            "pytorchjobs",
        ),
        (
            "a resource of another type",
            with("/request/resource", json!("pytorchjobs")),
            "resource",
        ),
        (
            "an operation of another type",
            with("/request/operation", json!(["CREATE"])),
            "operation",
        ),
        (
            "userInfo of another type",
            with("/request/userInfo", json!("jane")),
            "userInfo",
        ),
        (
            "groups of another type",
            with("/request/userInfo/groups", json!("a")),
            "groups",
        ),
        (
            "dryRun of another type",
            with("/request/dryRun", json!("false")),
            "dryRun",
        ),
    ]
}

#[tokio::test]
async fn a_body_that_is_no_review_is_answered_with_400_and_the_reason() {
    for (case, body, word) in no_reviews() {
        for path in ["/mutate", "/validate"] {
            for mode in Mode::ALL {
                let (status, answer) = send(app(mode), path, body.clone()).await;
                let answer = String::from_utf8(answer).unwrap();
                assert_eq!(status, StatusCode::BAD_REQUEST, "{case}: {answer}");
                assert!(answer.contains(word), "{case}: {answer}");
                assert!(
                    answer.ends_with('\n') && answer.len() < 1024,
                    "{case}: {answer}"
                );
            }
        }
    }
}

/// Objects that can't be PyTorchJobs, with a word that the denial must hold.
fn no_jobs() -> Vec<(&'static str, Value, &'static str)> {
    let with = |path: &str, value: Value| {
        let mut job = mnist();
        *job.pointer_mut(path).unwrap() = value;
        job
    };
    let worker = "/spec/pytorchReplicaSpecs/Worker";
    let container = format!("{worker}/template/spec/containers/0");
    let in_container = |key: &str, value: Value| {
        let mut job = mnist();
        job.pointer_mut(&container).unwrap()[key] = value;
        job
    };
    vec![
        ("null", json!(null), "object"),
        ("a string", json!("PyTorchJob"), "string"),
        ("a list", json!([1, 2]), "found a list"),
        ("a number", json!(3.5), "3.5"),
        ("an empty object", json!({}), "kind"),
        ("another kind", with("/kind", json!("TFJob")), "TFJob"),
        ("a kind of another type", with("/kind", json!({})), "kind"),
        (
            "metadata of another type",
            with("/metadata", json!("mnist")),
            "metadata",
        ),
        (
            "a name of another type",
            with("/metadata/name", json!(5)),
            "metadata.name",
        ),
        (
            "labels of another type",
            with("/metadata", json!({"name": "a", "labels": ["a"]})),
            "metadata.labels",
        ),
        (
            "a label of another type",
            with("/metadata", json!({"labels": {"a": 1}})),
            "metadata.labels",
        ),
        ("spec of another type", with("/spec", json!(1)), "spec"),
        (
            "replica specs in a list",
            with("/spec/pytorchReplicaSpecs", json!([{}, {}])),
            "pytorchReplicaSpecs",
        ),
        (
            "a replica spec of another type",
            with(worker, json!("Worker")),
            "Worker",
        ),
        (
            "replicas as text",
            with(&format!("{worker}/replicas"), json!("3")),
            "Worker.replicas",
        ),
        (
            "replicas as a placeholder",
            with(&format!("{worker}/replicas"), json!("$N")),
            "$N",
        ),
        (
            "a fraction of a replica",
            with(&format!("{worker}/replicas"), json!(1.5)),
            "Worker.replicas",
        ),
        (
            "more replicas than fit",
            with(&format!("{worker}/replicas"), json!(3_000_000_000_u64)),
            "Worker.replicas",
        ),
        (
            "a template of another type",
            with(&format!("{worker}/template"), json!([1])),
            "Worker.template",
        ),
        (
            "containers of another type",
            with(&format!("{worker}/template/spec/containers"), json!({})),
            "containers",
        ),
        (
            "a container of another type",
            with(&container, json!("pytorch")),
            "containers[0]",
        ),
        (
            "a command of another type",
            in_container("command", json!("python train.py")),
            "containers[0].command",
        ),
        (
            "a number as argument",
            in_container("args", json!(["--epochs", 3])),
            "containers[0].args[1]",
        ),
        (
            "env as an object",
            in_container("env", json!({"A": "b"})),
            "containers[0].env",
        ),
        (
            "a number as a variable's value",
            in_container("env", json!([{"name": "A", "value": 1}])),
            "env[0].value",
        ),
        (
            "a variable without a name",
            in_container("env", json!([{"value": "1"}])),
            "env[0]",
        ),
        (
            "a port as text",
            in_container("ports", json!([{"containerPort": "http"}])),
            "ports[0].containerPort",
        ),
        (
            "resources of another type",
            in_container("resources", json!("big")),
            "containers[0].resources",
        ),
        (
            "mounts of another type",
            in_container("volumeMounts", json!("/data")),
            "volumeMounts",
        ),
        (
            "suspend as text",
            with("/spec", json!({"runPolicy": {"suspend": "yes"}})),
            "spec.runPolicy.suspend",
        ),
        (
            "a limit as text",
            with("/spec", json!({"runPolicy": {"backoffLimit": "3"}})),
            "spec.runPolicy.backoffLimit",
        ),
        (
            "nprocPerNode as a number",
            with("/spec", json!({"nprocPerNode": 8})),
            "spec.nprocPerNode",
        ),
        (
            "an elastic policy of another type",
            with("/spec", json!({"elasticPolicy": true})),
            "spec.elasticPolicy",
        ),
    ]
}

#[tokio::test]
async fn an_object_that_is_no_job_is_denied_with_its_uid_and_the_field() {
    for (case, object, word) in no_jobs() {
        for mode in Mode::ALL {
            let response = answer(app(mode), "/validate", &create(&object)).await;
            let message = message(&response);
            assert!(
                message.starts_with("this is no PyTorchJob: ") && message.contains(word),
                "{case}: {message}"
            );
            assert!(!message.contains("line 1 column"), "{case}: {message}");
            assert_eq!(response["status"]["code"], 400, "{case}");
            assert!(
                !response["status"]["details"]["causes"][0]["field"]
                    .as_str()
                    .unwrap()
                    .is_empty(),
                "{case}"
            );
        }
    }
}

/// Objects that are PyTorchJobs but that v1 would refuse, with the field that is to blame.
fn jobs_that_v1_refuses() -> Vec<(&'static str, Value, &'static str)> {
    let with = |patch: Value| {
        let mut job = mnist();
        json_patch::merge(&mut job, &patch);
        job
    };
    let replicas = |patch: Value| with(json!({"spec": {"pytorchReplicaSpecs": patch}}));
    let image = |image: &str| {
        replicas(
            json!({"Worker": {"template": {"spec": {"containers": [{"name": "pytorch", "image": image}]}}}}),
        )
    };
    vec![
        (
            "no spec",
            with(json!({"spec": null})),
            "spec.pytorchReplicaSpecs",
        ),
        (
            "null replica specs",
            replicas(json!(null)),
            "spec.pytorchReplicaSpecs",
        ),
        (
            "no replica specs",
            with(json!({"spec": {"pytorchReplicaSpecs": {"Master": null, "Worker": null}}})),
            "spec.pytorchReplicaSpecs",
        ),
        (
            "two masters",
            replicas(json!({"Master": {"replicas": 2}})),
            "Master.replicas",
        ),
        (
            "no master replica",
            replicas(json!({"Master": {"replicas": 0}})),
            "Master.replicas",
        ),
        (
            "a negative number of workers",
            replicas(json!({"Worker": {"replicas": -1}})),
            "Worker.replicas",
        ),
        (
            "an unknown replica type",
            replicas(json!({"Chief": {"replicas": 1}})),
            "Chief",
        ),
        (
            "one type twice",
            replicas(json!({"master": {"replicas": 1}})),
            "Master",
        ),
        (
            "no containers",
            replicas(json!({"Worker": {"template": {"spec": {"containers": []}}}})),
            "Worker.template.spec.containers",
        ),
        (
            "no template",
            replicas(json!({"Worker": {"template": null}})),
            "Worker.template.spec.containers",
        ),
        (
            "no container named pytorch",
            replicas(
                json!({"Worker": {"template": {"spec": {"containers": [{"name": "main", "image": "a"}]}}}}),
            ),
            "containers",
        ),
        ("no image", image(""), "containers[0].image"),
        (
            "an image to be rendered by envsubst",
            image("${IMAGE}"),
            "TS041",
        ),
        (
            "an image to be rendered by helm",
            image("{{ .Values.image }}"),
            "TS041",
        ),
        (
            "an image to be rendered by a shell",
            image("$REGISTRY/train:1"),
            "TS041",
        ),
        (
            "a name to be rendered",
            with(json!({"metadata": {"name": "$JOB_NAME"}})),
            "TS041",
        ),
        (
            "a name in capitals",
            with(json!({"metadata": {"name": "Mnist"}})),
            "metadata.name",
        ),
        (
            "a name that starts with a digit",
            with(json!({"metadata": {"name": "1mnist"}})),
            "metadata.name",
        ),
        (
            "a name that is too long for its pods",
            with(json!({"metadata": {"name": "m".repeat(60)}})),
            "TS042",
        ),
        (
            "no name",
            with(json!({"metadata": {"name": null}})),
            "metadata.name",
        ),
        (
            "an unknown restart policy",
            replicas(json!({"Worker": {"restartPolicy": "Sometimes"}})),
            "restartPolicy",
        ),
        (
            "an unknown clean-up policy",
            with(json!({"spec": {"runPolicy": {"cleanPodPolicy": "Some"}}})),
            "cleanPodPolicy",
        ),
        (
            "an unknown manager",
            with(json!({"spec": {"runPolicy": {"managedBy": "me"}}})),
            "managedBy",
        ),
        (
            "a deadline that has passed",
            with(json!({"spec": {"runPolicy": {"activeDeadlineSeconds": 0}}})),
            "activeDeadlineSeconds",
        ),
        (
            "a negative limit",
            with(json!({"spec": {"runPolicy": {"backoffLimit": -1}}})),
            "backoffLimit",
        ),
        (
            "no number of processes",
            with(json!({"spec": {"nprocPerNode": "many"}})),
            "nprocPerNode",
        ),
        (
            "processes to be rendered",
            with(json!({"spec": {"nprocPerNode": "$GPUS"}})),
            "TS041",
        ),
        (
            "elastic without workers",
            with(json!({"spec": {"elasticPolicy": {}, "pytorchReplicaSpecs": {"Worker": null}}})),
            "elasticPolicy",
        ),
    ]
}

#[tokio::test]
async fn a_job_that_v1_would_refuse_is_refused_by_field() {
    for (case, job, word) in jobs_that_v1_refuses() {
        let response = answer(app(Mode::Deny), "/validate", &create(&job)).await;
        let message = message(&response);
        assert!(
            message.contains("can't become a TrainJob before") && message.contains(word),
            "{case}: {message}"
        );
        assert_eq!(response["auditAnnotations"]["verdict"], "refused", "{case}");
    }
}

#[tokio::test]
async fn null_lists_and_maps_are_empty_ones() {
    let mut job = mnist();
    job["metadata"]["labels"] = Value::Null;
    job["metadata"]["annotations"] = Value::Null;
    job["spec"]["runPolicy"] = Value::Null;
    job["spec"]["elasticPolicy"] = Value::Null;
    job["status"] = Value::Null;
    for role in ["Master", "Worker"] {
        let template = &mut job["spec"]["pytorchReplicaSpecs"][role]["template"];
        template["metadata"] = json!({"creationTimestamp": null, "labels": null});
        template["spec"]["volumes"] = Value::Null;
        template["spec"]["initContainers"] = Value::Null;
        for key in ["args", "env", "ports", "resources", "volumeMounts"] {
            template["spec"]["containers"][0][key] = Value::Null;
        }
    }
    let plain = answer(app(Mode::Deny), "/validate", &create(&mnist())).await;
    let nulls = answer(app(Mode::Deny), "/validate", &create(&job)).await;
    assert_eq!(message(&plain), message(&nulls));
}

#[tokio::test]
async fn a_deeply_nested_object_is_denied_and_not_followed() {
    let review = create(&mnist()).to_string();
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let body = review.replace("\"replicas\":3", &format!("\"replicas\":3,\"deep\":{deep}"));
    assert_ne!(body, review);
    let (status, answer) = send(app(Mode::Audit), "/validate", body.into_bytes()).await;
    let answer = String::from_utf8(answer).unwrap();
    // Either the envelope or the object is where reading stops; both say why.
    assert!(answer.contains("recursion"), "{status} {answer}");
}

#[tokio::test]
async fn updates_without_objects_are_denied_with_their_uid() {
    for (case, patch) in [
        ("no object", json!({"object": null})),
        (
            "objects that are texts",
            json!({"object": "x", "oldObject": 5}),
        ),
        (
            "objects that are lists",
            json!({"object": [1], "oldObject": [2]}),
        ),
        (
            "a scale without an object",
            json!({"object": null, "subResource": "scale"}),
        ),
        (
            "a scale without an old object",
            json!({"oldObject": null, "subResource": "scale"}),
        ),
        (
            "a scale of another type",
            json!({"object": {"spec": {"replicas": "4"}}, "subResource": "scale"}),
        ),
    ] {
        let review = requesting(update(&mnist(), &mnist()), &patch);
        let response = answer(app(Mode::Warn), "/validate", &review).await;
        let text = message(&response);
        let named = text.contains("bject: ") || text.contains("spec.replicas: ");
        assert!(text.starts_with("this is no ") && named, "{case}: {text}");
    }
}

#[tokio::test]
async fn an_update_of_a_large_job_is_judged() {
    let large = |image: &str| {
        let mut job = mnist();
        let container =
            &mut job["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]["containers"][0];
        container["image"] = image.into();
        container["args"] = json!(["x".repeat(3 * 1024 * 1024)]);
        job
    };
    let review = update(&large("a"), &large("b"));
    let response = answer(app(Mode::Deny), "/validate", &review).await;
    assert_eq!(response["allowed"], false);
    let review = update(&large("a"), &large("a"));
    let response = answer(app(Mode::Deny), "/validate", &review).await;
    assert_eq!(response["allowed"], true);
}

#[tokio::test]
async fn an_unknown_operation_passes() {
    for operation in ["", "PATCH", "create"] {
        let review = requesting(create(&mnist()), &json!({"operation": operation}));
        assert_eq!(
            answer(app(Mode::Deny), "/validate", &review).await["allowed"],
            true,
            "{operation}"
        );
    }
}

#[tokio::test]
async fn as_many_variables_as_an_object_has_room_for_are_judged_in_time() {
    let variables: Vec<_> = (0..40_000)
        .map(|number| json!({"name": format!("V{number}"), "value": "x"}))
        .collect();
    for roles in [&["Worker"][..], &["Master", "Worker"]] {
        let mut job = mnist();
        for role in roles {
            job["spec"]["pytorchReplicaSpecs"][role]["template"]["spec"]["containers"][0]["env"] =
                json!(variables);
        }
        let begun = std::time::Instant::now();
        answer(app(Mode::Deny), "/validate", &create(&job)).await;
        // The API server gives up after 10 s, and then the webhook's failurePolicy decides.
        assert!(
            begun.elapsed().as_secs() < 8,
            "{roles:?}: {:?}",
            begun.elapsed()
        );
    }
}
