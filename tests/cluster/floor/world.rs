//! Policies, namespaces, users and what they ask; and what trainshift decides of it.

use anyhow::Result;
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use trainshift::admission::decode::{Subject, subject};
use trainshift::api::review;
use trainshift::policy::{self, Decision, Namespace, Policies, Snapshot};

use super::api::{Api, Sent};
use super::raw;
use crate::control_plane::ControlPlane;
use crate::jobs::{mnist, policy};

/// Which floor holds in a namespace.
pub(super) const LABEL: &str = "trainshift-test/floor";

const QUEUE: &str = "system:serviceaccount:kueue-system:kueue-controller-manager";
const PAST: &str = "2026-02-01T00:00:00Z";
const FUTURE: &str = "2099-02-01T00:00:00Z";

/// Users, and their groups besides the one that may do anything with jobs.
const USERS: [(&str, &[&str]); 5] = [
    ("jane", &["people"]),
    ("system:serviceaccount:kubeflow:katib-controller", &[]),
    ("boss", &[]),
    ("chief", &["people"]),
    (QUEUE, &[]),
];

/// Rights: jobs for all, `boss` passes every denial and `chief` those of one policy.
pub(super) fn install(control_plane: &ControlPlane) -> Result<()> {
    let role = |name: &str, rule: Value| json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": name }, "rules": [rule] });
    let binding = |name: &str, kind: &str, subject: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": name },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": subject }],
        })
    };
    let bypass = json!({ "apiGroups": ["trainshift.dev"], "resources": ["migrationpolicies"], "verbs": ["bypass"] });
    let mut one = bypass.clone();
    one["resourceNames"] = json!(["narrow"]);
    control_plane.create(&[
        role("floor-users", json!({ "apiGroups": ["kubeflow.org"], "resources": ["pytorchjobs", "pytorchjobs/scale"], "verbs": ["*"] })),
        binding("floor-users", "Group", "floor-users"),
        role("floor-boss", bypass),
        binding("floor-boss", "User", "boss"),
        role("floor-chief", one),
        binding("floor-chief", "User", "chief"),
    ])
}

/// Sets of policies, with the mode where none matches.
pub(super) fn policies() -> Vec<(Vec<Value>, &'static str)> {
    let deny = json!([{ "mode": "Warn" }, { "mode": "Deny", "from": PAST }]);
    let later = json!([{ "mode": "Warn" }, { "mode": "Deny", "from": FUTURE }]);
    let exempt = |until: &str, more: Value| {
        let mut exemption = json!({
            "name": "some", "reason": "they move later", "until": until,
            "subjects": [{ "kind": "ServiceAccount", "namespace": "kubeflow", "name": "katib-controller" }, { "kind": "Group", "name": "people" }],
        });
        json_patch::merge(&mut exemption, &more);
        exemption
    };
    let research = json!({ "namespaceSelector": { "matchExpressions": [{ "key": "tier", "operator": "In", "values": ["gold", "lead"] }] } });
    let condition =
        |expression: &str| json!({ "conditions": [{ "name": "it", "expression": expression }] });
    vec![
        (
            vec![
                policy(
                    "gold",
                    &json!({ "priority": 5, "match": { "namespaceSelector": { "matchLabels": { "tier": "gold" } } }, "schedule": deny,
                    "exemptions": [exempt(FUTURE, json!({ "names": ["nightly-*", "other"] })), exempt(PAST, json!({ "name": "ended" }))] }),
                ),
                policy("later", &json!({ "schedule": later, "match": research })),
            ],
            "audit",
        ),
        (
            vec![
                policy(
                    "narrow",
                    &json!({ "priority": 9, "match": { "objectSelector": { "matchLabels": { "size": "big" } } }, "schedule": deny }),
                ),
                policy(
                    "gold",
                    &json!({ "priority": 5, "match": research, "schedule": later,
                    "exemptions": [exempt(FUTURE, json!({ "owners": [{ "apiGroup": "kubeflow.org", "kind": "Trial" }] }))] }),
                ),
                policy(
                    "below",
                    &json!({ "match": { "objectSelector": {} }, "schedule": deny }),
                ),
                policy(
                    "rest",
                    &json!({ "priority": -1, "schedule": [{ "mode": "Warn" }] }),
                ),
            ],
            "warn",
        ),
        (
            vec![
                policy(
                    "narrow",
                    &json!({ "priority": 9, "match": condition("object.spec.pytorchReplicaSpecs.Worker.replicas > 8"), "schedule": deny }),
                ),
                policy(
                    "fails",
                    &json!({ "priority": 8, "match": condition("object.spec.runPolicy.backoffLimit > 1"), "schedule": deny,
                    "exemptions": [exempt(FUTURE, json!({}))] }),
                ),
                policy(
                    "gold",
                    &json!({ "priority": 5, "match": research, "schedule": [{ "mode": "Audit" }] }),
                ),
            ],
            "audit",
        ),
        (
            vec![policy(
                "ended",
                &json!({ "match": research, "schedule": [{ "mode": "Deny" }, { "mode": "Warn", "from": PAST }, { "mode": "Deny", "from": "2026-03-01T00:00:00Z" }] }),
            )],
            "deny",
        ),
        (
            vec![policy(
                "pause",
                &json!({ "match": research, "schedule": [{ "mode": "Deny", "from": PAST }, { "mode": "Audit" }, { "mode": "Warn", "from": FUTURE }] }),
            )],
            "warn",
        ),
    ]
}

