//! `MigrationPolicyTest`: what policies must do, case by case, in a file beside them.

mod files;
mod given;

use std::sync::LazyLock;

use jiff::Timestamp;
use kube::core::schema::{OptionalEnum, StructuralSchemaRewriter};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::Value;

use self::files::Files;
use self::given::{Given, JobGiven};
use super::SOMEBODY;
use super::expect::{Expect, Failure};
use super::jobs::Job;
use super::world::{Question, World};
use crate::api::meta::MIGRATION_POLICY_TEST;
use crate::cli::input::places::Place;
use crate::cli::input::policies::{Contents, with_envelope};
use crate::cli::input::strict::{Fault, Written};

/// What stands in the file, but for the envelope.
#[derive(Deserialize, JsonSchema)]
struct Document {
    spec: Spec,
}

#[derive(Deserialize, JsonSchema)]
struct Spec {
    /// What all cases are given that say nothing else.
    #[serde(default)]
    given: Given,
    #[schemars(length(min = 1))]
    cases: Vec<Case>,
}

#[derive(Deserialize, JsonSchema)]
struct Case {
    #[schemars(length(min = 1))]
    name: String,
    #[serde(default)]
    given: Given,
    expect: Expect,
}

/// The cases of one object, with their jobs.
pub(super) struct Suite {
    file: String,
    name: String,
    cases: Vec<Ready>,
}

/// A case that can be run.
struct Ready {
    name: String,
    place: Place,
    given: Given,
    at: Timestamp,
    job: Value,
    old: Option<Value>,
    expect: Expect,
}

/// What came of a case.
pub(super) struct Outcome {
    pub(super) file: String,
    pub(super) place: Place,
    /// Name of the MigrationPolicyTest.
    pub(super) test: String,
    pub(super) name: String,
    pub(super) failures: Vec<Failure>,
}

impl Outcome {
    pub(super) fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

impl Suite {
    /// Runs every case.
    pub(super) fn run(&self, world: &World) -> anyhow::Result<Vec<Outcome>> {
        self.cases
            .iter()
            .map(|case| {
                let given = &case.given;
                let labels = given.namespace.as_ref();
                let answer = world.ask(&Question {
                    job: &case.job,
                    old: case.old.as_ref(),
                    scale: given.scale,
                    user: given.user.as_deref().unwrap_or(SOMEBODY),
                    groups: given.groups.as_deref().unwrap_or_default(),
                    at: case.at,
                    namespace: labels.and_then(|namespace| namespace.labels.as_ref()),
                    default: given.default_mode.unwrap_or(world.default_mode()),
                    may_bypass: given.may_bypass.unwrap_or_default(),
                    dry_run: given.dry_run.unwrap_or_default(),
                })?;
                Ok(Outcome {
                    file: self.file.clone(),
                    place: case.place,
                    test: self.name.clone(),
                    name: case.name.clone(),
                    failures: case.expect.failures(&answer),
                })
            })
            .collect()
    }
}

/// The tests among `contents`.
pub(super) fn read(contents: &Contents, namespace: &str, faults: &mut Vec<Fault>) -> Vec<Suite> {
    let mut suites = Vec::new();
    let mut files = Files::default();
    for written in &contents.others {
        if written.kind() != MIGRATION_POLICY_TEST {
            continue;
        }
        match written.read::<Document>(&SCHEMA) {
            Err(wrong) => faults.extend(wrong),
            Ok(document) => {
                let spec = document.spec;
                let mut cases = Vec::new();
                for (index, case) in spec.cases.into_iter().enumerate() {
                    let at = format!("spec.cases[{index}]");
                    let shared = &spec.given;
                    match ready(case, shared, &at, written, contents, namespace, &mut files) {
                        Ok(case) => cases.push(case),
                        Err(fault) => faults.push(fault),
                    }
                }
                suites.push(Suite {
                    file: written.file.to_string(),
                    name: written.name().to_owned(),
                    cases,
                });
            }
        }
    }
    suites
}

fn ready(
    case: Case,
    shared: &Given,
    at: &str,
    written: &Written,
    contents: &Contents,
    namespace: &str,
    files: &mut Files,
) -> Result<Ready, Fault> {
    case.expect
        .check(&format!("{at}.expect"), written, contents)?;
    let given = case.given.or(shared);
    let Some(time) = given.at else {
        let hint = "say when, such as at: \"2027-02-01T00:00:00Z\", here or in spec.given";
        return Err(Fault {
            hint: Some(hint.to_owned()),
            ..written.fault(at, "given.at is missing")
        });
    };
    if given.old.is_some() && given.scale.is_some() {
        let hint =
            "a scale changes nothing but the number of workers, and begins with the job's own";
        return Err(Fault {
            hint: Some(hint.to_owned()),
            ..written.fault(at, "given.old and given.scale don't go together")
        });
    }
    let namespace = given
        .namespace
        .as_ref()
        .map_or((namespace, false), |given| (given.name.as_str(), true));
    let wanted = given.job.clone().unwrap_or_default();
    let job = files.job(&wanted, &format!("{at}.given.job"), written)?;
    let old = match &given.old {
        None => None,
        Some(old) => {
            let same = JobGiven {
                file: old.file.clone().or(wanted.file),
                name: old.name.clone().or(wanted.name),
                patch: old.patch.clone(),
            };
            let old = files.job(&same, &format!("{at}.given.old"), written)?;
            Some(placed(old, namespace))
        }
    };
    Ok(Ready {
        name: case.name,
        place: written.place(&format!("{at}.name")).unwrap_or_default(),
        at: time,
        job: placed(job, namespace),
        old,
        expect: case.expect,
        given,
    })
}

/// In the namespace of that name: in any case, or if it names none itself.
fn placed(job: Job, (name, in_any_case): (&str, bool)) -> Value {
    let mut job = job;
    if in_any_case && let Some(metadata) = job.value["metadata"].as_object_mut() {
        metadata.remove("namespace");
    }
    job.placed(name).value
}

/// The schema of the file, made like a CustomResourceDefinition's.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let generator = SchemaSettings::openapi3()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .with_transform(schemars::transform::AddNullable::default())
        .with_transform(StructuralSchemaRewriter)
        .with_transform(OptionalEnum)
        .into_generator();
    let schema = generator.into_root_schema_for::<Document>();
    with_envelope(schema.to_value())
});
