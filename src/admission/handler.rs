//! One request, from bytes to answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{Instrument as _, debug, info_span, warn};

use crate::api::meta::{ANNOTATION_SHOW, SHOW_TRAINJOB};
use crate::api::policy::DenialForm;
use crate::api::pytorchjob::PyTorchJob;
use crate::api::review::{Request, Response};
use crate::convert::target::Target;
use crate::convert::{Conversion, Verdict, convert};
use crate::policy::{self, Change, Decision, Rule, Ruling};

use super::decode::{self, Subject};
use super::denial::{self, Cause, Denial, Detail};
use super::respond::{self, NotYet, Reply};
use super::{App, credentials, warnings};

/// Which of the webhook's two paths a request came in by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Door {
    /// `/mutate`
    Mutate,
    /// `/validate`
    Validate,
}

/// What came of a request, for counting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Admitted without a word.
    Allowed,
    /// Admitted with warnings.
    Warned,
    /// Refused.
    Denied,
    /// Nothing that could be judged.
    Bad,
}

/// One answered request.
#[derive(Debug)]
pub struct Summary<'a> {
    /// By which path.
    pub door: Door,
    /// What was asked; none for a body that is no review.
    pub request: Option<&'a Request>,
    /// What was decided, where anybody had to decide.
    pub ruling: Option<&'a Ruling>,
    /// What the conversion came to, where there was one.
    pub conversion: Option<&'a Conversion>,
    /// What was answered.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
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

impl Outcome {
    fn of(response: &Response) -> Self {
        match (response.allowed, response.warnings.is_empty()) {
            (false, _) => Self::Denied,
            (true, false) => Self::Warned,
            (true, true) => Self::Allowed,
        }
    }
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

/// What the policies say of a request, and whether its reason to pass a denial counted for nothing.
async fn rule(
    app: &App,
    request: &Request,
    job: Option<&PyTorchJob>,
    old: Option<&PyTorchJob>,
    change: &Change,
) -> Result<(Ruling, bool), NotYet> {
    let snapshot = app.policies.load_full().ok_or(NotYet::Policies)?;
    let unknown;
    let namespace = if let Some(namespace) = snapshot.namespace(&request.namespace) {
        namespace.as_ref()
    } else {
        let asked = app.cluster.namespace(&request.namespace).await;
        unknown = asked.ok_or_else(|| NotYet::Namespace(request.namespace.clone()))?;
        &unknown
    };
    let (ruling, reason) = {
        let mut case = policy::Request::new(request, namespace, change);
        case.object = job;
        case.old_object = old;
        case.is_queue = app.queue_controllers.contains(&request.user_info.username);
        let ruling = policy::judge(&snapshot, &case, (app.clock)());
        (ruling, case.bypass())
    };
    let (Decision::Deny, Some(reason)) = (ruling.decision, reason) else {
        return Ok((ruling, false));
    };
    let user = &request.user_info;
    if app.cluster.may_bypass(user, ruling.rule.name()).await == Some(true) {
        Ok((ruling.bypassed(reason), false))
    } else {
        Ok((ruling, true))
    }
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
    let case = Case {
        app,
        request,
        job: &job,
        change,
        target: &target,
        ruling: &ruling,
        no_right,
        conversion: &conversion,
    };
    let response = match ruling.decision {
        Decision::Deny => case.refuse(Cause::Rule, show, annotations).await,
        _ if show => case.refuse(Cause::Show, show, annotations).await,
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

/// A job that is refused, and everything that the refusal speaks of.
struct Case<'a> {
    app: &'a App,
    request: &'a Request,
    job: &'a PyTorchJob,
    change: &'a Change,
    target: &'a Target,
    ruling: &'a Ruling,
    /// Whether the job gives a reason to pass that its submitter has no right to.
    no_right: bool,
    conversion: &'a Conversion,
}

impl Case<'_> {
    /// `show` says that the requester asks for the TrainJob, whoever that is.
    async fn refuse(
        &self,
        cause: Cause,
        show: bool,
        annotations: BTreeMap<String, String>,
    ) -> Response {
        let (offer, needs_runtime) = self.offer().await;
        let offer = offer.as_ref().unwrap_or(self.conversion);
        let remarks = credentials::find(self.job);
        let is_brief = match self.ruling.rule.denial() {
            Some(form) => form == DenialForm::Summary,
            None => self.request.user_info.is_service_account(),
        };
        let detail = if !remarks.is_empty() {
            Detail::Credentials
        } else if is_brief && !show {
            Detail::Summary
        } else {
            Detail::Full
        };
        let denial = Denial {
            cause,
            ruling: self.ruling,
            no_right: self.no_right,
            namespace: &self.request.namespace,
            change: self.change,
            conversion: offer,
            needs_runtime,
            remarks: &remarks,
            detail,
        };
        respond::deny(
            self.request,
            denial.message(),
            offer.notable().chain(&remarks),
            annotations,
        )
    }

    /// What the requester can submit by himself: nothing for the conversion as it is, else one without a runtime of
    /// its own. Also whether the job needs a runtime that the requester may not create.
    async fn offer(&self) -> (Option<Conversion>, bool) {
        let Self { app, request, .. } = self;
        let has_runtime = self
            .conversion
            .output
            .as_ref()
            .is_some_and(|output| output.runtime.is_some());
        if !has_runtime
            || app
                .cluster
                .may_create_runtimes(&request.user_info, &request.namespace)
                .await
                != Some(false)
        {
            return (None, false);
        }
        let without = convert(
            self.job,
            &Target {
                generate: false,
                ..self.target.clone()
            },
        );
        (
            (without.verdict != Verdict::Refused).then_some(without),
            true,
        )
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

/// An observer that isn't interested.
impl super::Observer for () {
    fn answered(&self, _summary: &Summary<'_>) {}
}

impl<T: super::Observer + ?Sized> super::Observer for Arc<T> {
    fn answered(&self, summary: &Summary<'_>) {
        self.as_ref().answered(summary);
    }
}

/// Three that are told one after the other.
impl<A: super::Observer, B: super::Observer, C: super::Observer> super::Observer for (A, B, C) {
    fn answered(&self, summary: &Summary<'_>) {
        self.0.answered(summary);
        self.1.answered(summary);
        self.2.answered(summary);
    }
}
