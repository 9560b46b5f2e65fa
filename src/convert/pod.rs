//! The pod template: carried as it is, but for the training container's name, the launch environment, v1's addresses
//! in text, and the few fields that v2 sets by itself.

mod env;
mod ignored;
mod labels;
mod probes;
mod rename;

use serde_json::Value;

use crate::api::Rest;
use crate::api::meta::{NODE, ObjectMeta, V1_CONTAINER};
use crate::api::pod::{PodSpec, PodTemplate};

use super::finding::{Code, Finding, Outcome};
use super::launch::{For, Launch};
use super::ledger::Ledger;
use super::names::Names;
use super::topology::Topology;

pub use ignored::report_ignored;
pub use labels::drop_unselected;

/// What a pod template is converted for.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The job's pods.
    pub topology: &'a Topology<'a>,
    /// The v2 names.
    pub names: &'a Names,
    /// Whose pods these are.
    pub role: For,
    /// The environment that v1 would append.
    pub launch: &'a Launch,
}

/// Where the template stands in the input: once for each role that shares it.
#[derive(Clone, Debug)]
struct Sources(Vec<String>);

impl Sources {
    fn finding(&self, code: Code, outcome: Outcome, suffix: &str) -> Finding {
        let paths: Vec<_> = self
            .0
            .iter()
            .map(|source| format!("{source}{suffix}"))
            .collect();
        Finding::new(code, outcome, paths.first().cloned().unwrap_or_default()).covering(paths)
    }
}

/// Converts one template, which stands at `sources` of the input (two paths where Master and Worker share it).
///
/// # Errors
/// A finding that refuses the job: a container that v2 needs the name of, or containers that no pod can have.
pub fn convert(
    template: &PodTemplate,
    sources: &[String],
    context: Context,
    ledger: &mut Ledger,
) -> Result<PodTemplate, Finding> {
    let sources = Sources(sources.to_vec());
    let mut spec = template.spec.clone();
    refuse_impossible(&spec, &sources)?;
    let mut metadata = ObjectMeta {
        labels: template.metadata.labels.clone(),
        annotations: template.metadata.annotations.clone(),
        ..ObjectMeta::default()
    };
    ignored::drop_empty(&mut spec, &sources, ledger);
    labels::drop_overwritten(&mut metadata, &sources, ledger);
    labels::drop_job_labels(&mut metadata, &sources, ledger);
    rename::annotations(&mut metadata, &sources, ledger);
    report_fixed_by_v2(&mut spec, &sources, ledger);
    for (index, container) in spec.init_containers.iter_mut().enumerate() {
        let at = format!(".spec.initContainers[{index}]");
        rename::hosts(container, context, &sources, &at, ledger);
        rename::references(&mut container.env, &sources, &at, ledger);
        rename::pod_names(&container.env, context, &sources, &at, ledger);
        // v1 gives init containers no variables.
        env::append(container, &Launch::default(), &sources, &at, ledger);
    }
    for (index, container) in spec.containers.iter_mut().enumerate() {
        let at = format!(".spec.containers[{index}]");
        rename::hosts(container, context, &sources, &at, ledger);
        rename::references(&mut container.env, &sources, &at, ledger);
        rename::pod_names(&container.env, context, &sources, &at, ledger);
        if container.name == V1_CONTAINER {
            NODE.clone_into(&mut container.name);
            let finding =
                sources.finding(Code::ContainerName, Outcome::Adapted, &format!("{at}.name"));
            ledger.find(finding.change(V1_CONTAINER, NODE));
        }
        env::append(container, context.launch, &sources, &at, ledger);
        probes::report(container, context.launch, &sources, &at, ledger);
    }
    rename::volumes(&mut spec.volumes, &sources, ledger);
    rename::pod_name_files(&mut spec.volumes, context, &sources, ledger);
    labels::keep_selected(&mut metadata, &spec, context, &sources, ledger);
    Ok(PodTemplate {
        metadata,
        spec,
        rest: Rest::new(),
    })
}

fn refuse_impossible(spec: &PodSpec, sources: &Sources) -> Result<(), Finding> {
    for (list, containers) in [
        ("containers", &spec.containers),
        ("initContainers", &spec.init_containers),
    ] {
        if let Some(index) = containers
            .iter()
            .position(|container| container.name == NODE)
        {
            let at = format!(".spec.{list}[{index}].name");
            return Err(sources
                .finding(Code::ContainerNameTaken, Outcome::Refused, &at)
                .had(NODE));
        }
    }
    if spec.ephemeral_containers.is_empty() {
        Ok(())
    } else {
        Err(sources.finding(
            Code::EphemeralContainers,
            Outcome::Refused,
            ".spec.ephemeralContainers",
        ))
    }
}

/// Takes out what `JobSet` and the Job controller set by themselves.
fn report_fixed_by_v2(spec: &mut PodSpec, sources: &Sources, ledger: &mut Ledger) {
    spec.restart_policy = None;
    for (key, value) in [
        ("hostname", spec.hostname.take()),
        ("subdomain", spec.subdomain.take()),
    ] {
        if let Some(value) = value {
            let finding =
                sources.finding(Code::HostnameFixed, Outcome::Lost, &format!(".spec.{key}"));
            ledger.find(finding.had(value));
        }
    }
    if spec.rest.get("setHostnameAsFQDN") == Some(&Value::Bool(true)) {
        let finding = sources
            .finding(
                Code::HostnameFixed,
                Outcome::Adapted,
                ".spec.setHostnameAsFQDN",
            )
            .covering(Vec::new());
        ledger.find(
            finding
                .change("the full name", "a longer one")
                .note("a pod whose full name has more than 64 characters doesn't start"),
        );
    }
}
