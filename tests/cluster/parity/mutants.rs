//! Conversions broken on purpose, one way each: what compares must see it, and say which field it is.
//!
//! The rich golden case is converted, one thing in the result is dropped or changed, and the rest is as always: created
//! for real, and compared. A mutant that is admitted and not named is a hole in the comparison.

use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use trainshift::convert::target::{Layout, Style};
use trainshift::parity::Shape;

use super::cases::{self, Case};
use super::run::{Parity, differences};
use super::side::{Made, Sent, State};

/// The golden case that has something to break of everything.
const RICH: &str = "everything-that-a-mutant-can-break";

/// What is done to the conversion.
#[derive(Clone)]
enum Break {
    /// The value at this pointer goes.
    Drop(String),
    /// The value at this pointer, there or not, becomes this one.
    Set(String, Value),
}

/// One way to break it.
#[derive(Clone)]
pub(super) struct Mutant {
    /// What is wrong with it.
    pub(super) name: &'static str,
    layout: Layout,
    broken: Break,
    /// The fact that must be named.
    pub(super) field: &'static str,
    /// How many pods it comes to.
    pods: usize,
}

/// What is dropped: a name, a place, and the fact that must be named. Places are explained at [`place`].
const DROPPED: &[(&str, &str, &str)] = &[
    (
        "drops_a_variable",
        "C/env/0",
        "containers[trainer].env[EPOCHS]",
    ),
    (
        "drops_a_secret_variable",
        "C/env/3",
        "containers[trainer].env[TOKEN]",
    ),
    ("drops_env_from", "C/envFrom", "containers[trainer].envFrom"),
    (
        "drops_a_variable_of_the_sidecar",
        "S/env/7",
        "containers[logs].env[RANK]",
    ),
    ("drops_the_sidecar", "S", "containers[logs].image"),
    (
        "drops_an_init_container",
        "P/initContainers",
        "initContainers[fetch].image",
    ),
    ("drops_an_argument", "C/args/0", "containers[trainer].args"),
    (
        "drops_the_working_directory",
        "C/workingDir",
        "containers[trainer].workingDir",
    ),
    (
        "drops_the_second_mount_of_a_volume",
        "C/volumeMounts/1",
        "containers[trainer].volumeMounts[/checkpoints]",
    ),
    (
        "drops_a_port",
        "C/ports/1",
        "containers[trainer].ports[9090/TCP]",
    ),
    (
        "drops_resources",
        "T/trainer/resourcesPerNode/limits/nvidia.com~1gpu",
        "containers[trainer].resources.limits[nvidia.com/gpu]",
    ),
    (
        "drops_a_probe",
        "C/livenessProbe",
        "containers[trainer].livenessProbe",
    ),
    (
        "drops_a_hook",
        "C/lifecycle",
        "containers[trainer].lifecycle",
    ),
    (
        "drops_a_containers_security_context",
        "C/securityContext",
        "containers[trainer].securityContext",
    ),
    (
        "drops_a_pods_security_context",
        "P/securityContext/runAsUser",
        "securityContext.runAsUser",
    ),
    ("drops_a_toleration", "P/tolerations/1", "tolerations"),
    ("drops_the_node_selector", "P/nodeSelector", "nodeSelector"),
    ("drops_the_affinity", "P/affinity", "affinity"),
    (
        "drops_the_spread",
        "P/topologySpreadConstraints",
        "topologySpreadConstraints",
    ),
    (
        "drops_a_scheduling_gate",
        "P/schedulingGates",
        "schedulingGates",
    ),
    (
        "drops_the_priority_class",
        "P/priorityClassName",
        "priorityClassName",
    ),
    ("drops_the_scheduler", "P/schedulerName", "schedulerName"),
    (
        "drops_the_grace_period",
        "P/terminationGracePeriodSeconds",
        "terminationGracePeriodSeconds",
    ),
    ("drops_the_resolver_options", "P/dnsConfig", "dnsConfig"),
    (
        "drops_the_service_account",
        "P/serviceAccountName",
        "serviceAccountName",
    ),
    (
        "drops_the_pull_secret",
        "P/imagePullSecrets",
        "imagePullSecrets",
    ),
    ("drops_a_label", "M/labels/team", "labels[team]"),
    (
        "drops_an_annotation",
        "M/annotations/example.com~1note",
        "annotations[example.com/note]",
    ),
    (
        "drops_the_pod_failure_policy",
        "J/podFailurePolicy",
        "restart.final exit codes",
    ),
    ("drops_the_success_rule", "J/successPolicy", "succeeds"),
    ("drops_the_deadline", "T/activeDeadlineSeconds", "deadline"),
];

/// All of them.
pub(super) fn all() -> Vec<Mutant> {
    let dropped = DROPPED.iter();
    let dropped = dropped.map(|(name, at, field)| mutant(name, Break::Drop(place(at)), field));
    dropped.chain(changed()).chain(resized()).collect()
}

/// Where a place is in what is sent: in the training container (`C`), the sidecar (`S`), the pod's spec (`P`) or metadata (`M`),
/// the Job (`J`), the TrainJob (`T`).
fn place(at: &str) -> String {
    let (what, rest) = at.split_at(1);
    let within = match what {
        "C" => format!("{POD}/spec/containers/0"),
        "S" => format!("{POD}/spec/containers/1"),
        "P" => format!("{POD}/spec"),
        "M" => format!("{POD}/metadata"),
        "J" => JOB.to_owned(),
        _ => "/trainjob/spec".to_owned(),
    };
    within + rest
}

