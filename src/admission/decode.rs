//! Decoding in two stages: the envelope, then the object. The uid survives a bad object.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::api::meta::{PYTORCHJOB, PYTORCHJOBS, V1_GROUP};
use crate::api::misfit::Misfit;
use crate::api::pytorchjob::PyTorchJob;
use crate::api::review::{REVIEW_API_VERSION, REVIEW_KIND, Request, ReviewRequest};
use crate::policy::Change;

/// A body that is no review for this webhook: HTTP 400, because there is no uid to answer to, or no rule of ours that
/// could have sent it.
#[derive(Debug, Error, PartialEq)]
pub enum BadReview {
    /// Nothing was sent.
    #[error("the body is empty: send an AdmissionReview of admission.k8s.io/v1 as JSON")]
    Empty,
    /// Not JSON, or not of a review's shape.
    #[error("the body is no AdmissionReview: {0}")]
    Unreadable(String),
    /// Another version or kind.
    #[error(
        "apiVersion {0:?} and kind {1:?}: this webhook speaks admission.k8s.io/v1, AdmissionReview, only; set admissionReviewVersions: [v1]"
    )]
    Version(String, String),
    /// A review without a request, or without uid.
    #[error("the AdmissionReview has no {0}")]
    Missing(&'static str),
    /// Somebody's rule sends what isn't ours.
    #[error(
        "resource {0:?} of group {1:?}: this webhook judges pytorchjobs of kubeflow.org only; mend the rules of the webhook configuration that sent it"
    )]
    Resource(String, String),
}

/// An object that can't be a `PyTorchJob`: a denial with the uid.
#[derive(Debug, Error, PartialEq)]
#[error("this is no {kind}: {field}: {problem}")]
pub struct BadObject {
    /// What it should be.
    pub kind: &'static str,
    /// Path of the field.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What a request is about.
#[derive(Debug)]
pub enum Subject {
    /// A job and what happens to it.
    Job {
        /// As it will be.
        job: Box<PyTorchJob>,
        /// As it was, where it was a job that can be read.
        old: Option<Box<PyTorchJob>>,
        /// What that does.
        change: Change,
    },
    /// Nothing that a rule speaks of: a deletion, a change of labels, a subresource.
    Nothing,
    /// The number of workers, by the scale subresource.
    Scale {
        /// Workers before and after.
        workers: (i64, i64),
        /// What that does.
        change: Change,
    },
}

/// Reads the envelope.
///
/// # Errors
/// When the body is no review that this webhook can answer.
pub fn envelope(body: &[u8]) -> Result<Request, BadReview> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(BadReview::Empty);
    }
    if body.trim_ascii_start().first() != Some(&b'{') {
        let start = String::from_utf8_lossy(&body[..body.len().min(16)]).into_owned();
        return Err(BadReview::Unreadable(format!(
            "expected a JSON object, found {start:?}"
        )));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let review: ReviewRequest =
        serde_path_to_error::deserialize(&mut reader).map_err(|error| unreadable(&error))?;
    reader
        .end()
        .map_err(|error| BadReview::Unreadable(error.to_string()))?;
    if review.api_version != REVIEW_API_VERSION || review.kind != REVIEW_KIND {
        return Err(BadReview::Version(review.api_version, review.kind));
    }
    let request = review.request.ok_or(BadReview::Missing("request"))?;
    if request.uid.is_empty() {
        return Err(BadReview::Missing("request.uid"));
    }
    if request.resource.group != V1_GROUP || request.resource.resource != PYTORCHJOBS {
        return Err(BadReview::Resource(
            request.resource.resource,
            request.resource.group,
        ));
    }
    Ok(request)
}

fn unreadable(error: &serde_path_to_error::Error<serde_json::Error>) -> BadReview {
    let path = error.path().to_string();
    BadReview::Unreadable(if path == "." {
        error.inner().to_string()
    } else {
        format!("{path}: {}", error.inner())
    })
}

/// Reads what a request is about.
///
/// # Errors
/// When the object can't be what the request says that it is.
pub fn subject(request: &Request) -> Result<Subject, BadObject> {
    let subresource = request.sub_resource.as_deref().unwrap_or_default();
    match (request.operation.as_str(), subresource) {
        ("CREATE", "") => Ok(Subject::Job {
            job: Box::new(job(request.object.as_deref(), "object")?),
            old: None,
            change: Change::Created,
        }),
        ("UPDATE", "") => update(request),
        ("UPDATE", "scale") => scale(request),
        _ => Ok(Subject::Nothing),
    }
}

fn update(request: &Request) -> Result<Subject, BadObject> {
    // Compared before anything is understood: a change of labels passes, whatever the object looks like.
    let spec = |raw: Option<&RawValue>| {
        let mut object: Map<String, Value> = serde_json::from_str(raw?.get()).ok()?;
        Some(object.remove("spec"))
    };
    let (old, new) = (request.old_object.as_deref(), request.object.as_deref());
    if let (Some(old), Some(new)) = (spec(old), spec(new))
        && old == new
    {
        return Ok(Subject::Nothing);
    }
    let new = job(new, "object")?;
    // An old object that can't be read is no job that anybody could have judged.
    let old = job(old, "oldObject").ok();
    let change = old
        .as_ref()
        .map_or(Change::Created, |old| Change::of(old, &new));
    Ok(Subject::Job {
        job: Box::new(new),
        old: old.map(Box::new),
        change,
    })
}

fn job(raw: Option<&RawValue>, name: &str) -> Result<PyTorchJob, BadObject> {
    let job: PyTorchJob = read(PYTORCHJOB, raw, name)?;
    if job.kind == PYTORCHJOB {
        return Ok(job);
    }
    let problem = format!("is {:?}, not PyTorchJob", job.kind);
    Err(BadObject {
        kind: PYTORCHJOB,
        field: "kind".to_owned(),
        problem,
    })
}

fn read<T: DeserializeOwned>(
    kind: &'static str,
    raw: Option<&RawValue>,
    name: &str,
) -> Result<T, BadObject> {
    let bad = |field: &str, problem: String| BadObject {
        kind,
        field: field.to_owned(),
        problem,
    };
    let text = raw.ok_or_else(|| bad(name, "is missing".to_owned()))?.get();
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        // Read once more, to say what stands there: this is the slow path, and nothing is judged on it.
        match serde_json::from_str::<Value>(text) {
            Err(error) => bad(name, error.to_string()),
            Ok(value) => {
                let again = serde_path_to_error::deserialize::<_, T>(&value).err();
                let misfit = Misfit::new(&value, &again.unwrap_or(error));
                let field = if misfit.field == "." {
                    name
                } else {
                    &misfit.field
                };
                let hint = misfit
                    .hint
                    .map(|hint| format!("; {hint}"))
                    .unwrap_or_default();
                bad(field, misfit.message + &hint)
            }
        }
    })
}

/// What trainshift reads of `autoscaling/v1` `Scale`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Scale {
    spec: ScaleSpec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ScaleSpec {
    replicas: i64,
}

fn scale(request: &Request) -> Result<Subject, BadObject> {
    let old: Scale = read("Scale", request.old_object.as_deref(), "oldObject")?;
    let new: Scale = read("Scale", request.object.as_deref(), "object")?;
    let workers = (old.spec.replicas, new.spec.replicas);
    Ok(Subject::Scale {
        workers,
        change: Change::of_scale(workers.0, workers.1),
    })
}
