//! v1's rules, from the `PyTorchJob` (training-operator v1.9.3 `pkg/controller.v1/common/{job,pod}.go`, `pkg/core/job.go`,
//! `pkg/controller.v1/pytorch/pytorchjob_controller.go`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Restart, Rules, Success};
use crate::api::meta::{MASTER, V1_CONTROLLER};
use crate::parity::facts::words;
use crate::parity::{Facts, Shape};

/// The pods of one replica type.
struct Role<'j> {
    spec: &'j Value,
    ranks: BTreeSet<usize>,
    is_master: bool,
}

impl Role<'_> {
    fn restart_policy(&self) -> &str {
        let given = self.spec["restartPolicy"]
            .as_str()
            .filter(|policy| !policy.is_empty());
        given.unwrap_or("OnFailure")
    }

    /// Whether its pods' restarts count towards the limit (`PastBackoffLimit`).
    fn counts(&self) -> bool {
        matches!(self.restart_policy(), "OnFailure" | "Always" | "ExitCode")
    }

    fn rules(&self, limit: Option<i64>, over: &BTreeSet<usize>) -> Rules {
        let restart = match (self.restart_policy(), limit) {
            ("Always", _) => Restart::InPlaceAlways,
            // With a limit of 0 the first failed pod is one too many, whatever its exit code.
            ("ExitCode", Some(0)) | ("Never", _) => Restart::Never,
            ("ExitCode", _) => Restart::Replaced,
            _ => Restart::InPlace,
        };
        let replaced = restart == Restart::Replaced;
        Rules {
            restart,
            final_exit_codes: replaced.then(|| self.final_exit_codes().to_owned()),
            // Restarts in place are counted, of which a pod that is replaced has none.
            limit: limit.filter(|_| !replaced),
            over: over.clone(),
            evicted: if restart == Restart::Never || limit == Some(0) {
                words::FAILS
            } else {
                words::REPLACED
            },
            replacement: words::WHEN_ENDED,
        }
    }

    /// A pod that failed while its training container succeeded is none that v1 tries again
    /// (`pkg/util/train/train_util.go`); that takes another container.
    fn final_exit_codes(&self) -> &'static str {
        let containers = &self.spec["template"]["spec"]["containers"];
        if containers.as_array().map_or(0, Vec::len) > 1 {
            "0-127"
        } else {
            "1-127"
        }
    }
}

pub fn shape(pytorchjob: &Value) -> Shape {
    let spec = &pytorchjob["spec"];
    let policy = &spec["runPolicy"];
    let roles = roles(spec);
    let limit = policy["backoffLimit"].as_i64();
    let counted = roles.iter().filter(|role| role.counts());
    let over: BTreeSet<usize> = counted
        .flat_map(|role| role.ranks.iter().copied())
        .collect();
    let pods = roles.iter().flat_map(|role| {
        let facts = role.rules(limit, &over).facts();
        role.ranks.iter().map(move |_| facts.clone())
    });
    Shape {
        job: of_job(spec, policy, &roles),
        pods: pods.collect(),
        ..Shape::default()
    }
}

/// The Master, then the Workers, whatever the case of the keys (`pytorch_defaults.go`).
fn roles(spec: &Value) -> Vec<Role<'_>> {
    let mut roles: Vec<(bool, &Value)> = Vec::new();
    for (key, spec) in spec["pytorchReplicaSpecs"]
        .as_object()
        .into_iter()
        .flatten()
    {
        roles.push((key.eq_ignore_ascii_case(MASTER), spec));
    }
    roles.sort_by_key(|(is_master, _)| !is_master);
    let mut next = 0;
    let with_ranks = roles.into_iter().map(|(is_master, spec)| {
        let count = spec["replicas"].as_u64().unwrap_or(1);
        let first = next;
        next += usize::try_from(count).unwrap_or(0);
        Role {
            spec,
            ranks: (first..next).collect(),
            is_master,
        }
    });
    with_ranks.collect()
}

fn of_job(spec: &Value, policy: &Value, roles: &[Role]) -> Facts {
    let total = roles.iter().map(|role| role.ranks.len()).sum();
    let elastic = &spec["elasticPolicy"];
    let all: BTreeSet<usize> = (0..total).collect();
    let success = if roles.iter().any(|role| role.is_master) {
        Success::All(BTreeSet::from([0]))
    } else if elastic.is_null() {
        Success::All(all)
    } else {
        Success::Some(1, all)
    };
    let clean_up = match policy["cleanPodPolicy"].as_str() {
        // The operator's code leaves out no pod for a policy that is neither of the other two.
        Some("All" | "") => words::ALL_PODS,
        Some("Running") => words::RUNNING_PODS,
        _ => words::NO_PODS,
    };
    let manager = policy["managedBy"]
        .as_str()
        .filter(|manager| *manager != V1_CONTROLLER);
    let mut facts = Facts::new();
    let mut set = |name: &str, value: Value| facts.insert(name.to_owned(), value);
    set(words::SUCCEEDS, Value::from(success.words(total)));
    set(
        words::PODS,
        Value::from(number_of_pods(elastic, roles, total)),
    );
    set(words::SUSPENDED, Value::from(policy["suspend"] == true));
    set(words::CLEAN_UP, Value::from(clean_up));
    set(
        words::MANAGED_BY,
        Value::from(manager.unwrap_or(words::OWN_CONTROLLER)),
    );
    set(words::ADDRESSES, Value::from(words::WHEN_READY));
    for (name, field) in [
        (words::DEADLINE, "activeDeadlineSeconds"),
        (words::TIME_TO_LIVE, "ttlSecondsAfterFinished"),
    ] {
        if !policy[field].is_null() {
            set(name, policy[field].clone());
        }
    }
    if elastic["metrics"]
        .as_array()
        .is_some_and(|metrics| !metrics.is_empty())
    {
        set(words::AUTOSCALING, Value::from("HorizontalPodAutoscaler"));
    }
    facts
}

/// As many as there are replicas; an elastic job takes a range of workers (`pytorch_defaults.go`).
fn number_of_pods(elastic: &Value, roles: &[Role], total: usize) -> String {
    let workers = |role: &&Role| !role.is_master;
    let workers = roles
        .iter()
        .find(workers)
        .map_or(0, |role| role.ranks.len());
    let others = total - workers;
    let number = |field: &str| {
        elastic[field]
            .as_u64()
            .and_then(|number| usize::try_from(number).ok())
    };
    let (min, max) = match (number("minReplicas"), number("maxReplicas")) {
        (Some(min), Some(max)) => (min, max),
        (Some(only), None) | (None, Some(only)) => (only, only),
        (None, None) => (workers, workers),
    };
    if (min, max) == (workers, workers) {
        total.to_string()
    } else {
        format!("{} to {}", min + others, max + others)
    }
}
