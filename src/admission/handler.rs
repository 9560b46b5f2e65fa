//! One request, from bytes to answer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tracing::{Instrument as _, debug, info_span, warn};

use crate::api::meta::{ANNOTATION_SHOW, SHOW_TRAINJOB};
use crate::api::pytorchjob::PyTorchJob;
use crate::api::review::{Request, Response};
use crate::convert::target::Target;
use crate::convert::{Conversion, Verdict, convert};
use crate::policy::{Change, Decision, Mode, Rule, decide};

use super::decode::{self, Subject};
use super::denial::{Cause, Denial, Detail};
use super::respond::{self, Reply};
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
    /// `CREATE`, `UPDATE`, ...; empty for a body that is no review.
    pub operation: &'a str,
    /// The subresource, or nothing.
    pub subresource: &'a str,
    /// The mode in force.
    pub mode: Mode,
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
    let summary = |operation, subresource, conversion, outcome| Summary {
        door,
        operation,
        subresource,
        mode: app.rule.mode,
        conversion,
        outcome,
        took: begun.elapsed(),
    };
    let request = match decode::envelope(body) {
        Ok(request) => request,
        Err(bad) => {
            warn!(error = %bad, "not a review");
            app.observer.answered(&summary("", "", None, Outcome::Bad));
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
    let judged = judge(app, door, &request).instrument(span.clone()).await;
    let (outcome, conversion) = match &judged {
        None => (Outcome::Bad, None),
        Some((response, conversion)) => (Outcome::of(response), conversion.as_ref()),
    };
    span.in_scope(|| debug!(?outcome, mode = %app.rule.mode, "judged"));
    let subresource = request.sub_resource.as_deref().unwrap_or_default();
    app.observer.answered(&summary(
        &request.operation,
        subresource,
        conversion,
        outcome,
    ));
    judged.map_or(Reply::NotYet, |(response, _)| Reply::Judged(response))
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

/// The answer and the conversion that it rests on, if there was one; nothing while the cluster is unknown.
async fn judge(app: &App, door: Door, request: &Request) -> Option<(Response, Option<Conversion>)> {
    let rule = &app.rule;
    match decode::subject(request) {
        Err(bad) => Some((respond::unreadable(request, &bad), None)),
        Ok(Subject::Nothing) => {
            let annotations = respond::annotations(rule.mode.as_str(), rule.name(), None);
            Some((respond::admit(request, Vec::new(), annotations), None))
        }
        Ok(Subject::Scale { workers, change }) => {
            Some((scaled(app, door, request, workers, &change), None))
        }
        Ok(Subject::Job(job, change)) => judge_job(app, door, request, *job, &change).await,
    }
}

async fn judge_job(
    app: &App,
    door: Door,
    request: &Request,
    mut job: PyTorchJob,
    change: &Change,
) -> Option<(Response, Option<Conversion>)> {
    let rule = &app.rule;
    let is_queue = app.queue_controllers.contains(&request.user_info.username);
    let decision = decide(rule, change, is_queue);
    let show = request.dry_run == Some(true)
        && job
            .metadata
            .annotations
            .get(ANNOTATION_SHOW)
            .is_some_and(|value| value == SHOW_TRAINJOB);
    if !show && (!change.is_judged() || (door == Door::Mutate && decision != Decision::Deny)) {
        let annotations = match door {
            Door::Mutate => BTreeMap::new(),
            Door::Validate => respond::annotations(rule.mode.as_str(), rule.name(), None),
        };
        return Some((respond::admit(request, Vec::new(), annotations), None));
    }
    if job.metadata.namespace.is_none() && !request.namespace.is_empty() {
        job.metadata.namespace = Some(request.namespace.clone());
    }
    let target = app.cluster.target()?;
    let conversion = convert(&job, &target);
    let annotations = respond::annotations(rule.mode.as_str(), rule.name(), Some(&conversion));
    let case = Case {
        app,
        request,
        job: &job,
        change,
        target: &target,
        conversion: &conversion,
    };
    let response = match decision {
        Decision::Deny => case.refuse(Cause::Rule, show, annotations).await,
        _ if show => case.refuse(Cause::Show, show, annotations).await,
        Decision::Admit => respond::admit(request, Vec::new(), annotations),
        Decision::Warn => {
            let lines = warnings::of_job(rule, &request.namespace, change, &conversion);
            respond::admit(request, lines, annotations)
        }
    };
    Some((response, Some(conversion)))
}

/// A job that is refused, and everything that the refusal speaks of.
struct Case<'a> {
    app: &'a App,
    request: &'a Request,
    job: &'a PyTorchJob,
    change: &'a Change,
    target: &'a Target,
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
        let detail = if !remarks.is_empty() {
            Detail::Credentials
        } else if self.request.user_info.is_service_account() && !show {
            Detail::Machine
        } else {
            Detail::Full
        };
        let denial = Denial {
            cause,
            rule: &self.app.rule,
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

fn scaled(
    app: &App,
    door: Door,
    request: &Request,
    workers: (i64, i64),
    change: &Change,
) -> Response {
    let rule: &Rule = &app.rule;
    let annotations = respond::annotations(rule.mode.as_str(), rule.name(), None);
    match (decide(rule, change, false), door) {
        (Decision::Deny, _) => {
            let (old, new) = workers;
            let message = format!(
                "scaling a PyTorchJob from {old} to {new} workers is refused in namespace {} ({}). \
                 Delete it and submit its TrainJob with the number of nodes that you want: \
                 kubectl get pytorchjob {} -n {} -o yaml | trainshift convert -",
                request.namespace,
                rule.authority(),
                request.name,
                request.namespace,
            );
            respond::deny(request, message, std::iter::empty(), annotations)
        }
        (Decision::Warn, Door::Validate) => respond::admit(
            request,
            warnings::of_scale(rule, &request.namespace),
            annotations,
        ),
        _ => respond::admit(request, Vec::new(), annotations),
    }
}

/// An observer that isn't interested.
impl super::Observer for () {
    fn answered(&self, _summary: &Summary<'_>) {}
}
