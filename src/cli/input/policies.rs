//! MigrationPolicies from files: read as strictly as they can be, and more strictly than the API server does.

use std::collections::HashMap;
use std::sync::LazyLock;

use kube::CustomResourceExt as _;
use serde_json::{Value, json};

use super::near::near;
use super::strict::{self, Fault, Written};
use crate::api::meta::{MIGRATION_POLICY, MIGRATION_POLICY_TEST, OWN_API_VERSION, SERVER_FIELDS};
use crate::api::policy::MigrationPolicy;
use crate::policy::check;

/// What is in files of policies.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Policies without a mistake, and where they were written.
    pub policies: Vec<(MigrationPolicy, Written)>,
    /// Objects of other kinds.
    pub others: Vec<Written>,
    /// Every mistake, in the order of the files.
    pub faults: Vec<Fault>,
}

/// The policies of a file's text, where nothing else is looked for: a file of `serve --policy`.
///
/// # Errors
/// Every mistake in it.
pub fn read(file: &str, text: &str) -> Result<Vec<MigrationPolicy>, Vec<Fault>> {
    let mut contents = Contents::default();
    contents.add(file, text);
    let contents = contents.complete();
    let strange = contents.others.iter().map(|other| {
        let kind = other.kind();
        other.fault("kind", format!("{kind:?} is no {MIGRATION_POLICY}"))
    });
    let faults: Vec<_> = contents.faults.iter().cloned().chain(strange).collect();
    if faults.is_empty() {
        let policies = contents.policies.into_iter();
        Ok(policies.map(|(policy, _)| policy).collect())
    } else {
        Err(faults)
    }
}

impl Contents {
    /// Adds what is in a file.
    pub fn add(&mut self, file: &str, text: &str) {
        let (objects, faults) = strict::objects(file, text);
        self.faults.extend(faults);
        if objects.is_empty() && self.faults.is_empty() {
            let empty = format!("there is no {MIGRATION_POLICY} in it");
            self.faults.push(Fault::of_file(file, empty));
        }
        for object in objects {
            if object.kind() == MIGRATION_POLICY && object.api_version() == OWN_API_VERSION {
                match policy(&object) {
                    Ok(policy) => self.policies.push((policy, object)),
                    Err(faults) => self.faults.extend(faults),
                }
            } else {
                match stray(&object) {
                    Some(fault) => self.faults.push(fault),
                    None => self.others.push(object),
                }
            }
        }
    }

    /// The same with what is wrong with all of them together: a name that stands twice.
    #[must_use]
    pub fn complete(mut self) -> Self {
        let mut known: HashMap<String, String> = HashMap::new();
        let policies = std::mem::take(&mut self.policies);
        for (policy, written) in policies {
            if let Some(first) = known.get(written.name()) {
                let message = format!(
                    "{:?} is the name of the policy at {first} as well; in a cluster the second replaces the first",
                    written.name()
                );
                self.faults.push(written.fault("metadata.name", message));
                continue;
            }
            let place = written.place("metadata.name").unwrap_or_default();
            let here = format!("{}:{}", written.file, place.line);
            known.insert(written.name().to_owned(), here);
            self.policies.push((policy, written));
        }
        self.faults
            .sort_by(|one, other| (&one.file, one.place).cmp(&(&other.file, other.place)));
        self
    }
}

/// What is wrong with an object that is no policy, if it was meant to be one.
fn stray(object: &Written) -> Option<Fault> {
    let (kind, version) = (object.kind(), object.api_version());
    let known = [MIGRATION_POLICY, MIGRATION_POLICY_TEST];
    if known.contains(&kind) {
        return (version != OWN_API_VERSION).then(|| Fault {
            hint: Some(format!("write {OWN_API_VERSION}")),
            ..object.fault("apiVersion", format!("{version:?} has no kind {kind}"))
        });
    }
    let meant = near(kind, known);
    if kind.is_empty() {
        let message = "kind is missing: this is no Kubernetes object";
        return Some(object.fault("", message));
    }
    (object.is_own() || meant.is_some()).then(|| Fault {
        hint: meant.map(|meant| format!("did you mean {meant}?")),
        ..object.fault("kind", format!("there is no kind {kind:?}"))
    })
}

fn policy(object: &Written) -> Result<MigrationPolicy, Vec<Fault>> {
    let policy: MigrationPolicy = object.read(&SCHEMA)?;
    let problems = check::problems(&policy);
    let faults: Vec<_> = problems
        .into_iter()
        .map(|problem| object.fault(&problem.field, problem.message))
        .chain(name(object))
        .collect();
    if faults.is_empty() {
        Ok(policy)
    } else {
        Err(faults)
    }
}

/// What the API server would say of the name.
fn name(object: &Written) -> Option<Fault> {
    let name = object.name();
    let is_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let fits = name.len() <= 253
        && name.split('.').all(|label| {
            is_end(label.chars().next())
                && is_end(label.chars().last())
                && label.chars().all(|c| is_end(Some(c)) || c == '-')
        });
    (!fits).then(|| {
        object.fault(
            "metadata.name",
            format!("{name:?} is no name; use small letters, digits, - and ."),
        )
    })
}

/// The schema of the CustomResourceDefinition, with what every object has besides.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let definition = serde_json::to_value(MigrationPolicy::crd()).unwrap_or_default();
    let schema = definition.pointer("/spec/versions/0/schema/openAPIV3Schema");
    with_envelope(schema.cloned().unwrap_or_default())
});

/// A schema with `apiVersion`, `kind` and `metadata`.
pub(in crate::cli) fn with_envelope(mut schema: Value) -> Value {
    let text = json!({"type": "string"});
    let texts = json!({"type": "object", "nullable": true, "additionalProperties": text});
    let mut metadata = json!({
        "name": text, "namespace": text, "labels": texts, "annotations": texts,
        "finalizers": {}, "ownerReferences": {},
    });
    for field in SERVER_FIELDS {
        metadata[field] = json!({});
    }
    schema["type"] = json!("object");
    schema["properties"]["apiVersion"] = text.clone();
    schema["properties"]["kind"] = text;
    schema["properties"]["metadata"] =
        json!({"type": "object", "properties": metadata, "required": ["name"]});
    let required = schema["required"].as_array_mut();
    match required {
        Some(required) => required.push(json!("metadata")),
        None => schema["required"] = json!(["metadata"]),
    }
    schema
}
