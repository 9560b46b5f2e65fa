//! What can't be converted because v1 itself would refuse it: the rules of v1's own webhook
//! (training-operator v1.9.3 `pkg/webhooks/pytorch/pytorchjob_webhook.go`), and templates that nobody rendered.

use std::collections::HashSet;

use crate::api::meta::{
    MASTER, MULTIKUEUE, PYTORCHJOB, V1_API_VERSION, V1_CONTAINER, V1_CONTROLLER, WORKER,
};
use crate::api::pytorchjob::{PyTorchJob, ReplicaSpec};

use super::finding::{Code, Finding, Outcome};
use super::ledger::Ledger;
use super::names::is_dns1035;

/// Notes every reason for which v1 would refuse `job`, or could not run it.
pub fn check(job: &PyTorchJob, ledger: &mut Ledger) {
    let mut refuse = |code, at: String, had: String, note: &str| {
        ledger.find(Finding::new(code, Outcome::Refused, at).had(had).note(note));
    };
    if !job.api_version.is_empty() && job.api_version != V1_API_VERSION {
        refuse(
            Code::InvalidJob,
            "apiVersion".into(),
            quoted(&job.api_version),
            "must be kubeflow.org/v1",
        );
    }
    if !job.kind.is_empty() && job.kind != PYTORCHJOB {
        let at = "kind".into();
        refuse(
            Code::InvalidJob,
            at,
            quoted(&job.kind),
            "must be PyTorchJob",
        );
    }
    check_name(job, &mut refuse);
    let policy = &job.spec.run_policy;
    if let Some(manager) = policy.managed_by.as_deref()
        && manager != MULTIKUEUE
        && manager != V1_CONTROLLER
    {
        let note = "v1 admits kubeflow.org/training-operator and kueue.x-k8s.io/multikueue only";
        refuse(
            Code::InvalidJob,
            "spec.runPolicy.managedBy".into(),
            quoted(manager),
            note,
        );
    }
    if let Some(policy) = policy.clean_pod_policy.as_deref()
        && !matches!(policy, "" | "None" | "Running" | "All")
    {
        let note = "must be None, Running or All";
        refuse(
            Code::InvalidJob,
            "spec.runPolicy.cleanPodPolicy".into(),
            quoted(policy),
            note,
        );
    }
    if let Some(limit) = policy.backoff_limit.filter(|limit| *limit < 0) {
        refuse(
            Code::InvalidJob,
            "spec.runPolicy.backoffLimit".into(),
            limit.to_string(),
            "must be at least 0",
        );
    }
    if let Some(seconds) = policy
        .active_deadline_seconds
        .filter(|seconds| *seconds < 1)
    {
        let at = "spec.runPolicy.activeDeadlineSeconds".into();
        refuse(
            Code::Deadline,
            at,
            seconds.to_string(),
            "must be at least 1",
        );
    }
    check_processes(job, &mut refuse);
    check_replicas(job, &mut refuse);
}

fn check_name(job: &PyTorchJob, refuse: &mut impl FnMut(Code, String, String, &str)) {
    let (at, name) = match (&job.metadata.name, &job.metadata.generate_name) {
        (Some(name), _) => ("metadata.name", name),
        (None, Some(prefix)) => ("metadata.generateName", prefix),
        (None, None) => {
            return refuse(
                Code::InvalidJob,
                "metadata.name".into(),
                "no name".into(),
                "set name or generateName",
            );
        }
    };
    let valid = if at == "metadata.name" {
        is_dns1035(name)
    } else {
        is_dns1035(&format!("{name}x"))
    };
    if !valid && is_placeholder(name) {
        refuse(
            Code::Placeholder,
            at.into(),
            quoted(name),
            "the template was not rendered",
        );
    } else if !valid {
        let note = "must be at most 63 lower-case letters, digits and '-', starting with a letter";
        refuse(Code::InvalidJob, at.into(), quoted(name), note);
    }
}

