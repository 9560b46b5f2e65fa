//! Audit events in, entries out: which requests are about PyTorchJobs, who sent them, and what became of them.

use super::count::Count;
use super::tally::{Entry, Field, Memory};
use crate::api::audit::{AUDIT_API_VERSION, EVENT, Event, FAILED_OPEN_PREFIX, RESPONSE_COMPLETE};
use crate::api::meta::{
    AUDIT_BYPASS, AUDIT_CODES, AUDIT_DECISION, AUDIT_EXEMPTION, AUDIT_VERDICT, MUTATING_WEBHOOK,
    PYTORCHJOBS, UNREADABLE, V1_GROUP, VALIDATING_WEBHOOK,
};
use crate::convert::Verdict;
use crate::policy::Decision;

/// The sections of a report of requests, by name.
pub(super) const SECTIONS: &[(&str, &[Field])] = &[
    ("users", &[Field::User, Field::Via]),
    ("namespaces", &[Field::Namespace]),
    ("clients", &[Field::Client]),
    ("findings", &[Field::Finding]),
    ("periods", &[Field::Period]),
    (
        "detail",
        &[
            Field::Period,
            Field::Namespace,
            Field::User,
            Field::Via,
            Field::Client,
        ],
    ),
];
/// The webhook whose word counts comes first.
const WEBHOOKS: [&str; 2] = [VALIDATING_WEBHOOK, MUTATING_WEBHOOK];
/// A client that doesn't say what it is.
const UNNAMED: &str = "(none)";
/// How the floor below the webhook calls its policies, in the API server's message.
const FLOOR: &str = "ValidatingAdmissionPolicy 'trainshift";

/// What an event is to this report.
#[derive(Debug, PartialEq)]
pub(super) enum Seen {
    /// Something else.
    Nothing,
    /// A controller that writes a job's status, which is no use of v1 by anybody.
    Status,
    /// A request that asked to store nothing.
    DryRun,
    /// The same event once more.
    Again,
    /// A request.
    Request(Box<Entry>),
}

/// What the event tells. `known` remembers requests that were seen, so that files may overlap.
///
/// # Errors
/// When it is no audit event; `in_list` says that its kind need not be written.
pub(super) fn of(event: &Event, in_list: bool, known: &mut Memory) -> Result<Seen, String> {
    let is_event = event.kind == EVENT && event.api_version == AUDIT_API_VERSION;
    let is_item = in_list && event.kind.is_empty();
    if !(is_event || is_item) {
        return Err(format!(
            "expected an Event of {AUDIT_API_VERSION}, found kind {:?} of {:?}",
            event.kind, event.api_version
        ));
    }
    let object = &event.object_ref;
    let verb = match event.verb.as_str() {
        "create" => Count::Creates,
        "update" | "patch" => Count::Changes,
        "delete" | "deletecollection" => Count::Deletes,
        _ => return Ok(Seen::Nothing),
    };
    if object.resource != PYTORCHJOBS
        || object.api_group != V1_GROUP
        || event.stage != RESPONSE_COMPLETE
    {
        return Ok(Seen::Nothing);
    }
    // A client may choose its request's ID: by that alone, all its requests but one could hide.
    let ids = (&event.audit_id, event.request_received_timestamp);
    if !known.is_new((ids, &event.verb, &event.request_uri, &event.user.username)) {
        return Ok(Seen::Again);
    }
    if !matches!(object.subresource.as_str(), "" | "scale") {
        return Ok(Seen::Status);
    }
    if is_dry_run(&event.request_uri) {
        return Ok(Seen::DryRun);
    }
    Ok(Seen::Request(Box::new(entry(event, verb))))
}

fn entry(event: &Event, verb: Count) -> Entry {
    let mut entry = Entry::new(event.request_received_timestamp);
    let user = &event.user.username;
    match &event.impersonated_user {
        Some(other) => {
            entry.set(Field::User, &other.username);
            entry.set(Field::Via, user);
        }
        None => entry.set(Field::User, user),
    }
    entry.set(Field::Namespace, &event.object_ref.namespace);
    entry.set(Field::Client, &client(&event.user_agent));
    entry.counts = vec![Count::Requests];

    let code = event.response_status.code;
    let is_carried_out = (200..300).contains(&code);
    // Server-side apply creates by a patch.
    let is_new = verb == Count::Creates || code == 201;
    entry
        .counts
        .push(if is_new { Count::Creates } else { verb });
    if is_new && is_carried_out && event.object_ref.subresource.is_empty() {
        match event.object_ref.name.as_str() {
            // A name that the API server made up isn't recorded, and is new each time.
            "" => entry.counts.push(Count::Jobs),
            name => entry.job = Some(name.to_owned()),
        }
    }
    outcome(event, verb, is_carried_out, &mut entry);
    entry
}

