//! `MigrationPolicyTest`: what policies must do, case by case, in a file beside them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use jiff::Timestamp;
use kube::core::schema::{OptionalEnum, StructuralSchemaRewriter};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::Value;

use super::SOMEBODY;
use super::expect::{Expect, Failure};
use super::jobs::{self, Job};
use super::world::{Question, World};
use crate::api::meta::MIGRATION_POLICY_TEST;
use crate::cli::generate::review::built_in;
use crate::cli::input::places::Place;
use crate::cli::input::policies::{Contents, with_envelope};
use crate::cli::input::strict::{Fault, Written};
use crate::policy::Mode;
use crate::policy::matching::Labels;

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

#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Given {
    /// When.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    at: Option<Timestamp>,
    /// Who asks.
    #[serde(default, rename = "as")]
    user: Option<String>,
    /// His groups, besides those that the API server adds.
    #[serde(default)]
    groups: Option<Vec<String>>,
    /// The job as it will be; a small one where nothing is said.
    #[serde(default)]
    job: Option<JobGiven>,
    /// The job as it was, for an update: by default the same without the patch.
    #[serde(default)]
    old: Option<JobGiven>,
    /// The namespace, instead of the job's own.
    #[serde(default)]
    namespace: Option<NamespaceGiven>,
    /// Whether he has the right to pass a denial.
    #[serde(default)]
    may_bypass: Option<bool>,
    /// Whether it is a dry run.
    #[serde(default)]
    dry_run: Option<bool>,
    /// The mode where no policy matches.
    #[serde(default)]
    default_mode: Option<Mode>,
}

#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct JobGiven {
    /// Where it stands, from the file's own directory.
    #[serde(default)]
    file: Option<String>,
    /// Which of the jobs in the file.
    #[serde(default)]
    name: Option<String>,
    /// What is different (JSON merge patch).
    #[serde(default)]
    patch: Option<Value>,
}

#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NamespaceGiven {
    name: String,
    #[serde(default)]
    labels: Option<Labels>,
}

impl Given {
    /// The same with what `self` doesn't say from `other`.
    fn or(self, other: &Self) -> Self {
        let other = other.clone();
        Self {
            at: self.at.or(other.at),
            user: self.user.or(other.user),
            groups: self.groups.or(other.groups),
            job: self.job.or(other.job),
            old: self.old.or(other.old),
            namespace: self.namespace.or(other.namespace),
            may_bypass: self.may_bypass.or(other.may_bypass),
            dry_run: self.dry_run.or(other.dry_run),
            default_mode: self.default_mode.or(other.default_mode),
        }
    }
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

/// Files of jobs that were read.
#[derive(Default)]
struct Files(HashMap<String, Vec<Job>>);

impl Files {
    fn job(&mut self, given: &JobGiven, at: &str, written: &Written) -> Result<Job, Fault> {
        let mut job = match &given.file {
            None => Job {
                file: written.file.to_string(),
                value: built_in(),
            },
            Some(file) => self.of_file(file, given, at, written)?,
        };
        if let Some(patch) = &given.patch {
            json_patch::merge(&mut job.value, patch);
            let typed: Result<crate::api::pytorchjob::PyTorchJob, _> =
                serde_json::from_value(job.value.clone());
            if let Err(error) = typed {
                let message = format!("the job can't be read with this patch: {error}");
                return Err(written.fault(&format!("{at}.patch"), message));
            }
        }
        Ok(job)
    }

    fn of_file(
        &mut self,
        file: &str,
        given: &JobGiven,
        at: &str,
        written: &Written,
    ) -> Result<Job, Fault> {
        let beside = Path::new(&*written.file).parent();
        let path = beside.unwrap_or(Path::new("")).join(file);
        let at_file = format!("{at}.file");
        let label = path.display().to_string();
        if !self.0.contains_key(&label) {
            if let Err(error) = fs::metadata(&path) {
                return Err(written.fault(&at_file, format!("{label}: {error}")));
            }
            let mut wrong = Vec::new();
            let (jobs, _) = jobs::read(&[path], &mut wrong);
            if let Some(fault) = wrong.into_iter().next() {
                return Err(fault);
            }
            self.0.insert(label.clone(), jobs);
        }
        let jobs = self.0.get(&label).map(Vec::as_slice).unwrap_or_default();
        let names = || {
            let names: Vec<_> = jobs.iter().map(Job::name).collect();
            names.join(", ")
        };
        match (&given.name, jobs) {
            (None, [job]) => Ok(job.clone()),
            (None, _) => Err(written.fault(
                &at_file,
                format!(
                    "{label} holds several jobs; choose one by name: {}",
                    names()
                ),
            )),
            (Some(name), jobs) => {
                let found = jobs.iter().find(|job| job.name() == *name);
                found.cloned().ok_or_else(|| {
                    let message = format!("{label} has no job {name:?}; there are {}", names());
                    written.fault(&format!("{at}.name"), message)
                })
            }
        }
    }
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
