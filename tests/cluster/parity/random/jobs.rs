//! PyTorchJobs that v1 would take, made up at random; now and then one that it refuses.

use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::pods::template;

/// The job of this seed.
pub(super) fn job(seed: u64) -> Value {
    let mut dice = Dice::new(seed);
    let long = "long-name-".repeat(4);
    let name = dice.pick(&["job", "job", "job", "j", "bert-2"].map(str::to_owned));
    let name = match dice.below(8) {
        0 => format!("{long}abcdefgh"),
        1 => format!("{long}abcdefghijk"),
        // Too long for v2.
        2 if dice.once_in(2) => format!("{long}abcdefghijklm"),
        _ => name,
    };
    let mut metadata = dice.fields(
        6,
        &[
            (
                "labels",
                vec![
                    json!({ "team": "vision" }),
                    json!({ "kueue.x-k8s.io/queue-name": "q" }),
                ],
            ),
            ("annotations", vec![json!({ "example.com/note": "kept" })]),
        ],
    );
    metadata.insert("name".to_owned(), json!(name));
    metadata.insert("namespace".to_owned(), json!("research"));
    let mut spec = Map::new();
    let specs = replica_specs(&mut dice, &name);
    if specs.get("Worker").is_some() && dice.once_in(5) {
        spec.insert("elasticPolicy".to_owned(), elastic(&mut dice, &name));
    }
    if dice.once_in(3) {
        spec.insert(
            "nprocPerNode".to_owned(),
            dice.pick(&[
                json!("auto"),
                json!("cpu"),
                json!("gpu"),
                json!("1"),
                json!("8"),
            ]),
        );
    }
    if dice.once_in(2) {
        spec.insert("runPolicy".to_owned(), run_policy(&mut dice));
    }
    spec.insert("pytorchReplicaSpecs".to_owned(), specs);
    json!({ "apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "metadata": metadata, "spec": spec })
}

fn replica_specs(dice: &mut Dice, name: &str) -> Value {
    let kind = dice.below(6);
    let one = template(dice, name);
    let other = if kind < 4 {
        one.clone()
    } else {
        template(dice, name)
    };
    let policies = [
        json!("OnFailure"),
        json!("OnFailure"),
        json!("Never"),
        json!("ExitCode"),
        json!("Always"),
    ];
    let policy = dice.pick(&policies);
    let mut role = |template: Value, replicas: Option<usize>| {
        let mut role = json!({ "template": template });
        if let Some(replicas) = replicas {
            role["replicas"] = json!(replicas);
        }
        if dice.once_in(2) {
            role["restartPolicy"] = policy.clone();
        }
        if dice.once_in(8) {
            role["restartPolicy"] = dice.pick(&policies);
        }
        role
    };
    let workers = [None, Some(1), Some(2), Some(3)][kind % 4];
    match kind {
        0 => json!({ "Master": role(one, Some(1)) }),
        1 => json!({ "Worker": role(one, workers) }),
        _ => json!({ "Master": role(one, Some(1)), "Worker": role(other, workers) }),
    }
}

fn run_policy(dice: &mut Dice) -> Value {
    let fields = dice.fields(
        3,
        &[
            (
                "cleanPodPolicy",
                vec![json!("None"), json!("Running"), json!("All")],
            ),
            ("ttlSecondsAfterFinished", vec![json!(0), json!(600)]),
            ("activeDeadlineSeconds", vec![json!(86_400)]),
            ("backoffLimit", vec![json!(0), json!(1), json!(6)]),
            (
                "schedulingPolicy",
                vec![json!({ "minAvailable": 2, "queue": "q" }), json!({})],
            ),
            ("suspend", vec![json!(false), json!(true)]),
            ("managedBy", vec![json!("kubeflow.org/training-operator")]),
        ],
    );
    Value::Object(fields)
}

fn elastic(dice: &mut Dice, name: &str) -> Value {
    let fields = dice.fields(
        2,
        &[
            ("minReplicas", vec![json!(1)]),
            ("maxReplicas", vec![json!(3), json!(5)]),
            ("maxRestarts", vec![json!(0), json!(10)]),
            ("rdzvBackend", vec![json!("c10d"), json!("etcd")]),
            (
                "rdzvHost",
                vec![json!(format!("{name}-worker-0")), json!("etcd.example")],
            ),
            ("rdzvPort", vec![json!(2379)]),
            ("rdzvId", vec![json!("run-7")]),
            (
                "rdzvConf",
                vec![json!([{ "key": "timeout", "value": "60" }])],
            ),
            ("standalone", vec![json!(true), json!(false)]),
        ],
    );
    Value::Object(fields)
}
