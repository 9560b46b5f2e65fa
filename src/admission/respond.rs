//! Answers as the API server wants them.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response as HttpResponse};

use crate::api::meta::{
    AUDIT_CODES, AUDIT_MODE, AUDIT_POLICY, AUDIT_VERDICT, PYTORCHJOB, UNREADABLE, V1_GROUP,
};
use crate::api::review::{
    Cause, Details, REVIEW_API_VERSION, REVIEW_KIND, Request, Response, ReviewResponse, Status,
};
use crate::convert::Conversion;
use crate::convert::finding::Finding;

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
    NotYet,
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
            Self::NotYet => {
                let text =
                    "trainshift has not read the cluster yet; see /readyz on its admin port\n";
                (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
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
pub fn annotations(
    mode: &str,
    policy: &str,
    conversion: Option<&Conversion>,
) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::from([
        (AUDIT_MODE.to_owned(), mode.to_owned()),
        (AUDIT_POLICY.to_owned(), policy.to_owned()),
    ]);
    if let Some(conversion) = conversion {
        annotations.insert(
            AUDIT_VERDICT.to_owned(),
            conversion.verdict.as_str().to_owned(),
        );
        let mut codes: Vec<_> = conversion
            .notable()
            .map(|finding| finding.code.as_str())
            .collect();
        codes.sort_unstable();
        codes.dedup();
        annotations.insert(AUDIT_CODES.to_owned(), codes.join(","));
    }
    annotations
}
