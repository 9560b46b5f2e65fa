//! A decision among 1,000 policies and 2,000 namespaces, and what they take in memory.
//!
//! Five policies match the namespace: four look at the job, one doesn't. What is promised: at most 20 microseconds for a
//! decision; a condition in CEL, and the first request in a namespace after a change, are counted apart.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints what it measured, and one that can't begin may fail"
)]

use std::fs;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use serde_json::{Value, json};
use trainshift::api::policy::MigrationPolicy;
use trainshift::api::pytorchjob::PyTorchJob;
use trainshift::api::review;
use trainshift::policy::reach;
use trainshift::policy::{Change, Mode, Namespace, Policies, Request, Snapshot, judge};

const POLICIES: usize = 1000;
const NAMESPACES: usize = 2000;
/// Policies that match the namespace asked about.
const MATCHING: usize = 5;

fn policy(number: usize, more: &Value) -> MigrationPolicy {
    let exemption = json!({
        "name": "nightly", "reason": "moves with the pipeline", "until": "2027-06-01T00:00:00Z",
        "subjects": [{"kind": "ServiceAccount", "namespace": "ci", "name": format!("robot-{number}")}],
    });
    let mut spec = json!({
        "priority": number,
        "match": {"namespaceSelector": {"matchLabels": {"team": format!("team-{number}")}}},
        "schedule": [{"mode": "Warn"}, {"mode": "Deny", "from": "2027-02-01T00:00:00Z"}],
        "exemptions": [exemption],
    });
    json_patch::merge(&mut spec, more);
    let name = format!("policy-{number:04}");
    MigrationPolicy::new(&name, serde_json::from_value(spec).unwrap())
}

/// The last of `matching` holds in namespace research whatever the job is; those before it look at the job.
fn snapshot(condition: Option<&str>) -> Snapshot {
    let policies: Vec<_> = (0..POLICIES)
        .map(|number| {
            let here = json!({"team": "research"});
            let mut matches = json!({"namespaceSelector": {"matchLabels": here}});
            match number {
                0 => {}
                number if number < MATCHING => {
                    matches["objectSelector"] = json!({"matchLabels": {"size": "small"}});
                    if let (1, Some(expression)) = (number, condition) {
                        matches.as_object_mut().unwrap().remove("objectSelector");
                        matches["conditions"] = json!([{"name": "it", "expression": expression}]);
                    }
                }
                _ => return policy(number, &json!({})),
            }
            let mode = if number == 0 { "Warn" } else { "Deny" };
            policy(
                number,
                &json!({"match": matches, "schedule": [{"mode": mode}]}),
            )
        })
        .collect();
    let (policies, problems) = Policies::new(&policies);
    assert_eq!(problems, []);
    let labels = |team: String| [("team".to_owned(), team)].into();
    let namespaces = (1..NAMESPACES)
        .map(|number| {
            (
                format!("namespace-{number}"),
                labels(format!("team-{number}")),
            )
        })
        .chain([("research".to_owned(), labels("research".to_owned()))]);
    Snapshot::new(Mode::Audit)
        .with_policies(policies)
        .with_namespaces(namespaces)
}

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

fn decisions(criterion: &mut Criterion) {
    let job = json!({
        "apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "metadata": {"name": "mnist", "labels": {"size": "big"}},
        "spec": {"pytorchReplicaSpecs": {"Worker": {"replicas": 4, "template": {"spec": {"containers": [{"name": "pytorch"}]}}}}},
    });
    let review = json!({
        "uid": "1", "operation": "CREATE", "namespace": "research", "name": "mnist", "object": job,
        "userInfo": {"username": "jane", "groups": ["people", "system:authenticated"]},
    });
    let review: review::Request = serde_json::from_str(&review.to_string()).unwrap();
    let job: PyTorchJob = serde_json::from_value(job).unwrap();
    let now: Timestamp = "2027-01-15T00:00:00Z".parse().unwrap();

    let before = resident_kib();
    let plain = snapshot(None);
    for namespace in plain.namespaces() {
        black_box(plain.scope(namespace));
    }
    let took = resident_kib().saturating_sub(before);
    println!(
        "memory: {took} KiB for {POLICIES} policies and {NAMESPACES} namespaces, each asked about once"
    );

    let decide = |snapshot: &Snapshot, namespace: &Namespace| {
        let mut request = Request::new(&review, namespace, &Change::Created);
        request.object = Some(&job);
        judge(snapshot, &request, now)
    };
    let with_condition = snapshot(Some("object.spec.pytorchReplicaSpecs.Worker.replicas > 8"));
    let mut group = criterion.benchmark_group("policy");
    for (name, snapshot) in [("decision", &plain), ("decision with CEL", &with_condition)] {
        let namespace = snapshot.namespace("research").unwrap();
        let scope = snapshot.scope(namespace);
        assert_eq!(
            scope.narrow.len() + usize::from(scope.base.is_some()),
            MATCHING
        );
        assert_eq!(decide(snapshot, namespace).rule.name(), "policy-0000");
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(decide(snapshot, black_box(namespace))));
        });
    }
    let labels = plain.namespace("research").unwrap().labels().clone();
    group.bench_function("first decision in a namespace", |bencher| {
        bencher.iter_batched(
            || Namespace::new("research", labels.clone()),
            |namespace| black_box(decide(&plain, &namespace)),
            criterion::BatchSize::SmallInput,
        );
    });
    group.bench_function("reach of all policies", |bencher| {
        bencher.iter_batched(
            || plain.with_policies(plain.policies().clone()),
            |snapshot| black_box(reach::of(&snapshot)),
            criterion::BatchSize::LargeInput,
        );
    });
    let shadowed = all_shadowed();
    group.bench_function("reach of policies that are all shadowed", |bencher| {
        bencher.iter_batched(
            || shadowed.with_policies(shadowed.policies().clone()),
            |snapshot| black_box(reach::of(&snapshot)),
            criterion::BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// One policy comes before all others, each of which holds everywhere.
fn all_shadowed() -> Snapshot {
    let everywhere = json!({"spec": {"match": {"namespaceSelector": {
        "matchLabels": null,
        "matchExpressions": [{"key": "team", "operator": "Exists"}],
    }}}});
    let policies: Vec<_> = (0..POLICIES)
        .map(|number| policy(number, &everywhere))
        .collect();
    let (policies, _) = Policies::new(&policies);
    let namespaces = (0..NAMESPACES).map(|number| {
        (
            format!("namespace-{number}"),
            [("team".to_owned(), format!("team-{number}"))].into(),
        )
    });
    Snapshot::new(Mode::Audit)
        .with_policies(policies)
        .with_namespaces(namespaces)
}

criterion_group!(benches, decisions);
criterion_main!(benches);
