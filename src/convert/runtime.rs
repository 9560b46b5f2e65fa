//! The long form: a generated `TrainingRuntime` that carries the whole pod template, and the runtime that trainshift
//! ships for jobs that need none of their own.
//!
//! Neither has a framework policy (`mlPolicy.torch`): Trainer then adds no variable and no port, and the template's own
//! are what the pods get. The same holds in every version of Trainer (trainer v2.3.0 `plugins/torch/torch.go`,
//! `plugins/plainml/plainml.go`).

mod ports;

use serde_json::json;

use crate::api::meta::{
    ANCESTOR_TRAINER, CLUSTER_TRAINING_RUNTIME, FRAMEWORK_TORCH, LABEL_ANCESTOR, LABEL_FRAMEWORK,
    NODE, ObjectMeta, SHIPPED_RUNTIME, TRAINER_API_VERSION, TRAINING_RUNTIME, VOLCANO_QUEUE,
};
use crate::api::pod::{Container, PodSpec, PodTemplate};
use crate::api::runtime::{
    JobSetSpec, JobSetTemplate, JobSpec, JobTemplate, MlPolicy, ReplicatedJob, TrainingRuntime,
    TrainingRuntimeSpec, labelled,
};
use crate::api::trainjob::{RuntimeRef, TrainJob, Trainer};

use super::finding::{Code, Finding, Outcome};
use super::ledger::Ledger;
use super::lifecycle::{DEADLINE, JobPolicy, UNLIMITED};
use super::names::JobName;
use super::plan::{Plan, PodSet};
use super::trainjob;

/// Only read by the v2 SDK, which can't list a runtime without an image; every job brings its own.
const SHIPPED_IMAGE: &str = "pytorch/pytorch";

/// The `ClusterTrainingRuntime` that trainshift ships: v1's restart rules and nothing else.
#[must_use]
pub fn shipped() -> TrainingRuntime {
    let container = Container {
        name: NODE.to_owned(),
        image: Some(SHIPPED_IMAGE.to_owned()),
        ..Container::default()
    };
    let spec = PodSpec {
        containers: vec![container],
        ..PodSpec::default()
    };
    let template = PodTemplate {
        spec,
        ..PodTemplate::default()
    };
    let mut metadata = labelled([(LABEL_FRAMEWORK, FRAMEWORK_TORCH)]);
    metadata.name = Some(SHIPPED_RUNTIME.to_owned());
    let jobs = vec![node_job(NODE, template, &JobPolicy::unlimited())];
    runtime(CLUSTER_TRAINING_RUNTIME, metadata, 1, jobs)
}

/// Writes a plan as a runtime of its own and a `TrainJob` that refers to it.
#[must_use]
pub fn generate(plan: &Plan, ledger: &mut Ledger) -> (TrainJob, TrainingRuntime) {
    let mut trainer = Trainer::default();
    let mut node = plan.node.template.clone();
    move_template(&plan.node, &mut node, 0, ledger);
    move_resources(&plan.node, &mut node, &mut trainer, ledger);
    let mut jobs = vec![node_job(plan.names.node, node, &plan.node.policy)];
    if let (Some(worker), Some(role)) = (&plan.worker, &plan.topology.worker) {
        let mut template = worker.template.clone();
        move_template(worker, &mut template, 1, ledger);
        jobs.push(ReplicatedJob {
            name: plan.names.worker.to_owned(),
            replicas: Some(role.replicas).filter(|replicas| *replicas != 1),
            template: job_template(ObjectMeta::default(), template, &worker.policy),
        });
    }
    report_ending(plan, ledger);
    let nodes = if plan.worker.is_some() {
        1
    } else {
        plan.topology.total()
    };
    let mut metadata = labelled([(LABEL_FRAMEWORK, FRAMEWORK_TORCH)]);
    metadata.name = Some(runtime_name(plan));
    metadata.namespace.clone_from(&plan.job.metadata.namespace);
    let runtime_ref = RuntimeRef {
        kind: Some(TRAINING_RUNTIME.to_owned()),
        name: runtime_name(plan),
        api_group: None,
    };
    let mut runtime = runtime(TRAINING_RUNTIME, metadata, nodes, jobs);
    if plan.worker.is_some() {
        let master = json!({"operator": "All", "targetReplicatedJobs": [plan.names.node]});
        runtime.spec.template.spec.success_policy = Some(master);
    }
    if let Some(gang) = &plan.gang {
        runtime.spec.pod_group_policy = Some(gang.policy.clone());
        if let Some(queue) = &gang.queue {
            runtime
                .spec
                .template
                .metadata
                .annotations
                .insert(VOLCANO_QUEUE.to_owned(), queue.clone());
        }
    }
    let mut trainjob = trainjob::skeleton(plan, runtime_ref, ledger);
    trainjob.spec.trainer = (trainer != Trainer::default()).then_some(trainer);
    (trainjob, runtime)
}

/// The job's own name; for a name that the API server has yet to make up, one that is the same for the same input.
fn runtime_name(plan: &Plan) -> String {
    match &plan.names.job {
        JobName::Fixed(name) => name.clone(),
        JobName::Generated(_) => format!("{}-runtime", plan.base_name()),
    }
}

fn runtime(
    kind: &str,
    metadata: ObjectMeta,
    num_nodes: i32,
    replicated_jobs: Vec<ReplicatedJob>,
) -> TrainingRuntime {
    TrainingRuntime {
        api_version: TRAINER_API_VERSION.to_owned(),
        kind: kind.to_owned(),
        metadata,
        spec: TrainingRuntimeSpec {
            ml_policy: MlPolicy { num_nodes },
            pod_group_policy: None,
            template: JobSetTemplate {
                metadata: ObjectMeta::default(),
                spec: JobSetSpec {
                    success_policy: None,
                    replicated_jobs,
                },
            },
        },
    }
}

