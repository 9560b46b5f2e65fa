use serde_json::{Value, json};

use super::*;

/// An event as the API server records it, with `changes` by JSON pointer.
fn event(changes: &[(&str, Value)]) -> Event {
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "a", "stage": "ResponseComplete",
        "requestURI": "/apis/kubeflow.org/v1/namespaces/n/pytorchjobs?fieldManager=kubectl-create", "verb": "create",
        "user": {"username": "admin", "groups": ["system:masters"]},
        "impersonatedUser": null,
        "userAgent": "kubectl/v1.36.3 (linux/amd64) kubernetes/$Format",
        "objectRef": {
            "resource": "pytorchjobs", "namespace": "n", "name": "mnist", "apiGroup": "kubeflow.org", "apiVersion": "v1", "subresource": "",
        },
        "responseStatus": {"metadata": {}, "code": 201, "message": ""},
        "requestReceivedTimestamp": "2026-11-23T18:46:21.796310Z",
        "annotations": {
            "authorization.k8s.io/decision": "allow",
            "validate.trainshift.dev/decision": "warn",
            "validate.trainshift.dev/mode": "Warn",
            "validate.trainshift.dev/verdict": "adapted",
            "validate.trainshift.dev/codes": "TS003,TS014",
        },
    });
    for (at, value) in changes {
        *event.pointer_mut(at).expect("a field") = value.clone();
    }
    serde_json::from_value(event).expect("an event")
}

fn seen(changes: &[(&str, Value)]) -> Seen {
    of(&event(changes), false, &mut Memory::default()).expect("an event")
}

fn request(changes: &[(&str, Value)]) -> Entry {
    match seen(changes) {
        Seen::Request(entry) => *entry,
        other => panic!("{other:?}"),
    }
}

fn counts(changes: &[(&str, Value)]) -> Vec<Count> {
    request(changes).counts
}

#[test]
fn a_create_is_its_verdict_and_its_job() {
    let entry = request(&[]);
    assert_eq!(
        entry.counts,
        [
            Count::Requests,
            Count::Creates,
            Count::Adapted,
            Count::Warned
        ]
    );
    assert_eq!(entry.job.as_deref(), Some("mnist"));
    assert_eq!(entry.codes, ["TS003", "TS014"]);
    assert_eq!(
        [Field::Namespace, Field::User, Field::Via, Field::Client].map(|field| entry.get(field)),
        ["n", "admin", "", "kubectl"]
    );
}

#[test]
fn whoever_is_impersonated_counts_and_the_real_user_stands_behind() {
    let entry = request(&[("/impersonatedUser", json!({"username": "alice"}))]);
    assert_eq!(
        (entry.get(Field::User), entry.get(Field::Via)),
        ("alice", "admin")
    );
}

#[test]
fn a_name_that_the_api_server_makes_up_is_a_new_job_each_time() {
    let entry = request(&[("/objectRef/name", json!(""))]);
    assert!(entry.job.is_none() && entry.counts.contains(&Count::Jobs));
}

#[test]
fn server_side_apply_of_a_new_job_creates_one() {
    let entry = request(&[("/verb", json!("patch"))]);
    assert!(entry.counts.contains(&Count::Creates) && entry.job.is_some());
    let entry = request(&[
        ("/verb", json!("patch")),
        ("/responseStatus/code", json!(200)),
    ]);
    assert!(entry.counts.contains(&Count::Changes) && entry.job.is_none());
}

#[test]
fn what_comes_to_nothing_creates_no_job() {
    let exists = "pytorchjobs.kubeflow.org \"mnist\" already exists";
    let entry = request(&[
        ("/responseStatus/code", json!(409)),
        ("/responseStatus/message", json!(exists)),
    ]);
    assert!(entry.job.is_none() && entry.counts.contains(&Count::Failed));
    assert!(!entry.counts.contains(&Count::Unjudged) && !entry.counts.contains(&Count::Refused));
}

#[test]
fn a_refusal_of_ours_is_told_from_that_of_others() {
    let refused = |message: &str, notes: Value| {
        let counts = counts(&[
            ("/responseStatus/code", json!(403)),
            ("/responseStatus/message", json!(message)),
            ("/annotations", notes),
        ]);
        let has = |count| counts.contains(&count);
        assert_ne!(has(Count::Refused), has(Count::Failed), "{counts:?}");
        assert!(!has(Count::Warned) && !has(Count::Unjudged), "{counts:?}");
        has(Count::Refused)
    };
    let denied = |webhook| format!("admission webhook \"{webhook}\" denied the request: no.");
    let noted =
        json!({"mutate.trainshift.dev/mode": "Deny", "mutate.trainshift.dev/verdict": "exact"});
    assert!(refused(&denied("mutate.trainshift.dev"), noted));
    assert!(refused(
        &denied("validate.trainshift.dev"),
        json!({"validate.trainshift.dev/mode": "Deny"})
    ));
    assert!(refused(
        "x is forbidden: ValidatingAdmissionPolicy 'trainshift-floor' with binding 'b' denied request: no",
        json!({})
    ));
    assert!(!refused(
        &denied("validator.pytorchjob.training-operator.kubeflow.org"),
        json!({})
    ));
    assert!(!refused(
        "pytorchjobs.kubeflow.org is forbidden: User \"a\" cannot create",
        json!({})
    ));
}

