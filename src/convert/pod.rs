//! The pod template: carried as it is, but for the training container's name, the launch environment, v1's addresses
//! in text, and the few fields that v2 sets by itself.

use serde_json::Value;

use crate::api::meta::{
    CONTAINER_ANNOTATIONS, DEFAULT_CONTAINER, NODE, SERVER_FIELDS, V1_CONTAINER, V1_LABEL_JOB_NAME,
    V1_LABEL_JOB_ROLE, V1_LABEL_OPERATOR, V1_LABEL_PREFIX, V1_LABEL_REPLICA_INDEX,
    V1_LABEL_REPLICA_TYPE, V1_OPERATOR,
};
use crate::api::pod::{Container, EnvVar, PodSpec, PodTemplate};
use crate::api::{Rest, meta::ObjectMeta};

use super::finding::{Code, Finding, Outcome};
use super::launch::{self, For, Launch};
use super::ledger::{Ledger, push_key};
use super::names::{JobName, NAME_VARIABLE, Names};
use super::topology::{Topology, mentions};

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
    rename_annotations(&mut metadata, &sources, ledger);
    report_fixed_by_v2(&mut spec, &sources, ledger);
    for (index, container) in spec.init_containers.iter_mut().enumerate() {
        let at = format!(".spec.initContainers[{index}]");
        rewrite_hosts(container, context, &sources, &at, ledger);
        rename_references(&mut container.env, &sources, &at, ledger);
    }
    for (index, container) in spec.containers.iter_mut().enumerate() {
        let at = format!(".spec.containers[{index}]");
        rewrite_hosts(container, context, &sources, &at, ledger);
        rename_references(&mut container.env, &sources, &at, ledger);
        if container.name == V1_CONTAINER {
            NODE.clone_into(&mut container.name);
            let finding =
                sources.finding(Code::ContainerName, Outcome::Adapted, &format!("{at}.name"));
            ledger.find(finding.change(V1_CONTAINER, NODE));
        }
        append_environment(container, context.launch, &sources, &at, ledger);
    }
    for (index, volume) in spec.volumes.iter_mut().enumerate() {
        if volume.rest.values_mut().map(rename_in_value).sum::<usize>() > 0 {
            let at = format!(".spec.volumes[{index}]");
            ledger.find(
                sources
                    .finding(Code::ContainerReference, Outcome::Adapted, &at)
                    .note("containerName: pytorch -> node"),
            );
        }
    }
    keep_labels(&mut metadata, &spec, context, &sources, ledger);
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