/// The replicated job that Trainer takes for the training step.
fn node_job(name: &str, template: PodTemplate, policy: &JobPolicy) -> ReplicatedJob {
    let metadata = labelled([(LABEL_ANCESTOR, ANCESTOR_TRAINER)]);
    ReplicatedJob {
        name: name.to_owned(),
        replicas: None,
        template: job_template(metadata, template, policy),
    }
}

fn job_template(
    metadata: ObjectMeta,
    mut template: PodTemplate,
    policy: &JobPolicy,
) -> JobTemplate {
    template.spec.restart_policy = Some(policy.restart_policy.to_owned());
    JobTemplate {
        metadata,
        spec: JobSpec {
            active_deadline_seconds: policy.active_deadline_seconds,
            backoff_limit: policy.backoff_limit,
            pod_replacement_policy: "Failed".to_owned(),
            pod_failure_policy: policy.pod_failure_policy.clone(),
            success_policy: policy.success_policy.clone(),
            template,
        },
    }
}

/// Notes where the template stands, and makes it one that Trainer can merge.
fn move_template(pods: &PodSet, template: &mut PodTemplate, index: usize, ledger: &mut Ledger) {
    let job = format!("spec.template.spec.replicatedJobs[{index}].template.spec");
    ports::tell_apart(pods, template, &format!("{job}.template"), ledger);
    for source in &pods.sources {
        ledger.to_runtime(source.clone(), format!("{job}.template"));
        move_variables(pods, source, &job, ledger);
        let role = source.trim_end_matches(".template");
        ledger.to_runtime(
            format!("{role}.restartPolicy"),
            format!("{job}.template.spec.restartPolicy"),
        );
    }
    ledger.to_runtime("spec.runPolicy.backoffLimit", format!("{job}.backoffLimit"));
    if pods.policy.active_deadline_seconds.is_some() {
        ledger.to_runtime(DEADLINE, format!("{job}.activeDeadlineSeconds"));
    }
    if let Some(position) = pods
        .template
        .spec
        .containers
        .iter()
        .position(|container| container.name == NODE)
    {
        for (field, name) in &pods.launch.carried {
            ledger.to_runtime(
                field.clone(),
                format!("{job}.template.spec.containers[{position}].env[{name}].value"),
            );
        }
    }
}

/// Where variables were left out, the others stand elsewhere in the list, and are found by name.
fn move_variables(pods: &PodSet, source: &str, job: &str, ledger: &mut Ledger) {
    let (old, new) = (&pods.original.spec, &pods.template.spec);
    for (list, old, new) in [
        ("containers", &old.containers, &new.containers),
        ("initContainers", &old.init_containers, &new.init_containers),
    ] {
        for (index, (old, new)) in old.iter().zip(new).enumerate() {
            for (position, variable) in old.env.iter().enumerate() {
                let name = &variable.name;
                if new.env.get(position).is_none_or(|set| set.name != *name) {
                    let container = format!("spec.{list}[{index}]");
                    ledger.to_runtime(
                        format!("{source}.{container}.env[{position}]"),
                        format!("{job}.template.{container}.env[{name}]"),
                    );
                }
            }
        }
    }
}

/// Moves limits and requests to the `TrainJob`, where people look for them, and where the v2 SDK doesn't fail over them.
/// Claims can't stand there (trainer v2.3.0 `pkg/runtime/core/trainingruntime.go`); with them all stay in the template.
fn move_resources(
    pods: &PodSet,
    template: &mut PodTemplate,
    trainer: &mut Trainer,
    ledger: &mut Ledger,
) {
    let Some((index, container)) = template
        .spec
        .containers
        .iter_mut()
        .enumerate()
        .find(|(_, container)| container.name == NODE)
    else {
        return;
    };
    if container
        .resources
        .keys()
        .all(|key| key == "limits" || key == "requests")
    {
        trainer.resources_per_node = std::mem::take(&mut container.resources);
        for source in &pods.sources {
            let from = format!("{source}.spec.containers[{index}].resources");
            ledger.to_trainjob(from, "spec.trainer.resourcesPerNode");
        }
    }
}

/// Notes what the Job's policies mean that the job itself doesn't spell out.
fn report_ending(plan: &Plan, ledger: &mut Ledger) {
    let run_policy = &plan.job.spec.run_policy;
    let policy = &plan.node.policy;
    if run_policy.backoff_limit.is_none() && policy.backoff_limit == UNLIMITED {
        ledger.find(unset_backoff_limit(Outcome::Adapted, UNLIMITED));
    }
    if run_policy.clean_pod_policy.is_none() && policy.success_policy.is_some() {
        let at = "spec.runPolicy.cleanPodPolicy";
        let becomes = "workers that still run when the first is done are ended";
        let finding = Finding::about(Code::CleanPodPolicy, Outcome::Adapted, at);
        ledger.find(finding.change("unset (None)", becomes));
    }
}

/// The finding about a `backoffLimit` that v1 understands as no limit at all.
#[must_use]
pub fn unset_backoff_limit(outcome: Outcome, becomes: i32) -> Finding {
    Finding::about(Code::BackoffLimit, outcome, "spec.runPolicy.backoffLimit")
        .change("unset (unlimited)", becomes.to_string())
}