#[test]
fn what_goes_on_without_a_judgement_is_told_and_why() {
    let unjudged = |notes: Value| {
        let counts = counts(&[("/annotations", notes)]);
        assert!(counts.contains(&Count::Unknown) == counts.contains(&Count::Unjudged));
        [Count::Unjudged, Count::FailedOpen].map(|count| counts.contains(&count))
    };
    let validating = "failed-open.validating.webhook.admission.k8s.io/round_0_index_1";
    assert_eq!(unjudged(json!({})), [true, false]);
    assert_eq!(
        unjudged(json!({validating: "validate.trainshift.dev"})),
        [true, true]
    );
    assert_eq!(
        unjudged(json!({validating: "other.example"})),
        [true, false]
    );
    // What /mutate says of a change that it leaves to /validate is no judgement.
    let left = json!({validating: "validate.trainshift.dev", "mutate.trainshift.dev/mode": "Warn"});
    assert_eq!(unjudged(left), [true, true]);
    let judged =
        json!({validating: "mutate.trainshift.dev", "validate.trainshift.dev/mode": "Warn"});
    assert_eq!(unjudged(judged), [false, false]);
}

#[test]
fn a_webhook_that_must_answer_and_does_not_is_told() {
    let message = "Internal error occurred: failed calling webhook \"mutate.trainshift.dev\": connection refused";
    let counts = counts(&[
        ("/responseStatus/code", json!(500)),
        ("/responseStatus/message", json!(message)),
        ("/annotations", json!({})),
    ]);
    assert_eq!(
        counts,
        [
            Count::Requests,
            Count::Creates,
            Count::Failed,
            Count::FailedClosed,
            Count::Unknown
        ]
    );
}

#[test]
fn an_exemption_and_a_bypass_are_no_warning() {
    let with = |key: &str| {
        let notes = json!({
            "validate.trainshift.dev/decision": "warn",
            "validate.trainshift.dev/mode": "Warn",
            "validate.trainshift.dev/verdict": "exact",
            format!("validate.trainshift.dev/{key}"): "why",
        });
        *counts(&[("/annotations", notes)]).last().expect("a count")
    };
    assert_eq!(with("exemption"), Count::Exempted);
    assert_eq!(with("bypass"), Count::Bypassed);
    assert_eq!(with("policy"), Count::Warned);
}

#[test]
fn a_deletion_has_no_verdict() {
    let counts = counts(&[
        ("/verb", json!("delete")),
        ("/responseStatus/code", json!(200)),
        ("/annotations", json!({})),
    ]);
    assert_eq!(counts, [Count::Requests, Count::Deletes]);
}

#[test]
fn what_is_no_use_of_v1_is_left_out() {
    assert_eq!(
        seen(&[("/objectRef/subresource", json!("status"))]),
        Seen::Status
    );
    let dry = "/apis/kubeflow.org/v1/namespaces/n/pytorchjobs?fieldManager=a&dryRun=All";
    assert_eq!(seen(&[("/requestURI", json!(dry))]), Seen::DryRun);
    for (at, value) in [
        ("/verb", "get"),
        ("/verb", "watch"),
        ("/stage", "RequestReceived"),
        ("/stage", "Panic"),
        ("/objectRef/resource", "mpijobs"),
        ("/objectRef/apiGroup", "example.com"),
    ] {
        assert_eq!(seen(&[(at, json!(value))]), Seen::Nothing, "{at} {value}");
    }
    let scale = counts(&[
        ("/objectRef/subresource", json!("scale")),
        ("/verb", json!("patch")),
        ("/responseStatus/code", json!(200)),
    ]);
    assert!(scale.contains(&Count::Changes));
}

#[test]
fn the_same_event_counts_once_but_an_id_that_the_client_chose_hides_nothing() {
    let mut known = Memory::default();
    let mut of = |changes: &[(&str, Value)]| {
        let seen = of(&event(changes), false, &mut known).expect("an event");
        seen == Seen::Again
    };
    assert!(!of(&[]));
    assert!(of(&[]));
    assert!(!of(&[(
        "/requestReceivedTimestamp",
        json!("2026-11-23T18:46:22Z")
    )]));
    assert!(!of(&[("/user/username", json!("alice"))]));
}

#[test]
fn other_objects_are_no_events() {
    let wrong = of(
        &event(&[("/apiVersion", json!("v1"))]),
        false,
        &mut Memory::default(),
    );
    let expected = "expected an Event of audit.k8s.io/v1, found kind \"Event\" of \"v1\"";
    assert_eq!(wrong, Err(expected.to_owned()));
    let unnamed = event(&[("/kind", json!("")), ("/apiVersion", json!(""))]);
    assert!(of(&unnamed, true, &mut Memory::default()).is_ok());
    assert!(of(&unnamed, false, &mut Memory::default()).is_err());
}

#[test]
fn a_client_is_known_by_its_name_without_version_and_platform() {
    for (user_agent, name) in [
        (
            "kubectl/v1.36.3 (linux/amd64) kubernetes/$Format",
            "kubectl",
        ),
        (
            "OpenAPI-Generator/31.0.0/python",
            "OpenAPI-Generator/python",
        ),
        (
            "katib-controller/v0.0.0 (linux/amd64) kubernetes/$Format",
            "katib-controller",
        ),
        ("Go-http-client/2.0", "Go-http-client"),
        ("flytepropeller", "flytepropeller"),
        ("", "(none)"),
    ] {
        assert_eq!(client(user_agent), name);
    }
}