fn outcome(event: &Event, verb: Count, is_carried_out: bool, entry: &mut Entry) {
    let message = &event.response_status.message;
    let is_refused = is_refusal(message);
    let counts = &mut entry.counts;
    if is_refused {
        counts.push(Count::Refused);
    } else if !is_carried_out {
        counts.push(Count::Failed);
        if WEBHOOKS
            .iter()
            .any(|webhook| message.contains(&format!("failed calling webhook \"{webhook}\"")))
        {
            counts.push(Count::FailedClosed);
        }
    }
    // Deletion isn't judged by anybody.
    if verb == Count::Deletes {
        return;
    }
    let is_judged = is_refused || WEBHOOKS.iter().any(|webhook| has_judged(event, webhook));
    counts.push(verdict(event, is_judged));
    if !is_judged && is_carried_out {
        counts.push(Count::Unjudged);
        if event.annotations.iter().any(|(key, value)| {
            key.starts_with(FAILED_OPEN_PREFIX) && WEBHOOKS.contains(&value.as_str())
        }) {
            counts.push(Count::FailedOpen);
        }
    }
    let is_warned = note(event, AUDIT_DECISION) == Some(Decision::Warn.as_str());
    if note(event, AUDIT_BYPASS).is_some() {
        counts.push(Count::Bypassed);
    } else if note(event, AUDIT_EXEMPTION).is_some() {
        counts.push(Count::Exempted);
    } else if is_warned && !is_refused {
        counts.push(Count::Warned);
    }
    let codes = note(event, AUDIT_CODES).unwrap_or_default().split(',');
    entry.codes = codes
        .filter(|code| !code.is_empty())
        .map(str::to_owned)
        .collect();
}

/// Whether a failed request's message is a refusal of trainshift's, or of the floor below it.
fn is_refusal(message: &str) -> bool {
    let by_webhook = |webhook: &&str| {
        let begin = format!("admission webhook \"{webhook}\" denied the request");
        message.starts_with(&begin)
    };
    WEBHOOKS.iter().any(by_webhook) || message.contains(FLOOR)
}

/// Whether the webhook's word is final: what `/mutate` lets go on, `/validate` still has to judge.
fn has_judged(event: &Event, webhook: &str) -> bool {
    let begin = format!("{webhook}/");
    let mut notes = event.annotations.range(begin.clone()..);
    let has_note = notes.next().is_some_and(|(key, _)| key.starts_with(&begin));
    has_note && (webhook == VALIDATING_WEBHOOK || note_of(event, webhook, AUDIT_VERDICT).is_some())
}

fn verdict(event: &Event, is_judged: bool) -> Count {
    let word = note(event, AUDIT_VERDICT);
    let of = |verdict: Verdict| Some(verdict.as_str());
    match word {
        _ if !is_judged => Count::Unknown,
        None => Count::NoVerdict,
        Some(UNREADABLE) => Count::Unreadable,
        word if word == of(Verdict::Exact) => Count::Exact,
        word if word == of(Verdict::Adapted) => Count::Adapted,
        word if word == of(Verdict::Lossy) => Count::Lossy,
        word if word == of(Verdict::Refused) => Count::Unconvertible,
        Some(_) => Count::Unknown,
    }
}

/// What trainshift noted under `key`.
fn note<'e>(event: &'e Event, key: &str) -> Option<&'e str> {
    WEBHOOKS
        .iter()
        .find_map(|webhook| note_of(event, webhook, key))
}

fn note_of<'e>(event: &'e Event, webhook: &str, key: &str) -> Option<&'e str> {
    let note = event.annotations.get(&format!("{webhook}/{key}"));
    note.map(String::as_str)
}

fn is_dry_run(uri: &str) -> bool {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    query
        .split('&')
        .any(|parameter| parameter.starts_with("dryRun="))
}

/// The program by what it calls itself, without versions and platforms, so that an upgrade is no new client:
/// `kubectl/v1.36.3 (linux/amd64) kubernetes/...` is `kubectl`, `OpenAPI-Generator/30.1.0/python` is
/// `OpenAPI-Generator/python`.
fn client(user_agent: &str) -> String {
    let product = user_agent.split_whitespace().next().unwrap_or_default();
    let is_version = |part: &&str| {
        let number = part.strip_prefix('v').unwrap_or(part);
        number.starts_with(|char: char| char.is_ascii_digit())
    };
    let mut parts = product.split('/');
    let name = parts.next().filter(|name| !name.is_empty());
    let name = name.unwrap_or(UNNAMED);
    let others = parts.filter(|part| !is_version(part));
    [name]
        .into_iter()
        .chain(others)
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests;
