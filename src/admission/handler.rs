//! One request, from bytes to answer.

use std::sync::Arc;
use std::time::Instant;

use tracing::{Instrument as _, debug, info_span, warn};

use crate::api::meta::{ANNOTATION_SHOW, SHOW_TRAINJOB};
use crate::api::pytorchjob::PyTorchJob;
use crate::api::review::{Request, Response};
use crate::convert::target::Target;
use crate::convert::{Conversion, convert};
use crate::policy::{self, Change, Decision, Rule, Ruling};

use super::decode::{self, Subject};
use super::denial::{self, Cause, NoRight};
use super::observer::{Outcome, Summary};
use super::refusal::Refusal;
use super::respond::{self, NotYet, Reply};
use super::{App, warnings};

/// Which of the webhook's two paths a request came in by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Door {
    /// `/mutate`
    Mutate,
    /// `/validate`
    Validate,
}

/// Answers one request, and tells the observer.
pub async fn handle(app: &App, door: Door, body: &[u8]) -> Reply {
    let begun = Instant::now();
    let request = match decode::envelope(body) {
        Ok(request) => request,
        Err(bad) => {
            warn!(error = %bad, "not a review");
            app.observer.answered(&Summary {
                door,
                request: None,
                ruling: None,
                conversion: None,
                outcome: Outcome::Bad,
                took: begun.elapsed(),
            });
            return Reply::Bad(bad);
        }
    };
    let span = info_span!(
        "review",
        uid = request.uid,
        operation = request.operation,
        namespace = request.namespace,
        name = request.name,
        dry_run = request.dry_run.unwrap_or_default(),
    );
    let answer = judge(app, door, &request).instrument(span.clone()).await;
    let outcome = answer
        .as_ref()
        .map_or(Outcome::Bad, |answer| Outcome::of(&answer.response));
    let ruling = answer
        .as_ref()
        .ok()
        .and_then(|answer| answer.ruling.as_ref());
    span.in_scope(|| {
        let rule = ruling.map(|ruling| &ruling.rule);
        debug!(
            ?outcome,
            mode = rule.map(|rule| rule.mode.as_str()),
            policy = rule.map(Rule::name),
            "judged"
        );
    });
    app.observer.answered(&Summary {
        door,
        request: Some(&request),
        ruling,
        conversion: answer
            .as_ref()
            .ok()
            .and_then(|answer| answer.conversion.as_ref()),
        outcome,
        took: begun.elapsed(),
    });
    answer.map_or_else(Reply::NotYet, |answer| Reply::Judged(answer.response))
}

/// A response and what it rests on.
struct Answer {
    response: Response,
    ruling: Option<Ruling>,
    conversion: Option<Conversion>,
}

impl Answer {
    /// One for which nothing had to be decided.
    fn plain(response: Response) -> Self {
        Self {
            response,
            ruling: None,
            conversion: None,
        }
    }
}

/// The answer, or why there can't be one yet.
async fn judge(app: &App, door: Door, request: &Request) -> Result<Answer, NotYet> {
    match decode::subject(request) {
        Err(bad) => Ok(Answer::plain(respond::unreadable(request, &bad))),
        Ok(Subject::Nothing) => Ok(Answer::plain(respond::pass(request, door))),
        Ok(Subject::Scale { workers, change }) => {
            scaled(app, door, request, workers, &change).await
        }
        Ok(Subject::Job { job, old, change }) => {
            judge_job(app, door, request, *job, old.as_deref(), &change).await
        }
    }
}