/// A request, and what trainshift decides.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) request: Sent,
    pub(super) is_denied: bool,
    /// The scale subresource: nothing tells the floor what time it is.
    pub(super) has_no_time: bool,
    /// An update, and a policy that will be less strict again.
    pub(super) is_temporary: bool,
}

/// Policies, and namespaces of which each has a parked job.
pub(super) struct World {
    snapshot: Snapshot,
    namespaces: Vec<Namespace>,
    is_temporary: bool,
}

impl World {
    pub(super) fn new(
        control_plane: &ControlPlane,
        set: &str,
        policies: &[Value],
        mode: &str,
    ) -> Result<Self> {
        let read: Result<Vec<_>, _> = policies
            .iter()
            .cloned()
            .map(serde_json::from_value)
            .collect();
        let (compiled, _) = Policies::new(&read?);
        let mode = mode.parse().map_err(anyhow::Error::msg)?;
        let mut namespaces = Vec::new();
        let mut objects = Vec::new();
        for (name, labels) in [
            ("gold", json!({ "tier": "gold" })),
            ("lead", json!({ "tier": "lead" })),
            (
                "wish",
                json!({ "tier": "lead", "trainshift.dev/mode": "Deny" }),
            ),
            ("none", json!({ "trainshift.dev/mode": "nothing" })),
        ] {
            let name = format!("{set}-{name}");
            let mut labels = labels;
            labels[LABEL] = json!(set);
            labels["kubernetes.io/metadata.name"] = json!(name);
            objects.push(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels } }));
            let mut parked = mnist("parked", &name, 4);
            parked["metadata"]["labels"] = json!({ "size": "big" });
            parked["spec"]["runPolicy"] = json!({ "suspend": true });
            objects.push(parked);
            namespaces.push(Namespace::new(&name, serde_json::from_value(labels)?));
        }
        control_plane.create(&objects)?;
        Ok(Self {
            snapshot: Snapshot::new(mode).with_policies(compiled),
            namespaces,
            is_temporary: set.starts_with("floor-4"),
        })
    }

    /// Every user's every request in every namespace.
    pub(super) async fn cases(&self, api: &Api) -> Result<Vec<Case>> {
        let mut cases = Vec::new();
        for namespace in &self.namespaces {
            let path = format!(
                "/apis/kubeflow.org/v1/namespaces/{}/pytorchjobs",
                namespace.name()
            );
            let parked = api.get(&format!("{path}/parked")).await?;
            for user in USERS {
                for (what, patch) in creations() {
                    let mut job = mnist("mnist", namespace.name(), 1);
                    json_patch::merge(&mut job, &patch);
                    let sent = sent(user, Method::POST, path.clone(), job.clone());
                    cases.push(self.case(namespace, what, sent, &job, &Value::Null, "")?);
                }
                for (what, patch) in updates() {
                    let mut new = parked.clone();
                    json_patch::merge(&mut new, &patch);
                    let sent = sent(user, Method::PATCH, format!("{path}/parked"), patch);
                    cases.push(self.case(namespace, what, sent, &new, &parked, "")?);
                }
                for replicas in [2, 4, 6] {
                    let scale = |replicas: i64| json!({ "apiVersion": "autoscaling/v1", "kind": "Scale", "spec": { "replicas": replicas } });
                    let sent = sent(
                        user,
                        Method::PATCH,
                        format!("{path}/parked/scale"),
                        scale(replicas),
                    );
                    cases.push(self.case(
                        namespace,
                        "scale",
                        sent,
                        &scale(replicas),
                        &scale(4),
                        "scale",
                    )?);
                }
            }
        }
        Ok(cases)
    }

    fn case(
        &self,
        namespace: &Namespace,
        what: &str,
        request: Sent,
        new: &Value,
        old: &Value,
        subresource: &str,
    ) -> Result<Case> {
        let is_update = !old.is_null();
        let name = if is_update {
            json!("parked")
        } else {
            new["metadata"]["name"].clone()
        };
        let mut asked: review::Request = serde_json::from_value(json!({
            "uid": "1", "namespace": namespace.name(), "name": name.as_str().unwrap_or_default(),
            "operation": if is_update { "UPDATE" } else { "CREATE" }, "subResource": subresource,
            "userInfo": { "username": request.user, "groups": request.groups },
        }))?;
        asked.object = Some(raw(new)?);
        asked.old_object = is_update.then(|| raw(old)).transpose()?;
        Ok(Case {
            name: format!(
                "{} {what} by {} in {}",
                request.method,
                request.user,
                namespace.name()
            ),
            is_denied: self.is_denied(namespace, &asked)?,
            has_no_time: subresource == "scale",
            is_temporary: is_update && self.is_temporary,
            request,
        })
    }

    fn is_denied(&self, namespace: &Namespace, asked: &review::Request) -> Result<bool> {
        let (job, old, change) = match subject(asked)? {
            Subject::Nothing => return Ok(false),
            Subject::Scale { change, .. } => (None, None, change),
            Subject::Job { job, old, change } => (Some(job), old, change),
        };
        let mut case = policy::Request::new(asked, namespace, &change);
        case.object = job.as_deref();
        case.old_object = old.as_deref();
        case.is_queue = asked.user_info.username == QUEUE;
        let ruling = policy::judge(&self.snapshot, &case, Timestamp::now());
        let may_pass = match asked.user_info.username.as_str() {
            "boss" => true,
            "chief" => ruling.rule.name() == "narrow",
            _ => false,
        };
        let passes = may_pass && case.bypass().is_some();
        Ok(ruling.decision == Decision::Deny && !passes)
    }
}

