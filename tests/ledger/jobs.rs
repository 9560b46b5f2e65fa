//! Jobs that v1 would admit, made up at random.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::pods::template;

/// Sets `fields[key]` to each value that is there.
pub(crate) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let set = fields
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(set.collect())
}

pub(crate) fn maybe<S: Strategy>(value: S) -> impl Strategy<Value = Option<S::Value>> {
    proptest::option::weighted(0.35, value)
}

pub(crate) fn merged(mut value: Value, more: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (value.as_object_mut(), more) {
        for (key, value) in more {
            fields.entry(key).or_insert(value);
        }
    }
    value
}

/// Text as people and templates leave it.
pub(crate) fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "",
            " ",
            "on",
            "08",
            "1e-4",
            "null",
            "~",
            "a: b",
            "- x",
            "line\nbreak",
            "ümlaut",
            "$(RANK)",
            "job-master-0",
            "job-worker-1:29500",
            "x,job-worker-0,job-master-0",
            "[0]",
            "a.b",
            "{}",
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z0-9 ./:=_-]{0,24}",
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        odd_text().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!({})),
        Just(json!([])),
    ]
}

fn anything() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::Array),
            vec((key(), inner), 0..3).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    select(vec![
        "app",
        "app.kubernetes.io/name",
        "team",
        "example.com/a.b",
        "x_y",
        "UPPER",
        "with space",
        "a[0]",
    ])
    .prop_map(str::to_owned)
}

/// A field of which nobody has heard, or none.
pub(crate) fn unknown() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => Just(json!({})),
        1 => (select(vec!["extra", "odd.key/x", "zz"]), anything().boxed())
            .prop_map(|(key, value)| Value::Object(Map::from_iter([(key.to_owned(), value)]))),
    ]
}

pub(crate) fn labels() -> impl Strategy<Value = Value> {
    let keys = prop_oneof![
        5 => key().prop_filter("a label", |key| !key.contains(['[', ' '])),
        1 => select(vec!["training.kubeflow.org/job-name", "training.kubeflow.org/custom"]).prop_map(str::to_owned),
    ];
    vec((keys, odd_text()), 0..3).prop_map(|pairs| {
        Value::Object(
            pairs
                .into_iter()
                .map(|(key, value)| (key, value.into()))
                .collect(),
        )
    })
}

pub(crate) fn annotations() -> impl Strategy<Value = Value> {
    let entry = prop_oneof![
        4 => (key(), odd_text()),
        1 => Just(("kubectl.kubernetes.io/default-container".to_owned(), "pytorch".to_owned())),
        1 => Just(("container.apparmor.security.beta.kubernetes.io/pytorch".to_owned(), "runtime/default".to_owned())),
        1 => Just(("kubectl.kubernetes.io/last-applied-configuration".to_owned(), "{}".to_owned())),
    ];
    vec(entry, 0..3).prop_map(|pairs| {
        Value::Object(
            pairs
                .into_iter()
                .map(|(key, value)| (key, value.into()))
                .collect(),
        )
    })
}

fn replica(master: bool, template: Value) -> impl Strategy<Value = Value> {
    let replicas = if master {
        Just(Some(json!(1))).boxed()
    } else {
        maybe(select(vec![
            json!(1),
            json!(2),
            json!(4),
            json!(11),
            json!(120),
        ]))
        .boxed()
    };
    let policy = select(vec![
        "OnFailure",
        "OnFailure",
        "Never",
        "ExitCode",
        "Always",
        "",
    ]);
    (replicas, maybe(policy), unknown().boxed()).prop_map(move |(replicas, policy, unknown)| {
        let fields = object([
            ("replicas", replicas),
            ("restartPolicy", policy.map(Value::from)),
            ("template", Some(template.clone())),
        ]);
        merged(fields, unknown)
    })
}

fn replica_specs() -> impl Strategy<Value = Value> {
    let keys = select(vec![
        ("Master", "Worker"),
        ("Master", "Worker"),
        ("master", "WORKER"),
    ]);
    (template().boxed(), template().boxed(), 0..5, keys)
        .prop_flat_map(|(one, other, kind, keys)| {
            // Mostly alike, as people write them.
            let other = if kind < 3 { one.clone() } else { other };
            (
                replica(true, one.clone()).boxed(),
                replica(false, other).boxed(),
                Just(kind),
                Just(keys),
            )
        })
        .prop_map(|(master, worker, kind, (first, second))| match kind {
            0 => json!({first: master}),
            1 => json!({second: worker}),
            _ => json!({first: master, second: worker}),
        })
}

fn run_policy() -> impl Strategy<Value = Value> {
    let scheduling = prop_oneof![
        Just(json!({})),
        (
            maybe(select(vec!["", "q"])),
            maybe(select(vec!["", "high"])),
            maybe(0..600_i32),
            unknown().boxed()
        )
            .prop_map(|(queue, class, timeout, unknown)| {
                let fields = object([
                    ("queue", queue.map(Value::from)),
                    ("priorityClass", class.map(Value::from)),
                    ("scheduleTimeoutSeconds", timeout.map(Value::from)),
                    ("minResources", timeout.map(|_| json!({"cpu": "4"}))),
                ]);
                merged(fields, unknown)
            }),
    ];
    let managers = select(vec![
        "kubeflow.org/training-operator",
        "kueue.x-k8s.io/multikueue",
    ]);
    (
        maybe(select(vec!["None", "Running", "All", ""])),
        maybe(0..1000_i32),
        maybe(1..100_000_i64),
        maybe(select(vec![0, 1, 6, i32::MAX])),
        maybe(scheduling),
        maybe(any::<bool>()),
        maybe(managers),
        unknown().boxed(),
    )
        .prop_map(
            |(clean, ttl, deadline, limit, scheduling, suspend, manager, unknown)| {
                let fields = object([
                    ("cleanPodPolicy", clean.map(Value::from)),
                    ("ttlSecondsAfterFinished", ttl.map(Value::from)),
                    ("activeDeadlineSeconds", deadline.map(Value::from)),
                    ("backoffLimit", limit.map(Value::from)),
                    ("schedulingPolicy", scheduling),
                    ("suspend", suspend.map(Value::from)),
                    ("managedBy", manager.map(Value::from)),
                ]);
                merged(fields, unknown)
            },
        )
}