fn check_processes(job: &PyTorchJob, refuse: &mut impl FnMut(Code, String, String, &str)) {
    let elastic = job.spec.elastic_policy.as_ref();
    if let Some(processes) = job.spec.nproc_per_node.as_deref() {
        let number = processes.parse::<i32>().is_ok_and(|number| number > 0);
        if is_placeholder(processes) {
            let note = "the template was not rendered";
            refuse(
                Code::Placeholder,
                "spec.nprocPerNode".into(),
                quoted(processes),
                note,
            );
        } else if !number && !matches!(processes, "auto" | "cpu" | "gpu") {
            let note = "must be auto, cpu, gpu or a number above 0";
            refuse(
                Code::InvalidJob,
                "spec.nprocPerNode".into(),
                quoted(processes),
                note,
            );
        }
        if let Some(count) = elastic.and_then(|elastic| elastic.nproc_per_node) {
            let at = "spec.elasticPolicy.nProcPerNode".into();
            refuse(
                Code::InvalidJob,
                at,
                count.to_string(),
                "must not be used together with spec.nprocPerNode",
            );
        }
    }
    let has_worker = job
        .spec
        .pytorch_replica_specs
        .keys()
        .any(|key| key.eq_ignore_ascii_case(WORKER));
    if elastic.is_some() && !has_worker {
        let at = "spec.elasticPolicy".into();
        refuse(
            Code::InvalidJob,
            at,
            "elasticPolicy".into(),
            "needs spec.pytorchReplicaSpecs.Worker",
        );
    }
}

fn check_replicas(job: &PyTorchJob, refuse: &mut impl FnMut(Code, String, String, &str)) {
    let specs = &job.spec.pytorch_replica_specs;
    if specs.is_empty() {
        let at = "spec.pytorchReplicaSpecs".into();
        refuse(
            Code::InvalidJob,
            at,
            "no replicas".into(),
            "must have Master, Worker or both",
        );
    }
    for kind in [MASTER, WORKER] {
        if specs
            .keys()
            .filter(|key| key.eq_ignore_ascii_case(kind))
            .count()
            > 1
        {
            let at = format!("spec.pytorchReplicaSpecs.{kind}");
            refuse(
                Code::InvalidJob,
                at,
                kind.into(),
                "is given twice, in different spellings",
            );
        }
    }
    for (key, spec) in specs {
        let at = format!("spec.pytorchReplicaSpecs.{key}");
        let is_master = key.eq_ignore_ascii_case(MASTER);
        if !is_master && !key.eq_ignore_ascii_case(WORKER) {
            refuse(
                Code::InvalidJob,
                at,
                quoted(key),
                "must be Master or Worker",
            );
        } else if let Some(spec) = spec {
            check_replica(&at, is_master, spec, refuse);
        } else {
            refuse(Code::InvalidJob, at, "null".into(), "must have a template");
        }
    }
}

fn check_replica(
    at: &str,
    is_master: bool,
    spec: &ReplicaSpec,
    refuse: &mut impl FnMut(Code, String, String, &str),
) {
    let replicas = spec
        .replicas
        .map_or_else(|| "unset".to_owned(), |replicas| replicas.to_string());
    if is_master && spec.replicas != Some(1) {
        refuse(
            Code::InvalidJob,
            format!("{at}.replicas"),
            replicas,
            "must be 1",
        );
    } else if spec.replicas.is_some_and(|replicas| replicas < 1) {
        refuse(
            Code::InvalidJob,
            format!("{at}.replicas"),
            replicas,
            "must be at least 1",
        );
    }
    if let Some(policy) = spec.restart_policy.as_deref()
        && !matches!(policy, "" | "Always" | "OnFailure" | "Never" | "ExitCode")
    {
        let note = "must be Always, OnFailure, Never or ExitCode";
        refuse(
            Code::InvalidJob,
            format!("{at}.restartPolicy"),
            quoted(policy),
            note,
        );
    }
    let containers = &spec.template.spec.containers;
    let at = format!("{at}.template.spec.containers");
    if !containers
        .iter()
        .any(|container| container.name == V1_CONTAINER)
    {
        let note = "v1 trains in the container of that name";
        refuse(
            Code::InvalidJob,
            at.clone(),
            "no container pytorch".into(),
            note,
        );
    }
    let mut names = HashSet::new();
    for (index, container) in containers.iter().enumerate() {
        if !names.insert(&container.name) {
            let at = format!("{at}[{index}].name");
            let note = "another container has the same name";
            refuse(Code::InvalidJob, at, quoted(&container.name), note);
        }
        let at = format!("{at}[{index}].image");
        match container.image.as_deref() {
            None | Some("") => refuse(Code::InvalidJob, at, "no image".into(), "must be set"),
            Some(image) if is_placeholder(image) => {
                refuse(
                    Code::Placeholder,
                    at,
                    quoted(image),
                    "the template was not rendered",
                );
            }
            Some(_) => {}
        }
    }
}

/// Whether `text` holds `$VAR`, `${VAR}` or `{{ value }}`.
fn is_placeholder(text: &str) -> bool {
    text.contains(['$', '{', '}']) || text.contains("<%")
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}