/// Notes what a role's template holds that reaches no pod, under v1 or v2: for each role by itself, because roles that
/// share a template may differ in it.
pub fn report_ignored(template: &PodTemplate, source: &str, ledger: &mut Ledger) {
    let sources = Sources(vec![source.to_owned()]);
    let meta = &template.metadata;
    for (key, value) in [
        ("name", &meta.name),
        ("generateName", &meta.generate_name),
        ("namespace", &meta.namespace),
    ] {
        if let Some(value) = value {
            let finding = sources.finding(
                Code::SmallDifference,
                Outcome::Adapted,
                &format!(".metadata.{key}"),
            );
            ledger.find(finding.had(value).note("v1 overwrites it, and so does v2"));
        }
    }
    for key in meta.rest.keys() {
        let server = SERVER_FIELDS.contains(&key.as_str());
        let (code, outcome) = if server {
            (Code::ServerFields, Outcome::Adapted)
        } else {
            (Code::TemplateMetadata, Outcome::Lost)
        };
        let mut at = format!("{source}.metadata");
        push_key(&mut at, key);
        ledger.find(Finding::new(code, outcome, at));
    }
    for key in template.rest.keys() {
        let mut at = source.to_owned();
        push_key(&mut at, key);
        ledger.find(Finding::new(Code::UnknownField, Outcome::Lost, at));
    }
    if let Some(policy) = &template.spec.restart_policy {
        let finding = sources.finding(
            Code::TemplateRestartPolicy,
            Outcome::Adapted,
            ".spec.restartPolicy",
        );
        ledger.find(finding.had(policy));
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
}

fn rename_annotations(metadata: &mut ObjectMeta, sources: &Sources, ledger: &mut Ledger) {
    let at = |key: &str| {
        let mut at = ".metadata.annotations".to_owned();
        push_key(&mut at, key);
        at
    };
    if let Some(value) = metadata
        .annotations
        .get_mut(DEFAULT_CONTAINER)
        .filter(|value| *value == V1_CONTAINER)
    {
        NODE.clone_into(value);
        let finding = sources.finding(
            Code::ContainerReference,
            Outcome::Adapted,
            &at(DEFAULT_CONTAINER),
        );
        ledger.find(finding.change(V1_CONTAINER, NODE));
    }
    for prefix in CONTAINER_ANNOTATIONS {
        let old = format!("{prefix}{V1_CONTAINER}");
        if let Some(value) = metadata.annotations.remove(&old) {
            let new = format!("{prefix}{NODE}");
            ledger.find(
                sources
                    .finding(Code::ContainerReference, Outcome::Adapted, &at(&old))
                    .change(&old, &new),
            );
            metadata.annotations.insert(new, value);
        }
    }
}

fn rewrite_hosts(
    container: &mut Container,
    context: Context,
    sources: &Sources,
    at: &str,
    ledger: &mut Ledger,
) {
    let mut rewrite = |text: &mut String, at: String| {
        if let Some(new) = launch::rewrite(text, context.topology, context.names) {
            let finding = sources.finding(Code::HostName, Outcome::Adapted, &at);
            ledger.find(finding.change(text.as_str(), new.as_str()));
            *text = new;
        }
    };
    for (list, texts) in [
        ("command", &mut container.command),
        ("args", &mut container.args),
    ] {
        for (index, text) in texts.iter_mut().enumerate() {
            rewrite(text, format!("{at}.{list}[{index}]"));
        }
    }
    for (index, variable) in container.env.iter_mut().enumerate() {
        if let Some(value) = &mut variable.value {
            rewrite(value, format!("{at}.env[{index}].value"));
        }
    }
}

fn rename_references(env: &mut [EnvVar], sources: &Sources, at: &str, ledger: &mut Ledger) {
    for (index, variable) in env.iter_mut().enumerate() {
        if variable
            .value_from
            .as_mut()
            .is_some_and(|source| rename_in_value(source) > 0)
        {
            let at = format!("{at}.env[{index}].valueFrom.resourceFieldRef.containerName");
            let finding = sources.finding(Code::ContainerReference, Outcome::Adapted, &at);
            ledger.find(finding.change(V1_CONTAINER, NODE));
        }
    }
}

/// Renames the container in every `resourceFieldRef` below `value`, and counts them.
fn rename_in_value(value: &mut Value) -> usize {
    match value {
        Value::Object(fields) => fields
            .iter_mut()
            .map(|(key, child)| match child.get_mut("containerName") {
                Some(name) if key == "resourceFieldRef" && *name == V1_CONTAINER => {
                    *name = Value::from(NODE);
                    1
                }
                _ => rename_in_value(child),
            })
            .sum(),
        Value::Array(items) => items.iter_mut().map(rename_in_value).sum(),
        _ => 0,
    }
}

/// Appends v1's variables, and takes out the user's variables that v1's override and those that are set again later.
fn append_environment(
    container: &mut Container,
    launch: &Launch,
    sources: &Sources,
    at: &str,
    ledger: &mut Ledger,
) {
    let names: Vec<String> = container
        .env
        .iter()
        .map(|variable| variable.name.clone())
        .collect();
    let mut index = 0;
    container.env.retain(|variable| {
        let here = index;
        index += 1;
        let overridden = variable.name != NAME_VARIABLE
            && launch.env.iter().any(|set| set.name == variable.name);
        let again = names[here + 1..].contains(&variable.name);
        let code = if overridden {
            Code::EnvOverridden
        } else {
            Code::EnvDuplicate
        };
        if overridden || again {
            let finding = sources.finding(code, Outcome::Adapted, &format!("{at}.env[{here}]"));
            let value = variable.value.as_deref().unwrap_or("valueFrom");
            ledger.find(finding.change(format!("{}={value}", variable.name), "left out"));
        }
        !(overridden || again)
    });
    let appended = launch
        .env
        .iter()
        .filter(|set| set.name != NAME_VARIABLE || !names.contains(&set.name));
    container.env.extend(appended.cloned());
}

/// Gives the pods v1's labels where a selector of the job itself names them.
fn keep_labels(
    metadata: &mut ObjectMeta,
    spec: &PodSpec,
    context: Context,
    sources: &Sources,
    ledger: &mut Ledger,
) {
    let job = match &context.names.job {
        JobName::Fixed(name) => name.as_str(),
        JobName::Generated(_) => "",
    };
    let replica_type = match context.role {
        For::All => "",
        For::Master => "master",
        For::Workers => "worker",
    };
    let job_role = if context.role == For::Master {
        "master"
    } else {
        ""
    };
    let known = [
        (V1_LABEL_JOB_NAME, job),
        (V1_LABEL_OPERATOR, V1_OPERATOR),
        (V1_LABEL_REPLICA_TYPE, replica_type),
        (V1_LABEL_JOB_ROLE, job_role),
    ];
    let mut selectors = spec
        .affinity
        .iter()
        .chain(&spec.topology_spread_constraints);
    if !selectors
        .clone()
        .any(|value| contains_text(value, V1_LABEL_PREFIX))
    {
        return;
    }
    for (label, value) in known {
        if !value.is_empty()
            && selectors
                .clone()
                .any(|selector| mentions(selector, &[label]))
        {
            metadata.labels.insert(label.to_owned(), value.to_owned());
            let finding = sources
                .finding(Code::PodLabels, Outcome::Adapted, ".metadata.labels")
                .covering(Vec::new());
            ledger.find(finding.change("set by v1", format!("{label}={value}")));
        }
    }
    if selectors.any(|value| mentions(value, &[V1_LABEL_REPLICA_INDEX])) {
        let finding = sources
            .finding(Code::PodLabels, Outcome::Lost, ".spec.affinity")
            .covering(Vec::new());
        ledger.find(
            finding.had(V1_LABEL_REPLICA_INDEX).note(
                "pods of one Job can't have different labels, so the selector matches nothing",
            ),
        );
    }
}

fn contains_text(value: &Value, prefix: &str) -> bool {
    match value {
        Value::String(text) => text.starts_with(prefix),
        Value::Array(items) => items.iter().any(|item| contains_text(item, prefix)),
        Value::Object(fields) => fields
            .iter()
            .any(|(key, value)| key.starts_with(prefix) || contains_text(value, prefix)),
        _ => false,
    }
}
