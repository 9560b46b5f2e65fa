//! What is to be compared: each `PyTorchJob` with the `TrainJob` of the same name, and with the runtime that it refers to.

use std::path::Path;

use serde_json::{Value, json};

use super::names::Names;
use super::objects::{Found, Place, objects, trainer_objects};
use crate::api::meta::{CLUSTER_TRAINING_RUNTIME, PYTORCHJOB, TRAINJOB};
use crate::api::pytorchjob::PyTorchJob;
use crate::cli::input::{Object, Problem};
use crate::convert::dialect::Dialect;
use crate::convert::target::Target;
use crate::parity::predict::runtimes;

/// Most pods of a job that are compared: each is predicted, and held in memory, by itself.
const MOST_PODS: i64 = 10_000;

/// Everything that came in.
pub(super) struct Input {
    /// What is compared.
    pub pairs: Vec<Pair>,
    /// Jobs of one side without one of the other.
    pub unpaired: Vec<Place>,
    /// What can't be read or used.
    pub problems: Vec<Problem>,
}

/// A job, and what to compare it with.
pub(super) struct Pair {
    /// Where the job stands.
    pub place: Place,
    /// The job.
    pub job: Box<PyTorchJob>,
    /// A `TrainJob` that somebody wrote; without one, the job is converted.
    pub written: Option<Written>,
}

/// A `TrainJob` that somebody wrote, on its runtime.
pub(super) struct Written {
    /// Where it stands.
    pub place: Place,
    /// The `TrainJob`.
    pub trainjob: Value,
    /// Its runtime.
    pub runtime: Value,
}

impl Input {
    /// Reads both sides.
    pub(super) fn read(v1: &Path, v2: Option<&Path>, target: &Target) -> Self {
        let mut problems = Vec::new();
        let mut jobs = Vec::new();
        for (source, object) in objects(v1, &mut problems) {
            if let Object::Job(job, value) = object {
                let place = Place::of(&source, PYTORCHJOB, &value);
                if pods_of_v1(&job) > MOST_PODS {
                    problems.push(too_many(&place));
                } else {
                    jobs.push((place, job));
                }
            }
        }
        if jobs.is_empty() && problems.is_empty() {
            problems.push(Problem::of_file(
                &v1.display().to_string(),
                "no PyTorchJob of kubeflow.org/v1",
            ));
        }
        let Some(v2) = v2 else {
            let pair = |(place, job)| Pair {
                place,
                job,
                written: None,
            };
            return Self {
                pairs: jobs.into_iter().map(pair).collect(),
                unpaired: Vec::new(),
                problems,
            };
        };
        let (trainjobs, runtimes) = trainer_objects(v2, &mut problems);
        pair(jobs, trainjobs, &runtimes, target.dialect, problems)
    }
}

/// Pairs by name; of one job on either side, both are meant, whatever they are called.
fn pair(
    jobs: Vec<(Place, Box<PyTorchJob>)>,
    trainjobs: Vec<Found>,
    runtimes: &[Found],
    dialect: Dialect,
    mut problems: Vec<Problem>,
) -> Input {
    let only = jobs.len() == 1 && trainjobs.len() == 1;
    let mut names = Names::of(trainjobs.iter().map(|found| &found.place));
    let of_job = |(place, _): &(Place, _)| {
        if only {
            return Some(0);
        }
        names.take(TRAINJOB, &place.name, place.namespace.as_deref())
    };
    let indexes: Vec<Option<usize>> = jobs.iter().map(of_job).collect();
    let mut trainjobs: Vec<_> = trainjobs.into_iter().map(Some).collect();
    let runtimes = Runtimes::of(runtimes, dialect);
    let (mut pairs, mut unpaired) = (Vec::new(), Vec::new());
    for ((place, job), index) in jobs.into_iter().zip(indexes) {
        let Some(found) = index.and_then(|index| trainjobs[index].take()) else {
            unpaired.push(place);
            continue;
        };
        let Found {
            place: of_trainjob,
            value,
        } = found;
        match runtimes.of_trainjob(&of_trainjob, &value) {
            Err(problem) => problems.push(problem),
            Ok(runtime) if pods_of_v2(&value, &runtime) > MOST_PODS => {
                problems.push(too_many(&of_trainjob));
            }
            Ok(runtime) => {
                let written = Written {
                    place: of_trainjob,
                    trainjob: value,
                    runtime,
                };
                pairs.push(Pair {
                    place,
                    job,
                    written: Some(written),
                });
            }
        }
    }
    unpaired.extend(trainjobs.into_iter().flatten().map(|found| found.place));
    Input {
        pairs,
        unpaired,
        problems,
    }
}

/// What a `TrainJob` may refer to.
struct Runtimes<'r> {
    found: &'r [Found],
    names: Names<'r>,
    dialect: Dialect,
}

impl<'r> Runtimes<'r> {
    fn of(found: &'r [Found], dialect: Dialect) -> Self {
        let names = Names::of(found.iter().map(|found| &found.place));
        Self {
            found,
            names,
            dialect,
        }
    }

    /// The runtime that a `TrainJob` refers to: of the same files, or one that is known.
    fn of_trainjob(&self, place: &Place, trainjob: &Value) -> Result<Value, Problem> {
        let reference = &trainjob["spec"]["runtimeRef"];
        let name = reference["name"].as_str().unwrap_or_default();
        let kind = reference["kind"]
            .as_str()
            .unwrap_or(CLUSTER_TRAINING_RUNTIME);
        let is_cluster = kind == CLUSTER_TRAINING_RUNTIME;
        let namespace = place.namespace.as_deref().filter(|_| !is_cluster);
        let found = self.names.first(kind, name, namespace);
        let found = found.map(|index| self.found[index].value.clone());
        let known = || runtimes::known(name, self.dialect).filter(|_| is_cluster);
        found.or_else(known).ok_or_else(|| {
            let option = namespace.map_or_else(String::new, |namespace| format!(" -n {namespace}"));
            let message = format!(
                "TrainJob {}: spec.runtimeRef: {kind} {name:?} is not among the TrainJob's files, and trainshift knows only {}; add it: kubectl get {} {name} -o yaml{option}",
                place.full_name(),
                runtimes::KNOWN.join(" and "),
                kind.to_lowercase(),
            );
            Problem::of_file(&place.file, message)
        })
    }
}

fn pods_of_v1(job: &PyTorchJob) -> i64 {
    let specs = job.spec.pytorch_replica_specs.values().flatten();
    specs
        .map(|spec| i64::from(spec.replicas.unwrap_or(1)).max(0))
        .sum()
}

/// An upper bound of the pods that the prediction would have to make.
fn pods_of_v2(trainjob: &Value, runtime: &Value) -> i64 {
    let number = |value: &Value| value.as_i64().unwrap_or(1).max(1);
    let jobs = runtime
        .pointer("/spec/template/spec/replicatedJobs")
        .cloned()
        .unwrap_or_else(|| json!([]));
    let of_job = |job: &Value| {
        number(&job["replicas"]).saturating_mul(number(&job["template"]["spec"]["parallelism"]))
    };
    let of_jobs = jobs.as_array().into_iter().flatten().map(of_job);
    let nodes = number(&trainjob["spec"]["trainer"]["numNodes"])
        .max(number(&runtime["spec"]["mlPolicy"]["numNodes"]));
    of_jobs.fold(nodes, i64::saturating_add)
}

fn too_many(place: &Place) -> Problem {
    let message = format!(
        "{} {} has more than {MOST_PODS} pods; compare it with fewer, which differ in the same way",
        place.kind,
        place.full_name()
    );
    Problem::of_file(&place.file, message)
}