/// What the policies say of a request, and why its reason to pass a denial counts for nothing, if so.
async fn rule(
    app: &App,
    request: &Request,
    job: Option<&PyTorchJob>,
    old: Option<&PyTorchJob>,
    change: &Change,
) -> Result<(Ruling, Option<NoRight>), NotYet> {
    let snapshot = app.policies.load_full().ok_or(NotYet::Policies)?;
    let unknown;
    let namespace = if let Some(namespace) = snapshot.namespace(&request.namespace) {
        namespace.as_ref()
    } else {
        let asked = app.cluster.namespace(&request.namespace).await;
        unknown = asked.ok_or_else(|| NotYet::Namespace(request.namespace.clone()))?;
        &unknown
    };
    let (ruling, reason, denials) = {
        let mut case = policy::Request::new(request, namespace, change);
        case.object = job;
        case.old_object = old;
        case.is_queue = app.queue_controllers.contains(&request.user_info.username);
        let now = (app.clock)();
        let ruling = policy::judge(&snapshot, &case, now);
        let (Decision::Deny, Some(reason)) = (ruling.decision, case.bypass()) else {
            return Ok((ruling, None));
        };
        let denials = policy::judge::denials(&snapshot, &case, now);
        (ruling, reason, denials)
    };
    for policy in denials {
        let may = app.cluster.may_bypass(&request.user_info, &policy).await;
        if may != Some(true) {
            let is_known = may.is_some();
            return Ok((ruling, Some(NoRight { policy, is_known })));
        }
    }
    Ok((ruling.bypassed(reason), None))
}

async fn judge_job(
    app: &App,
    door: Door,
    request: &Request,
    mut job: PyTorchJob,
    old: Option<&PyTorchJob>,
    change: &Change,
) -> Result<Answer, NotYet> {
    let show = request.dry_run == Some(true)
        && job
            .metadata
            .annotations
            .get(ANNOTATION_SHOW)
            .is_some_and(|value| value == SHOW_TRAINJOB);
    if !show && !change.is_judged() {
        return Ok(Answer::plain(respond::pass(request, door)));
    }
    let (ruling, no_right) = rule(app, request, Some(&job), old, change).await?;
    if door == Door::Mutate && ruling.decision != Decision::Deny && !show {
        return Ok(Answer {
            response: respond::pass(request, door),
            ruling: Some(ruling),
            conversion: None,
        });
    }
    if job.metadata.namespace.is_none() && !request.namespace.is_empty() {
        job.metadata.namespace = Some(request.namespace.clone());
    }
    let target = app.cluster.target().ok_or(NotYet::Cluster)?;
    let target = wanted(target, &ruling.rule);
    let conversion = convert(&job, &target);
    let annotations = respond::annotations(&ruling, Some(&conversion));
    let refusal = Refusal {
        app,
        request,
        job: &job,
        change,
        target: &target,
        ruling: &ruling,
        no_right: no_right.as_ref(),
        conversion: &conversion,
    };
    let response = match ruling.decision {
        Decision::Deny => refusal.answer(Cause::Rule, show, annotations).await,
        _ if show => refusal.answer(Cause::Show, show, annotations).await,
        Decision::Admit => respond::admit(request, Vec::new(), annotations),
        Decision::Warn => {
            let lines = warnings::of_job(&ruling, &request.namespace, change, &conversion);
            respond::admit(request, lines, annotations)
        }
    };
    Ok(Answer {
        response,
        ruling: Some(ruling),
        conversion: Some(conversion),
    })
}

/// `target` as the rule's policy wants conversions to be.
fn wanted(target: Arc<Target>, rule: &Rule) -> Arc<Target> {
    let wishes = rule
        .policy
        .as_ref()
        .and_then(|policy| policy.spec().conversion.as_ref());
    match wishes {
        None => target,
        Some(wishes) => {
            let target = Arc::unwrap_or_clone(target);
            Arc::new(target.wanted(wishes))
        }
    }
}

async fn scaled(
    app: &App,
    door: Door,
    request: &Request,
    workers: (i64, i64),
    change: &Change,
) -> Result<Answer, NotYet> {
    if !change.is_judged() {
        return Ok(Answer::plain(respond::pass(request, door)));
    }
    let (ruling, _) = rule(app, request, None, None, change).await?;
    let annotations = respond::annotations(&ruling, None);
    let response = match (ruling.decision, door) {
        (Decision::Deny, _) => {
            let message = denial::of_scale(&ruling, &request.namespace, &request.name, workers);
            respond::deny(request, message, std::iter::empty(), annotations)
        }
        (Decision::Warn, Door::Validate) => respond::admit(
            request,
            warnings::of_scale(&ruling, &request.namespace),
            annotations,
        ),
        _ => respond::admit(request, Vec::new(), annotations),
    };
    Ok(Answer {
        response,
        ruling: Some(ruling),
        conversion: None,
    })
}
