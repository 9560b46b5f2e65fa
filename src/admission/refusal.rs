//! A job that is refused: what the requester could submit instead, and how much of it he is told.

use std::collections::BTreeMap;

use super::denial::{Cause, Denial, Detail, NoRight};
use super::{App, credentials, respond};
use crate::api::policy::DenialForm;
use crate::api::pytorchjob::PyTorchJob;
use crate::api::review::{Request, Response};
use crate::convert::target::Target;
use crate::convert::{Conversion, Verdict, convert};
use crate::policy::{Change, Ruling};

/// A job that is refused, and everything that the refusal speaks of.
pub(super) struct Refusal<'a> {
    pub(super) app: &'a App,
    pub(super) request: &'a Request,
    pub(super) job: &'a PyTorchJob,
    pub(super) change: &'a Change,
    pub(super) target: &'a Target,
    pub(super) ruling: &'a Ruling,
    /// Why the job's reason to pass counts for nothing, if so.
    pub(super) no_right: Option<&'a NoRight>,
    pub(super) conversion: &'a Conversion,
}

impl Refusal<'_> {
    /// `show` says that the requester asks for the TrainJob, whoever that is.
    pub(super) async fn answer(
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
