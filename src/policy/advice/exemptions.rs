//! Warnings about exemptions: whom they excuse besides those who are meant, and whether they excuse anybody.

use jiff::{SignedDuration, Timestamp};

use super::schedule::entries;
use super::{Code, Notes};
use crate::api::meta::SERVICE_ACCOUNT_PREFIX;
use crate::api::policy::{Exemption, MigrationPolicySpec, Mode, Subject, SubjectKind};
use crate::policy::schedule::date;

/// How long an exemption may last from when it is needed, before somebody should look at it again.
const LONGEST: SignedDuration = SignedDuration::from_hours(183 * 24);

/// ServiceAccounts through which others' jobs go, and whose jobs those are.
const SHARED: [(&str, &str); 16] = [
    ("argo", "Argo Workflows runs everybody's steps with it"),
    (
        "argo-server",
        "Argo Workflows submits everybody's workflows with it",
    ),
    (
        "argocd-application-controller",
        "Argo CD applies what is in every team's repository with it",
    ),
    ("airflow-worker", "Airflow runs everybody's tasks with it"),
    (
        "default",
        "every pod of the namespace that names no account runs with it",
    ),
    (
        "default-editor",
        "Kubeflow runs every notebook and pipeline of the namespace with it",
    ),
    (
        "flytepropeller",
        "Flyte creates the jobs of everybody's workflows with it",
    ),
    (
        "generic-garbage-collector",
        "it edits the objects of everybody",
    ),
    (
        "helm-controller",
        "Flux installs everybody's charts with it",
    ),
    (
        "katib-controller",
        "Katib creates the trials of everybody's experiments with it",
    ),
    (
        "kueue-controller-manager",
        "Kueue starts everybody's queued jobs with it, which needs no exemption",
    ),
    (
        "kustomize-controller",
        "Flux applies what is in every team's repository with it",
    ),
    (
        "pipeline-runner",
        "Kubeflow Pipelines runs everybody's steps with it",
    ),
    (
        "tekton-pipelines-controller",
        "Tekton runs everybody's tasks with it",
    ),
    (
        "training-operator",
        "the v1 operator edits everybody's jobs with it, which needs no exemption",
    ),
    (
        "workflow-controller",
        "Argo Workflows creates everybody's steps with it",
    ),
];

/// Groups that everybody is in, or that hold more than a team.
const BROAD: [(&str, &str); 5] = [
    (
        "system:authenticated",
        "everybody who has logged in is in it",
    ),
    (
        "system:unauthenticated",
        "everybody who has not logged in is in it",
    ),
    (
        "system:serviceaccounts",
        "every ServiceAccount of the cluster is in it",
    ),
    (
        "system:masters",
        "every administrator is in it, and whatever runs with an administrator's certificate",
    ),
    ("system:nodes", "every node is in it"),
];

pub(super) fn advise(spec: &MigrationPolicySpec, now: Timestamp, notes: &mut Notes<'_>) {
    let denied = first_denied(spec, now);
    for (index, exemption) in spec.exemptions.iter().enumerate() {
        let at = format!("spec.exemptions[{index}]");
        time(exemption, denied, now, &at, notes);
        if is_empty(&exemption.reason) {
            let message = format!("the reason {:?} says nothing", exemption.reason);
            notes.add(Code::EmptyReason, format!("{at}.reason"), message);
        }
        let is_named =
            !exemption.names.is_empty() && exemption.names.iter().all(|name| name != "*");
        let narrowed = !exemption.owners.is_empty() || is_named;
        for (number, subject) in exemption.subjects.iter().enumerate() {
            who(
                subject,
                narrowed,
                &format!("{at}.subjects[{number}]"),
                notes,
            );
        }
    }
}

/// When the policy first denies, from now on.
fn first_denied(spec: &MigrationPolicySpec, now: Timestamp) -> Option<Timestamp> {
    let entries = entries(spec);
    let ends = entries.iter().skip(1).map(|(from, _, _)| *from);
    entries
        .iter()
        .zip(ends.chain([Timestamp::MAX]))
        .find(|((_, mode, _), end)| *mode == Mode::Deny && *end > now)
        .map(|((from, _, _), _)| (*from).max(now))
}

fn time(
    exemption: &Exemption,
    denied: Option<Timestamp>,
    now: Timestamp,
    at: &str,
    notes: &mut Notes<'_>,
) {
    let (name, until) = (&exemption.name, exemption.until);
    let at_until = format!("{at}.until");
    match denied {
        _ if until <= now => notes.add(
            Code::ExemptionEnded,
            at_until,
            format!("exemption {name} ended on {}", date(until)),
        ),
        None => notes.add(
            Code::ExemptionIdle,
            at.to_owned(),
            format!("exemption {name} excuses from a Deny that isn't in the schedule"),
        ),
        Some(denied) if until <= denied => notes.add(
            Code::ExemptionIdle,
            at_until,
            format!(
                "exemption {name} ends on {}, before Deny begins on {}",
                date(until),
                date(denied)
            ),
        ),
        Some(denied) if until.duration_since(denied) > LONGEST => notes.add(
            Code::ExemptionLong,
            at_until,
            format!(
                "exemption {name} lasts until {}, {} days after it begins to count",
                date(until),
                until.duration_since(denied).as_hours() / 24
            ),
        ),
        Some(_) => {}
    }
}

fn is_empty(reason: &str) -> bool {
    const HOLLOW: [&str; 11] = [
        "",
        "todo",
        "tbd",
        "fixme",
        "na",
        "none",
        "reason",
        "test",
        "temp",
        "temporary",
        "exemption",
    ];
    let letters: String = reason
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    HOLLOW.contains(&letters.as_str())
}

fn who(subject: &Subject, narrowed: bool, at: &str, notes: &mut Notes<'_>) {
    let name = subject.name.as_str();
    let account = match subject.kind {
        SubjectKind::Group => return group(name, at, notes),
        SubjectKind::ServiceAccount => Some(name),
        SubjectKind::User => name.strip_prefix(SERVICE_ACCOUNT_PREFIX).map(|rest| {
            let (namespace, account) = rest.split_once(':').unwrap_or((rest, ""));
            let message = format!(
                "user {name:?} is a ServiceAccount: write {{kind: ServiceAccount, namespace: {namespace}, name: {account}}}"
            );
            notes.add(Code::AccountAsUser, at, message);
            account
        }),
    };
    let shared = account.and_then(|account| SHARED.iter().find(|(known, _)| *known == account));
    if let Some((account, reason)) = shared.filter(|_| !narrowed) {
        notes.add(
            Code::SharedAccount,
            at,
            format!("{account} acts for others: {reason}, so all of them are excused; add owners or names"),
        );
    }
}

fn group(name: &str, at: &str, notes: &mut Notes<'_>) {
    let known = BROAD.iter().find(|(group, _)| *group == name);
    let reason = known.map(|(_, reason)| (*reason).to_owned()).or_else(|| {
        let namespace = name.strip_prefix("system:serviceaccounts:")?;
        Some(format!(
            "every ServiceAccount of namespace {namespace} is in it, and whoever may create pods there can use any of them"
        ))
    });
    if let Some(reason) = reason {
        notes.add(
            Code::Everybody,
            at,
            format!("group {name} is no team: {reason}"),
        );
    }
}
