//! The twenty namespaces: their labels, who submits there, and what.

use serde_json::{Value, json};

use crate::jobs::mnist;

/// A namespace of the organisation, and the job that is sent to it again and again.
pub(super) struct Place {
    pub(super) name: &'static str,
    /// Labels besides the one that brings it before the server.
    pub(super) labels: &'static [(&'static str, &'static str)],
    pub(super) who: Who,
    pub(super) what: What,
}

/// Who submits.
#[derive(Clone, Copy)]
pub(super) enum Who {
    Alice,
    /// Exempt in org-research until July.
    Sweeper,
    /// May pass the denials of org-research.
    OnCall,
    /// Exempt in org-research until March where a Trial owns the job.
    Katib,
    /// The runs of org-pipelines-prod, exempt in org-pipelines until September.
    Runner,
}

/// What is submitted: a small job, but for one thing.
#[derive(Clone, Copy)]
pub(super) enum What {
    Small,
    /// Twelve workers.
    Large,
    /// Labelled as the vision team's.
    Visions,
    /// Owned by a Trial.
    Trial,
    /// With a reason to pass a denial.
    Urgent,
}

/// The group by which all of them may create jobs.
pub(super) const SUBMITTERS: &str = "org-submitters";

impl Who {
    /// By the name that the API server knows.
    pub(super) fn user(self) -> &'static str {
        match self {
            Self::Alice => "alice",
            Self::Sweeper => "sweeper",
            Self::OnCall => "on-call",
            Self::Katib => "system:serviceaccount:kubeflow:katib-controller",
            Self::Runner => "system:serviceaccount:org-pipelines-prod:runner",
        }
    }

    /// The groups; impersonation adds none to these.
    pub(super) fn groups(self) -> &'static [&'static str] {
        match self {
            Self::Runner => &[SUBMITTERS, "system:serviceaccounts:org-pipelines-prod"],
            _ => &[SUBMITTERS],
        }
    }
}

impl What {
    pub(super) fn job(self, namespace: &str) -> Value {
        let workers = if matches!(self, Self::Large) { 12 } else { 1 };
        let mut job = mnist("mnist", namespace, workers);
        let metadata = match self {
            Self::Small | Self::Large => json!({}),
            Self::Visions => json!({"labels": {"team": "vision"}}),
            Self::Trial => json!({"ownerReferences": [{
                "apiVersion": "kubeflow.org/v1beta1", "kind": "Trial", "name": "trial",
                "uid": "0b7c1a3e-0000-4000-8000-000000000000",
            }]}),
            Self::Urgent => {
                json!({"annotations": {"trainshift.dev/bypass": "the deadline is tonight"}})
            }
        };
        json_patch::merge(&mut job["metadata"], &metadata);
        job
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Small => "a small job",
            Self::Large => "a job of 12 workers",
            Self::Visions => "a job of the vision team",
            Self::Trial => "a job of a Trial",
            Self::Urgent => "a job with trainshift.dev/bypass",
        }
    }
}

const fn at(
    name: &'static str,
    labels: &'static [(&'static str, &'static str)],
    who: Who,
    what: What,
) -> Place {
    Place {
        name,
        labels,
        who,
        what,
    }
}

const RESEARCH: &[(&str, &str)] = &[("tier", "research")];
const PRODUCTION: &[(&str, &str)] = &[("tier", "production")];
const MODE: &str = "trainshift.dev/mode";

/// All of them.
pub(super) const ALL: [Place; 20] = [
    at("org-mail", &[], Who::Alice, What::Small),
    at("org-search", &[(MODE, "deny")], Who::Alice, What::Small),
    at("org-maps", &[(MODE, "audit")], Who::Alice, What::Small),
    at("org-ads", &[], Who::Alice, What::Urgent),
    at("org-photos", &[], Who::Alice, What::Visions),
    at("org-speech", RESEARCH, Who::Alice, What::Small),
    at("org-nlp", RESEARCH, Who::Sweeper, What::Small),
    at("org-genomics", RESEARCH, Who::Katib, What::Trial),
    at("org-robotics", RESEARCH, Who::Katib, What::Small),
    at("org-weather", RESEARCH, Who::Alice, What::Trial),
    at(
        "org-physics",
        &[("tier", "research"), (MODE, "deny")],
        Who::Sweeper,
        What::Small,
    ),
    at("org-chemistry", RESEARCH, Who::OnCall, What::Urgent),
    at("org-checkout", PRODUCTION, Who::Alice, What::Small),
    at(
        "org-fraud",
        &[("tier", "production"), (MODE, "warn")],
        Who::Alice,
        What::Small,
    ),
    at("org-pricing", PRODUCTION, Who::Alice, What::Large),
    at("org-pilot", &[("tier", "pilot")], Who::Alice, What::Small),
    at("org-pipelines-prod", &[], Who::Runner, What::Small),
    at("org-pipelines-dev", &[], Who::Alice, What::Large),
    at("org-attic", &[("tier", "archive")], Who::Alice, What::Small),
    at(
        "org-cellar",
        &[("tier", "archive")],
        Who::Alice,
        What::Large,
    ),
];
