//! Mutants that say something else.

use serde_json::{Value, json};

use super::{Break, Mutant, annotation, mutant, place};

pub(super) fn mutants() -> impl Iterator<Item = Mutant> {
    let changed = [
        (
            "changes_a_variable",
            "C/env/1/value".to_owned(),
            json!("run"),
            "containers[trainer].env[RUN]",
        ),
        (
            "says_a_wrong_world_size",
            "C/env/9/value".to_owned(),
            json!("3"),
            "containers[trainer].env[WORLD_SIZE]",
        ),
        (
            "says_a_wrong_master",
            "C/env/7/value".to_owned(),
            json!("rich-node-0-1.rich"),
            "containers[trainer].env[MASTER_ADDR]",
        ),
        (
            "says_a_wrong_port",
            "C/env/5/value".to_owned(),
            json!("23456"),
            "containers[trainer].env[MASTER_PORT]",
        ),
        (
            "counts_ranks_by_job",
            "C/env/10/valueFrom".to_owned(),
            annotation("jobset.sigs.k8s.io/job-global-index"),
            "containers[trainer].env[RANK]",
        ),
        (
            "changes_the_image",
            "C/image".to_owned(),
            json!("registry.example/train:1.3"),
            "containers[trainer].image",
        ),
        (
            "changes_an_address_in_an_argument",
            "C/args/1".to_owned(),
            json!("--store=rich-node-0-2.rich:29400"),
            "containers[trainer].args",
        ),
        (
            "changes_the_command",
            "C/command/1".to_owned(),
            json!("test.py"),
            "containers[trainer].command",
        ),
        (
            "changes_the_pull_policy",
            "C/imagePullPolicy".to_owned(),
            json!("Never"),
            "containers[trainer].imagePullPolicy",
        ),
        (
            "changes_a_volume",
            "P/volumes/0/persistentVolumeClaim/claimName".to_owned(),
            json!("other"),
            "volumes[data]",
        ),
        (
            "changes_the_restart_limit",
            "J/backoffLimit".to_owned(),
            json!(6),
            "restart.limit",
        ),
    ];
    let changed = changed.into_iter().chain(affinities());
    changed.map(|(name, at, value, field)| mutant(name, Break::Set(place(&at), value), field))
}

fn affinities() -> [(&'static str, String, Value, &'static str); 2] {
    let terms = "P/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/0";
    let term = |rest: &str| format!("{terms}{rest}");
    [
        (
            "changes_a_key_of_the_affinity",
            term("/topologyKey"),
            json!("topology.kubernetes.io/zone"),
            "affinity",
        ),
        (
            "changes_a_selector_of_the_affinity",
            term("/labelSelector/matchLabels"),
            json!({"training.kubeflow.org/job-name": "other"}),
            "affinity",
        ),
    ]
}
