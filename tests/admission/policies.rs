//! What a policy does to a request: every mode, verdict, exemption, date and operation, and that nothing that a submitter
//! writes opens a way.

use axum::http::StatusCode;
use proptest::prelude::*;
use serde_json::{Value, json};
use trainshift::admission::App;
use trainshift::policy::Mode;

use crate::bypass::Rights;
use crate::harness::{
    answer, app, app_in, create, message, mnist, mnist_with, requesting, send, under, under_all,
    update,
};

const BEFORE: &str = "2027-01-15T00:00:00Z";
const FEBRUARY: &str = "2027-02-01T00:00:00Z";
const MARCH: &str = "2027-03-01T00:00:00Z";

/// What the job would become.
const VERDICTS: [&str; 4] = ["exact", "adapted", "lossy", "refused"];

/// A job of that verdict.
fn job(verdict: &str) -> Value {
    let everywhere = |patch: &Value| {
        let mut job = mnist();
        for role in ["Master", "Worker"] {
            json_patch::merge(&mut job["spec"]["pytorchReplicaSpecs"][role], patch);
        }
        job
    };
    match verdict {
        "exact" => {
            let mut job = everywhere(&json!({"restartPolicy": "Never"}));
            json_patch::merge(
                &mut job["spec"]["pytorchReplicaSpecs"],
                &json!({"Master": null}),
            );
            job
        }
        "adapted" => mnist(),
        "lossy" => mnist_with(&json!({"spec": {"runPolicy": {"ttlSecondsAfterFinished": 60}}})),
        _ => everywhere(&json!({"template": {"spec": {"containers": null}}})),
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Excused {
    Nobody,
    UntilMarch,
    UntilJanuary,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Operation {
    Create,
    Relabel,
    Shrink,
    AnotherImage,
    Start,
    ScaleUp,
    ScaleDown,
}

impl Operation {
    const ALL: [Self; 7] = [
        Self::Create,
        Self::Relabel,
        Self::Shrink,
        Self::AnotherImage,
        Self::Start,
        Self::ScaleUp,
        Self::ScaleDown,
    ];

    /// Whether anybody has to decide.
    fn is_judged(self) -> bool {
        matches!(
            self,
            Self::Create | Self::AnotherImage | Self::Start | Self::ScaleUp
        )
    }

    fn is_scale(self) -> bool {
        matches!(self, Self::ScaleUp | Self::ScaleDown)
    }

    fn review(self, job: &Value) -> Value {
        let edited = |patch: &Value| {
            let mut new = job.clone();
            json_patch::merge(&mut new, patch);
            new
        };
        let scaled = |old: i64, new: i64| {
            let scale = |workers: i64| {
                json!({
                    "apiVersion": "autoscaling/v1", "kind": "Scale",
                    "metadata": {"name": "mnist"}, "spec": {"replicas": workers},
                })
            };
            requesting(
                update(&scale(old), &scale(new)),
                &json!({"subResource": "scale"}),
            )
        };
        let parked = edited(&json!({"spec": {"runPolicy": {"suspend": true}}}));
        match self {
            Self::Create => create(job),
            Self::Relabel => update(job, &edited(&json!({"metadata": {"labels": {"a": "b"}}}))),
            Self::Shrink => update(
                job,
                &edited(&json!({"spec": {"runPolicy": {"activeDeadlineSeconds": 5}}})),
            ),
            Self::AnotherImage => {
                let mut new = job.clone();
                new["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]["containers"] =
                    json!([{"name": "pytorch", "image": "example.com/other:2"}]);
                update(job, &new)
            }
            Self::Start => update(&parked, job),
            Self::ScaleUp => scaled(1, 8),
            Self::ScaleDown => scaled(8, 1),
        }
    }
}

/// What the table says: allowed, warned.
fn expected(mode: Mode, operation: Operation, excused: Excused, now: &str) -> (bool, bool) {
    if !operation.is_judged() {
        return (true, false);
    }
    // The schedule is Audit until February, then the mode.
    let mode = if now == BEFORE { Mode::Audit } else { mode };
    let is_excused = excused == Excused::UntilMarch && now != MARCH;
    match mode {
        Mode::Audit => (true, false),
        Mode::Warn => (true, true),
        Mode::Deny if is_excused => (true, true),
        Mode::Deny => (false, false),
    }
}

fn policy(mode: Mode, excused: Excused) -> Value {
    let until = match excused {
        Excused::Nobody => {
            return json!({"schedule": [{"mode": "Audit"}, {"mode": mode, "from": FEBRUARY}]});
        }
        Excused::UntilMarch => MARCH,
        Excused::UntilJanuary => "2027-01-01T00:00:00Z",
    };
    json!({
        "schedule": [{"mode": "Audit"}, {"mode": mode, "from": FEBRUARY}],
        "exemptions": [{
            "name": "jane", "reason": "she asked", "until": until,
            "subjects": [{"kind": "User", "name": "jane"}],
        }],
    })
}

#[tokio::test]
async fn every_mode_verdict_exemption_date_and_operation_has_its_answer() {
    let mut seen = std::collections::BTreeSet::new();
    for mode in Mode::ALL {
        for excused in [Excused::Nobody, Excused::UntilMarch, Excused::UntilJanuary] {
            for now in [BEFORE, FEBRUARY, MARCH] {
                for (verdict, operation) in VERDICTS
                    .into_iter()
                    .flat_map(|verdict| Operation::ALL.map(|operation| (verdict, operation)))
                {
                    let app = under(app(Mode::Deny), &policy(mode, excused), now);
                    let review = operation.review(&job(verdict));
                    let response = answer(app, "/validate", &review).await;
                    let got = (
                        response["allowed"] == true,
                        response.get("warnings").is_some(),
                    );
                    let case = format!("{mode} {verdict} {excused:?} {now} {operation:?}");
                    assert_eq!(
                        got,
                        expected(mode, operation, excused, now),
                        "{case}: {response:#}"
                    );
                    let notes = &response["auditAnnotations"];
                    assert!(notes["decision"].is_string(), "{case}: {response:#}");
                    if operation == Operation::Create {
                        assert_eq!(notes["verdict"], verdict, "{case}");
                    }
                    let is_excused = mode == Mode::Deny
                        && operation.is_judged()
                        && excused == Excused::UntilMarch
                        && now == FEBRUARY;
                    assert_eq!(notes["exemption"] == "jane", is_excused, "{case}: {notes}");
                    seen.insert((verdict, operation.is_scale(), got));
                }
            }
        }
    }
    // Every verdict was refused, warned about and admitted.
    assert_eq!(seen.len(), VERDICTS.len() * 2 * 3);
}

fn deny(more: &Value) -> Value {
    let mut policy = json!({"schedule": [{"mode": "Warn"}, {"mode": "Deny", "from": FEBRUARY}]});
    json_patch::merge(&mut policy, more);
    policy
}

async fn created(app: App) -> Value {
    answer(app, "/validate", &create(&mnist())).await
}

#[tokio::test]
async fn who_is_excused_reads_by_what_and_until_when() {
    let app = under(
        app(Mode::Audit),
        &policy(Mode::Deny, Excused::UntilMarch),
        FEBRUARY,
    );
    let response = created(app).await;
    let first = response["warnings"][0].as_str().unwrap();
    assert!(
        first.starts_with(
            "trainshift: PyTorchJob is refused in namespace research (policy research), but exemption jane lets this one pass until 2027-03-01."
        ),
        "{first}"
    );
}

#[tokio::test]
async fn who_is_excused_reads_the_date_on_which_another_policy_refuses_him() {
    let big = json!({
        "priority": 1, "match": {"objectSelector": {"matchLabels": {"size": "big"}}},
        "schedule": [{"mode": "Audit"}, {"mode": "Deny", "from": "2027-02-15T00:00:00Z"}],
    });
    let all = policy(Mode::Deny, Excused::UntilMarch);
    for (size, until) in [("big", "2027-02-15"), ("small", "2027-03-01")] {
        let policies = [("big", big.clone()), ("all", all.clone())];
        let job = mnist_with(&json!({"metadata": {"labels": {"size": size}}}));
        let app = under_all(app(Mode::Audit), &policies, FEBRUARY);
        let response = answer(app, "/validate", &create(&job)).await;
        let first = response["warnings"][0].as_str().unwrap();
        assert!(
            first.contains(&format!(
                "but exemption jane lets this one pass until {until}."
            )),
            "{first}"
        );
    }
}

#[tokio::test]
async fn an_exemption_that_ended_is_named_in_the_denial() {
    let app = under(
        app(Mode::Audit),
        &policy(Mode::Deny, Excused::UntilMarch),
        MARCH,
    );
    let response = created(app).await;
    assert!(message(&response).contains("# Exemption jane ended on 2027-03-01."));
}

#[tokio::test]
async fn scaling_is_answered_with_the_date_and_the_policys_message() {
    let review = Operation::ScaleUp.review(&mnist());
    let with_help = |mode: Mode| {
        let mut policy = policy(mode, Excused::UntilMarch);
        policy["message"] = json!("Help: #training\nor call us");
        under(app(Mode::Audit), &policy, MARCH)
    };
    let denied = answer(with_help(Mode::Deny), "/validate", &review).await;
    let text = message(&denied);
    assert!(
        text.starts_with(
            "scaling a PyTorchJob from 1 to 8 workers is refused in namespace research since 2027-02-01 (policy research)."
        ),
        "{text}"
    );
    assert!(
        text.ends_with("\n# Exemption jane ended on 2027-03-01.\n# Help: #training\n# or call us"),
        "{text}"
    );
    let warned = answer(with_help(Mode::Warn), "/validate", &review).await;
    assert_eq!(
        warned["warnings"][1],
        "trainshift: Help: #training or call us"
    );
}

#[tokio::test]
async fn a_policy_says_whether_a_denial_holds_the_trainjob() {
    let robot = json!({"userInfo": {"username": "system:serviceaccount:ci:nightly"}});
    for (denial, user, holds) in [
        (Value::Null, json!({}), true),
        (Value::Null, robot.clone(), false),
        (json!("Full"), robot.clone(), true),
        (json!("Summary"), json!({}), false),
    ] {
        let app = under(
            app(Mode::Audit),
            &deny(&json!({"denial": denial})),
            FEBRUARY,
        );
        let review = requesting(create(&mnist()), &user);
        let response = answer(app, "/validate", &review).await;
        assert_eq!(
            message(&response).contains("kind: TrainJob"),
            holds,
            "{denial} {user}"
        );
    }
}

#[tokio::test]
async fn a_policys_style_is_that_of_the_trainjob() {
    let idiomatic = json!({"conversion": {"style": "Idiomatic"}});
    for (more, runtime) in [
        (json!({}), "trainshift-pytorch"),
        (idiomatic, "torch-distributed"),
    ] {
        let app = under(app(Mode::Audit), &deny(&more), FEBRUARY);
        let response = created(app).await;
        assert!(
            message(&response).contains(&format!("name: {runtime}")),
            "{response:#}"
        );
    }
}

#[tokio::test]
async fn before_the_policies_are_read_nothing_is_judged() {
    let mut unread = app(Mode::Deny);
    unread.policies = std::sync::Arc::default();
    let body = create(&mnist()).to_string().into_bytes();
    let (status, text) = send(unread, "/validate", body).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        String::from_utf8(text)
            .unwrap()
            .contains("has not read the policies yet")
    );
}

/// What a submitter can write into a job's metadata, of what policies look at.
fn metadata() -> impl Strategy<Value = Value> {
    let word = "[a-z]{1,8}";
    let labels = prop::collection::btree_map(
        "(trainshift.dev/mode|kueue.x-k8s.io/queue-name|size)",
        "(audit|deny|big)",
        0..4,
    );
    let annotations = prop::collection::btree_map(
        "trainshift.dev/(bypass|mode|exemption|show)",
        "(fire|audit|trainjob|)",
        0..4,
    );
    let owner = (
        "(kubeflow.org/v1beta1|batch/v1|v1)",
        "(Trial|Job|Pod)",
        word,
    )
        .prop_map(
            |(version, kind, name)| json!({"apiVersion": version, "kind": kind, "name": name}),
        );
    let owners = prop::collection::vec(owner, 0..3);
    let name = prop_oneof![
        Just(json!({"name": "nightly-7"})),
        Just(json!({"name": null, "generateName": "nightly-"})),
        word.prop_map(|name| json!({"name": name})),
    ];
    let written = (
        labels,
        annotations,
        owners,
        name,
        any::<bool>(),
        any::<bool>(),
    );
    written.prop_map(|(labels, annotations, owners, name, is_big, has_reason)| {
        let mut metadata =
            json!({"labels": labels, "annotations": annotations, "ownerReferences": owners});
        json_patch::merge(&mut metadata, &name);
        // Each of them often, because a way round takes both.
        if is_big {
            metadata["labels"]["size"] = json!("big");
        }
        if has_reason {
            metadata["annotations"]["trainshift.dev/bypass"] = json!("fire");
        }
        metadata
    })
}

/// How strict an answer is.
fn strictness(response: &Value) -> u8 {
    match (
        response["allowed"] == true,
        response.get("warnings").is_some(),
    ) {
        (true, false) => 0,
        (true, true) => 1,
        (false, _) => 2,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Others are excused here by name, owner and subject; jane is nobody's subject, and has the right to pass the denials
    /// of a policy that looks at the job, and of no other.
    #[test]
    fn nothing_that_a_submitter_writes_makes_the_answer_looser(
        metadata in metadata(),
        mode in prop::sample::select(&Mode::ALL[..]),
        operation in prop::sample::select(&Operation::ALL[..]),
        image in "[a-z]{1,8}",
    ) {
        let exemption = json!({
            "name": "katib", "reason": "trials move with Katib", "until": "2099-01-01T00:00:00Z",
            "subjects": [{"kind": "ServiceAccount", "namespace": "kubeflow", "name": "katib-controller"}],
            "owners": [{"apiGroup": "kubeflow.org", "kind": "Trial"}], "names": ["nightly-*"],
        });
        let since = |mode: Mode| json!([{"mode": "Audit"}, {"mode": mode, "from": "2027-01-01T00:00:00Z"}]);
        let looking = |priority: i32, mode: Mode, matches: Value| {
            json!({"priority": priority, "match": matches, "schedule": since(mode)})
        };
        let labelled = json!({"objectSelector": {"matchLabels": {"size": "big"}}});
        let owned = json!({"conditions": [{"name": "owned", "expression": "object.metadata.?ownerReferences.orValue([]).size() > 0"}]});
        let policies = [
            ("big", looking(3, Mode::Deny, labelled.clone())),
            ("lenient", looking(2, Mode::Audit, labelled)),
            ("owned", looking(1, Mode::Warn, owned)),
            ("all", json!({
                "schedule": [{"mode": "Audit"}, {"mode": mode, "from": FEBRUARY}], "exemptions": [exemption],
            })),
        ];
        let mut written = mnist();
        json_patch::merge(&mut written["metadata"], &metadata);
        written["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]["containers"][0]["image"] =
            json!(format!("example.com/{image}"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ask = |job: &Value| {
            let app = under_all(app_in(Mode::Audit, Rights(Some(&["big"]))), &policies, FEBRUARY);
            runtime.block_on(answer(app, "/validate", &operation.review(job)))
        };
        let (plain, dressed) = (ask(&mnist()), ask(&written));
        prop_assert!(
            strictness(&dressed) >= strictness(&plain),
            "{mode} {operation:?}: {dressed:#}",
        );
    }
}
