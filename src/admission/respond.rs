//! Answers as the API server wants them.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response as HttpResponse};
use thiserror::Error;

use crate::api::meta::{
    AUDIT_BYPASS, AUDIT_CODES, AUDIT_DECISION, AUDIT_EXEMPTION, AUDIT_FAILED_CONDITIONS,
    AUDIT_MODE, AUDIT_POLICY, AUDIT_VERDICT, PYTORCHJOB, UNREADABLE, V1_GROUP,
};
use crate::api::review::{
    Cause, Details, REVIEW_API_VERSION, REVIEW_KIND, Request, Response, ReviewResponse, Status,
};
use crate::convert::Conversion;
use crate::convert::finding::Finding;
use crate::policy::judge::Excuse;
use crate::policy::{Decision, Ruling};

use super::Door;
use super::decode::{BadObject, BadReview};
use super::warnings::one_line;

/// Most causes of a refusal: who sends a thousand wrong fields learns of the first hundred.
const MAX_CAUSES: usize = 100;

/// What goes over the wire.
#[derive(Debug)]
pub enum Reply {
    /// A judgement.
    Judged(Response),
    /// Nothing that could be judged.
    Bad(BadReview),
    /// A request that can't be judged yet: HTTP 500, so that the webhook's failurePolicy decides.
    NotYet(NotYet),
}

/// What isn't known, and without which nothing can be judged.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum NotYet {
    /// Trainer's version and runtimes.
    #[error("trainshift has not read the cluster yet; see /readyz on its admin port")]
    Cluster,
    /// Policies and namespaces.
    #[error("trainshift has not read the policies yet; see /readyz on its admin port")]
    Policies,
    /// The labels of one namespace.
    #[error(
        "trainshift can't read namespace {0}, and so can't tell which policy holds in it; see its log"
    )]
    Namespace(String),
}

impl IntoResponse for Reply {
    fn into_response(self) -> HttpResponse {
        match self {
            Self::Judged(response) => Json(ReviewResponse {
                api_version: REVIEW_API_VERSION.to_owned(),
                kind: REVIEW_KIND.to_owned(),
                response,
            })
            .into_response(),
            Self::NotYet(why) => {
                (StatusCode::INTERNAL_SERVER_ERROR, format!("{why}\n")).into_response()
            }
            Self::Bad(review) => (StatusCode::BAD_REQUEST, format!("{review}\n")).into_response(),
        }
    }
}

/// Admits the request.
#[must_use]
pub fn admit(
    request: &Request,
    warnings: Vec<String>,
    audit_annotations: BTreeMap<String, String>,
) -> Response {
    Response {
        uid: request.uid.clone(),
        allowed: true,
        status: None,
        warnings,
        audit_annotations,
    }
}

/// Admits a request that no rule is asked about. `/validate` leaves a note that it was seen.
#[must_use]
pub fn pass(request: &Request, door: Door) -> Response {
    let note = (
        AUDIT_DECISION.to_owned(),
        Decision::Admit.as_str().to_owned(),
    );
    let notes = (door == Door::Validate).then_some(note);
    admit(request, Vec::new(), notes.into_iter().collect())
}

/// Refuses the request because of a rule.
pub fn deny<'f>(
    request: &Request,
    message: String,
    findings: impl Iterator<Item = &'f Finding>,
    audit_annotations: BTreeMap<String, String>,
) -> Response {
    let causes = findings
        .take(MAX_CAUSES)
        .map(|finding| Cause {
            reason: finding.code.to_string(),
            message: one_line(&finding.to_string()),
            field: finding.at.clone(),
        })
        .collect();
    refuse(
        request,
        403,
        "Forbidden",
        message,
        causes,
        audit_annotations,
    )
}

/// Refuses an object that can't be read.
#[must_use]
pub fn unreadable(request: &Request, bad: &BadObject) -> Response {
    let message = format!("{bad}. Mend the field, then try again.");
    let cause = Cause {
        reason: "FieldValueInvalid".to_owned(),
        message: bad.problem.clone(),
        field: bad.field.clone(),
    };
    let annotations = BTreeMap::from([(AUDIT_VERDICT.to_owned(), UNREADABLE.to_owned())]);
    refuse(
        request,
        400,
        "BadRequest",
        message,
        vec![cause],
        annotations,
    )
}

fn refuse(
    request: &Request,
    code: u16,
    reason: &str,
    message: String,
    causes: Vec<Cause>,
    audit_annotations: BTreeMap<String, String>,
) -> Response {
    let details = Details {
        name: request.name.clone(),
        group: V1_GROUP.to_owned(),
        kind: PYTORCHJOB.to_owned(),
        causes,
    };
    let status = Status {
        status: "Failure".to_owned(),
        message,
        reason: reason.to_owned(),
        code,
        details: Some(details),
    };
    Response {
        uid: request.uid.clone(),
        allowed: false,
        status: Some(status),
        audit_annotations,
        ..Response::default()
    }
}

/// What the audit log keeps of a judgement. The API server puts the webhook's name before each key.
#[must_use]
pub fn annotations(ruling: &Ruling, conversion: Option<&Conversion>) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::new();
    let mut put = |key: &str, value: &str| {
        annotations.insert(key.to_owned(), one_line(value));
    };
    put(AUDIT_DECISION, ruling.decision.as_str());
    put(AUDIT_MODE, ruling.rule.mode.as_str());
    put(AUDIT_POLICY, ruling.rule.name());
    match &ruling.excuse {
        Some(Excuse::Exemption(exemption)) => put(AUDIT_EXEMPTION, &exemption.name),
        Some(Excuse::Bypass(reason)) => put(AUDIT_BYPASS, reason),
        None => {}
    }
    if !ruling.failures.is_empty() {
        let failed: Vec<_> = ruling
            .failures
            .iter()
            .map(|failure| format!("{}/{}", failure.policy, failure.condition))
            .collect();
        put(AUDIT_FAILED_CONDITIONS, &failed.join(","));
    }
    if let Some(conversion) = conversion {
        put(AUDIT_VERDICT, conversion.verdict.as_str());
        let mut codes: Vec<_> = conversion
            .notable()
            .map(|finding| finding.code.as_str())
            .collect();
        codes.sort_unstable();
        codes.dedup();
        put(AUDIT_CODES, &codes.join(","));
    }
    annotations
}