fn elastic() -> impl Strategy<Value = Value> {
    let host = select(vec![
        "job-worker-0",
        "job-master-0",
        "etcd",
        "job-worker-0.x.svc",
    ]);
    let conf = vec(
        (select(vec!["timeout", ""]), odd_text(), unknown().boxed()),
        0..3,
    )
    .prop_map(|conf| {
        Value::Array(
            conf.into_iter()
                .map(|(key, value, unknown)| merged(json!({"key": key, "value": value}), unknown))
                .collect(),
        )
    });
    let counts = (
        maybe(1..5_i32),
        maybe(1..9_i32),
        maybe(0..9_i32),
        maybe(1..9_i32),
    );
    (
        counts,
        maybe(host),
        maybe(1..9999_i32),
        maybe(odd_text()),
        maybe(conf),
        maybe(any::<bool>()),
        unknown().boxed(),
        0..4,
    )
        .prop_map(
            |((min, max, restarts, processes), host, port, id, conf, standalone, unknown, odd)| {
                let fields = object([
                    ("minReplicas", min.map(Value::from)),
                    ("maxReplicas", max.map(Value::from)),
                    ("maxRestarts", restarts.map(Value::from)),
                    ("nProcPerNode", processes.map(Value::from)),
                    ("rdzvHost", host.map(Value::from)),
                    ("rdzvPort", port.map(Value::from)),
                    ("rdzvId", id.map(Value::from)),
                    ("rdzvConf", conf),
                    ("standalone", standalone.map(Value::from)),
                    ("rdzvBackend", (odd == 0).then(|| "etcd".into())),
                    (
                        "metrics",
                        (odd == 1).then(|| json!([{"type": "Resource", "resource": {}}])),
                    ),
                ]);
                merged(fields, unknown)
            },
        )
}

fn metadata() -> impl Strategy<Value = Value> {
    let name = select(vec![
        json!({"name": "job"}),
        json!({"name": "job"}),
        json!({"name": "j"}),
        json!({"generateName": "job-"}),
        json!({"name": "job-x7f2k", "generateName": "job-"}),
        json!({"name": "j".repeat(47)}),
        json!({"name": "j".repeat(49)}),
        json!({"name": "j".repeat(51)}),
        json!({"name": "j".repeat(55)}),
    ]);
    let live = select(vec![
        json!({}),
        json!({"uid": "u", "resourceVersion": "1", "creationTimestamp": null, "generation": 1}),
        json!({"ownerReferences": [{"name": "o"}], "finalizers": ["f/f"], "managedFields": [{"manager": "m"}]}),
    ]);
    (
        name,
        maybe(labels().boxed()),
        maybe(annotations().boxed()),
        live,
        unknown().boxed(),
    )
        .prop_map(|(name, labels, annotations, live, unknown)| {
            let fields = object([
                ("namespace", Some("ns".into())),
                ("labels", labels),
                ("annotations", annotations),
            ]);
            merged(merged(merged(name, fields), live), unknown)
        })
}

/// A job.
pub(crate) fn job() -> impl Strategy<Value = Value> {
    let processes = select(vec!["auto", "cpu", "gpu", "1", "8", "+4", "08"]);
    (
        metadata().boxed(),
        maybe(run_policy().boxed()),
        maybe(elastic().boxed()),
        replica_specs().boxed(),
        maybe(processes),
        unknown().boxed(),
        unknown().boxed(),
        0..6,
    )
        .prop_map(
            |(metadata, run, elastic, replicas, processes, in_spec, unknown, odd)| {
                let has_worker = replicas.as_object().is_some_and(|specs| {
                    specs.keys().any(|key| key.eq_ignore_ascii_case("Worker"))
                });
                let elastic = elastic.filter(|_| has_worker);
                let both = elastic
                    .as_ref()
                    .is_some_and(|elastic| elastic.get("nProcPerNode").is_some());
                let spec = object([
                    ("runPolicy", run),
                    ("elasticPolicy", elastic),
                    ("pytorchReplicaSpecs", Some(replicas)),
                    ("nprocPerNode", processes.filter(|_| !both).map(Value::from)),
                ]);
                let fields = object([
                    ("apiVersion", Some("kubeflow.org/v1".into())),
                    ("kind", Some("PyTorchJob".into())),
                    ("metadata", Some(metadata)),
                    ("spec", Some(merged(spec, in_spec))),
                    (
                        "status",
                        (odd == 0)
                            .then(|| json!({"conditions": [], "startTime": "now", "empty": {}})),
                    ),
                ]);
                merged(fields, unknown)
            },
        )
}