fn sent(
    (user, groups): (&'static str, &[&'static str]),
    method: Method,
    path: String,
    body: Value,
) -> Sent {
    let groups = groups.iter().copied().chain(["floor-users"]).collect();
    Sent {
        user,
        groups,
        method,
        path,
        body,
    }
}

/// Jobs, as changes of one.
fn creations() -> Vec<(&'static str, Value)> {
    vec![
        ("a job", json!({})),
        (
            "a big job",
            json!({ "metadata": { "labels": { "size": "big" } } }),
        ),
        (
            "a job with 12 workers",
            json!({ "spec": { "runPolicy": { "backoffLimit": 1 }, "pytorchReplicaSpecs": { "Worker": { "replicas": 12 } } } }),
        ),
        (
            "a job with a limit",
            json!({ "spec": { "runPolicy": { "backoffLimit": 1 } } }),
        ),
        ("nightly-7", json!({ "metadata": { "name": "nightly-7" } })),
        (
            "nightly-*",
            json!({ "metadata": { "name": null, "generateName": "nightly-" } }),
        ),
        (
            "a trial",
            json!({ "metadata": { "ownerReferences": [{ "apiVersion": "kubeflow.org/v1beta1", "kind": "Trial", "name": "a", "uid": "1" }] } }),
        ),
        (
            "another group's trial",
            json!({ "metadata": { "ownerReferences": [{ "apiVersion": "evil.org/v1", "kind": "Trial", "name": "a", "uid": "1" }] } }),
        ),
        (
            "a job with a reason",
            json!({ "metadata": { "labels": { "size": "big" }, "annotations": { "trainshift.dev/bypass": "fire" } } }),
        ),
        (
            "a job with an empty reason",
            json!({ "metadata": { "annotations": { "trainshift.dev/bypass": "  " } } }),
        ),
    ]
}

/// Merge patches of the parked job.
fn updates() -> Vec<(&'static str, Value)> {
    let worker = |patch: Value| json!({ "spec": { "pytorchReplicaSpecs": { "Worker": patch } } });
    let container = |patch: Value| {
        let mut container = json!({ "name": "pytorch", "image": "example.com/mnist:1.0", "command": ["python", "train.py"] });
        json_patch::merge(&mut container, &patch);
        json!({ "spec": { "pytorchReplicaSpecs": { "Worker": { "template": { "spec": { "containers": [container] } } } } } })
    };
    let with = |mut patch: Value, metadata: Value| {
        patch["metadata"] = metadata;
        patch
    };
    vec![
        ("a label", json!({ "metadata": { "labels": { "a": "b" } } })),
        (
            "another image",
            container(json!({ "image": "example.com/other:1" })),
        ),
        ("no arguments", container(json!({ "args": [] }))),
        ("arguments", container(json!({ "args": ["--fast"] }))),
        ("more workers", worker(json!({ "replicas": 6 }))),
        ("fewer workers", worker(json!({ "replicas": 2 }))),
        (
            "more workers, label off",
            with(
                worker(json!({ "replicas": 6 })),
                json!({ "labels": { "size": null } }),
            ),
        ),
        (
            "more workers with a reason",
            with(
                worker(json!({ "replicas": 6 })),
                json!({ "annotations": { "trainshift.dev/bypass": "fire" } }),
            ),
        ),
        (
            "a node",
            worker(json!({ "template": { "spec": { "nodeSelector": { "zone": "a" } } } })),
        ),
        (
            "a start",
            json!({ "spec": { "runPolicy": { "suspend": false } } }),
        ),
        (
            "a start of more",
            json!({ "spec": { "runPolicy": { "suspend": false }, "pytorchReplicaSpecs": { "Worker": { "replicas": 5 } } } }),
        ),
        (
            "another time to live",
            json!({ "spec": { "runPolicy": { "ttlSecondsAfterFinished": 5 } } }),
        ),
    ]
}