/// A variable's source: the pod's annotation.
fn annotation(key: &str) -> Value {
    json!({ "fieldRef": { "fieldPath": format!("metadata.annotations['{key}']") } })
}

fn changed() -> impl Iterator<Item = Mutant> {
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
    let changed = changed.into_iter().chain(changed_affinities());
    changed.map(|(name, at, value, field)| mutant(name, Break::Set(place(&at), value), field))
}

fn changed_affinities() -> [(&'static str, String, Value, &'static str); 2] {
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

/// Those with other pods than the rest.
fn resized() -> [Mutant; 3] {
    let set = |name, at: &str, value, field| mutant(name, Break::Set(place(at), value), field);
    let by_pod = annotation("batch.kubernetes.io/job-completion-index");
    let second_job = place("C/env/10/valueFrom").replace("Jobs/0", "Jobs/1");
    [
        Mutant {
            pods: 2,
            ..set("has_a_node_too_few", "T/trainer/numNodes", json!(2), "name")
        },
        Mutant {
            pods: 0,
            ..set("is_suspended", "T/suspend", json!(true), "suspended")
        },
        Mutant {
            layout: Layout::Roles,
            ..mutant(
                "counts_ranks_by_pod_in_two_roles",
                Break::Set(second_job, by_pod),
                "containers[trainer].env[RANK]",
            )
        },
    ]
}

const JOB: &str = "/runtime/spec/template/spec/replicatedJobs/0/template/spec";
const POD: &str = "/runtime/spec/template/spec/replicatedJobs/0/template/spec/template";

fn mutant(name: &'static str, broken: Break, field: &'static str) -> Mutant {
    Mutant {
        name,
        layout: Layout::Auto,
        broken,
        field,
        pods: 3,
    }
}

impl Parity {
    /// Creates the mutant, and fails unless it is named.
    pub(super) fn catch(&self, mutant: &Mutant) -> Result<()> {
        // What v1 makes of the rich case is the same for all mutants.
        static V1: OnceLock<Result<Vec<Shape>, String>> = OnceLock::new();
        let case = rich()?;
        let v1 = V1.get_or_init(|| match self.v1(&case) {
            Ok(Made::Whole(shapes)) => Ok(shapes),
            Ok(Made::Refused(why)) => Err(why),
            Err(error) => Err(format!("{error:#}")),
        });
        let v1 = v1.as_ref().map_err(|why| anyhow::anyhow!("{why}"))?;
        let conversion = self.convert(&case, Style::Exact, mutant.layout)?;
        let output = conversion.output.as_ref().context("it is refused")?;
        let sent = mutant.applied(&Sent::of(output)?)?;
        let states = match mutant.pods {
            0 => vec![State::Suspended],
            pods => vec![State::Pods(pods)],
        };
        let v2 = match self.v2_in(&case, &sent, &states)? {
            Made::Whole(shapes) => shapes,
            Made::Refused(why) => bail!("the API server catches it before: {why}"),
        };
        let differences = differences(v1, &v2, &conversion.ledger.findings);
        let undeclared: Vec<String> = differences
            .iter()
            .filter(|difference| difference.declared.is_none())
            .map(ToString::to_string)
            .collect();
        let named = differences.iter().any(|difference| {
            difference.declared.is_none() && is_within(&difference.field, mutant.field)
        });
        ensure!(
            named,
            "nobody sees that {} differs; seen: {undeclared:#?}",
            mutant.field
        );
        Ok(())
    }
}

/// Whether a fact is the expected one, or part of it.
fn is_within(field: &str, expected: &str) -> bool {
    field
        .strip_prefix(expected)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', ' ']))
}

fn rich() -> Result<Case> {
    let mut golden = cases::golden()?.into_iter();
    golden.find(|case| case.name == RICH).context(RICH)
}

impl Mutant {
    fn applied(&self, sent: &Sent) -> Result<Sent> {
        let mut objects = json!({ "runtime": sent.runtime, "trainjob": sent.trainjob });
        let (Break::Drop(at) | Break::Set(at, _)) = &self.broken;
        let (parent, last) = at.rsplit_once('/').context("a pointer")?;
        let last = last.replace("~1", "/");
        let parent = objects
            .pointer_mut(parent)
            .with_context(|| format!("there is no {at} to break"))?;
        match (&self.broken, parent) {
            (Break::Drop(_), Value::Object(fields)) => {
                fields
                    .remove(&last)
                    .with_context(|| format!("there is no {at}"))?;
            }
            (Break::Drop(_), Value::Array(items)) => {
                let index: usize = last.parse()?;
                ensure!(index < items.len(), "there is no {at}");
                items.remove(index);
            }
            (Break::Set(_, value), Value::Array(items)) => {
                let index: usize = last.parse()?;
                *items
                    .get_mut(index)
                    .with_context(|| format!("there is no {at}"))? = value.clone();
            }
            (Break::Set(_, value), parent) => parent[last] = value.clone(),
            (Break::Drop(_), _) => bail!("there is no {at}"),
        }
        Ok(Sent {
            runtime: Some(objects["runtime"].take()),
            trainjob: objects["trainjob"].take(),
        })
    }
}
