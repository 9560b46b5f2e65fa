//! The variables of a training process: what v1 sets, and what each form of the conversion has.

use std::fmt::Write as _;

use serde_json::Value;

use crate::api::meta::{NODE, SHIPPED_RUNTIME, TORCH_DISTRIBUTED, WORKER_JOB};
use crate::api::pod::EnvVar;
use crate::api::pytorchjob::PyTorchJob;
use crate::convert::launch::RESERVED;
use crate::convert::target::{Dialect, GangScheduler};
use crate::convert::{Output, convert};

use super::probe::{self, Catalogue, Launch};
use super::{Form, by_dialect, code, escape};

/// Writes the section.
pub(super) fn write(catalogue: &Catalogue, text: &mut String) -> anyhow::Result<()> {
    let _ = write!(
        text,
        "\n## Environment\n\nThe variables that v1 appends to every container of `containers`, after the job's own \
        (`controller.v1/pytorch/envvar.go`, `controller.v1/pytorch/elastic.go`), in v1's order, for jobs called `mnist`. \
        On `{SHIPPED_RUNTIME}` and on a runtime of its own a job has the same. On `{TORCH_DISTRIBUTED}` Trainer's torch \
        policy sets some, and computes the number of processes from the resources. Kubernetes adds `JOB_COMPLETION_INDEX`.\n"
    );
    for launch in &catalogue.launch {
        let job = job(catalogue, launch)?;
        let has_roles = job.spec.pytorch_replica_specs.len() > 1;
        let roles = if has_roles { " exact, two roles |" } else { "" };
        let line = if has_roles { "---|" } else { "" };
        let _ = write!(
            text,
            "\n{}{}:\n\n| variable | v1 | exact |{roles} `{TORCH_DISTRIBUTED}` |\n|---|---|---|{line}---|\n",
            catalogue.job(&launch.job)?.text,
            launch.text
        );
        for name in names(&job, launch) {
            let v1 = launch.v1.iter().find(|set| set.variable == name);
            let v1 = v1.map_or_else(String::new, |set| match set.value.as_str() {
                "" => "empty".to_owned(),
                value => code(value),
            });
            let _ = write!(text, "| `{name}` | {v1}");
            let forms: &[Form] = if has_roles {
                &[Form::Own, Form::Roles, Form::Idiomatic]
            } else {
                &[Form::Own, Form::Idiomatic]
            };
            for form in forms {
                let _ = write!(text, " | {}", by_dialect(|d| cell(&job, *form, d, &name)));
            }
            text.push_str(" |\n");
        }
    }
    Ok(())
}

/// The job that the variables are of.
pub(super) fn job(catalogue: &Catalogue, launch: &Launch) -> anyhow::Result<PyTorchJob> {
    let mut manifest = catalogue.job(&launch.job)?.manifest.clone();
    for (key, value) in &launch.spec {
        manifest["spec"][key] = value.clone();
    }
    probe::job(&manifest)
}

/// Every variable that v1 or a conversion sets: v1's order, and before it what only the conversion has.
fn names(job: &PyTorchJob, launch: &Launch) -> Vec<String> {
    let v1: Vec<_> = launch.v1.iter().map(|set| set.variable.clone()).collect();
    let output = convert(job, &Form::Own.target(Dialect::V2_3, GangScheduler::None)).output;
    let set = output.map(|output| of(&output, NODE)).unwrap_or_default();
    let added = set.into_iter().map(|variable| variable.name);
    added
        .filter(|name| !v1.contains(name))
        .chain(v1.iter().cloned())
        .collect()
}

/// The variables of the training container of the replicated job `name`, as the pods get them: the runtime's, then the
/// `TrainJob`'s, which is about `node` only.
pub(super) fn of(output: &Output, name: &str) -> Vec<EnvVar> {
    let runtime = serde_json::to_value(&output.runtime).unwrap_or_default();
    let jobs = runtime["spec"]["template"]["spec"]["replicatedJobs"].as_array();
    let job = jobs.into_iter().flatten().find(|job| job["name"] == name);
    let containers = job.map(|job| &job["template"]["spec"]["template"]["spec"]["containers"]);
    let container = containers
        .and_then(Value::as_array)
        .and_then(|all| all.iter().find(|one| one["name"] == NODE || name != NODE));
    let mut set: Vec<EnvVar> = container
        .and_then(|container| serde_json::from_value(container["env"].clone()).ok())
        .unwrap_or_default();
    if let (NODE, Some(trainer)) = (name, &output.trainjob.spec.trainer) {
        set.retain(|variable| trainer.env.iter().all(|other| other.name != variable.name));
        set.extend(trainer.env.iter().cloned());
    }
    set
}

fn cell(job: &PyTorchJob, form: Form, dialect: Dialect, name: &str) -> String {
    let Some(output) = convert(job, &form.target(dialect, GangScheduler::None)).output else {
        return "refused".to_owned();
    };
    let value = |replicated_job| {
        let set = of(&output, replicated_job);
        let variable = set.iter().find(|variable| variable.name == name);
        variable.map(value_of)
    };
    let node = value(NODE);
    if form == Form::Idiomatic && node.is_none() && RESERVED.contains(&name) {
        return "set by Trainer".to_owned();
    }
    let node = node.unwrap_or_else(|| "not set".to_owned());
    match value(WORKER_JOB) {
        Some(worker) if worker != node => format!("Master {node}<br>Worker {worker}"),
        _ => node,
    }
}

fn value_of(variable: &EnvVar) -> String {
    if let Some(value) = &variable.value {
        return format!("`{value}`");
    }
    let field = variable
        .value_from
        .as_ref()
        .map(|from| &from["fieldRef"]["fieldPath"]);
    let field = field.and_then(Value::as_str).unwrap_or_default();
    escape(field)
        .replace("metadata.annotations", "pod annotation ")
        .replace("metadata.labels", "pod label ")
        .replace("['", "`")
        .replace("']", "`")
}
