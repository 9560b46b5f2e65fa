//! What changes in the cluster, as plain data: policies, and the labels of namespaces.
//!
//! Each watch runs for ever and tells what it sees through a channel. One that fails is begun anew, with a whole list, so
//! that whoever hears knows again where he is. The API server ends each after seconds, and it is taken up where it was: one
//! that isn't ended has nobody at its other end, and fails.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ApiResource, DynamicObject};
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Config, Event, watcher};
use kube::{Api, Client, Resource, ResourceExt as _};
use serde_json::Value;
use tokio::sync::mpsc::Sender;
use tokio::time::sleep;

use crate::api::meta::POLICY_CRD;
use crate::api::misfit::Misfit;
use crate::api::policy::MigrationPolicy;

/// How soon a watch that failed is begun anew.
const RETRY: Duration = Duration::from_secs(2);
/// After how many seconds the API server ends a watch. What a dead connection keeps from us is late by little more.
const LASTS: u32 = 30;
/// How often a kind that isn't there is looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// A namespace's labels.
pub type Labels = BTreeMap<String, String>;
/// A policy, or why it can't be read.
pub type ReadPolicy = Result<Box<MigrationPolicy>, String>;

/// What a watch saw.
#[derive(Debug)]
pub enum Seen<T> {
    /// All there are, by name. What was seen before counts no more.
    All(BTreeMap<String, T>),
    /// One that is new or has changed.
    One(String, T),
    /// One that was deleted.
    Gone(String),
    /// The cluster doesn't have the kind: its definition isn't installed.
    NoKind,
    /// The cluster doesn't answer, or refuses; what was seen before is all that is known.
    Lost(String),
}

/// Watches the labels of namespaces, and of the objects nothing else.
pub async fn namespaces(client: Client, tell: Sender<Seen<Labels>>) {
    loop {
        let api: Api<PartialObjectMeta<Namespace>> = Api::all(client.clone());
        let events = watcher(api, Config::default().timeout(LASTS));
        let labels =
            |object: PartialObjectMeta<Namespace>| object.metadata.labels.unwrap_or_default();
        let Err(error) = follow(events, labels, &tell).await else {
            return;
        };
        let lost = Seen::Lost(format!("watching namespaces: {error}"));
        if tell.send(lost).await.is_err() {
            return;
        }
        sleep(RETRY).await;
    }
}

/// Watches `MigrationPolicies`. One that can't be read is told as such, and hides no other.
pub async fn policies(client: Client, tell: Sender<Seen<ReadPolicy>>) {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let kind = ApiResource::erase::<MigrationPolicy>(&());
    loop {
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
        let events = watcher(api, Config::default().timeout(LASTS));
        let Err(error) = follow(events, read, &tell).await else {
            return;
        };
        // While an API server starts, it may say of any kind that it isn't there; the definition itself it doesn't forget.
        let (seen, pause) = if is_not_found(&error)
            && matches!(definitions.get_metadata_opt(POLICY_CRD).await, Ok(None))
        {
            (Seen::NoKind, LOOK_AGAIN)
        } else {
            let lost = format!("watching migrationpolicies: {error}");
            (Seen::Lost(lost), RETRY)
        };
        if tell.send(seen).await.is_err() {
            return;
        }
        sleep(pause).await;
    }
}

/// The policy without what nobody asks for and much of it is: who manages which field, what was applied last.
fn read(mut object: DynamicObject) -> ReadPolicy {
    object.metadata.managed_fields = None;
    object.metadata.annotations = None;
    if let Some(fields) = object.data.as_object_mut() {
        fields.remove("status");
    }
    let value = serde_json::to_value(object).map_err(|error| error.to_string())?;
    read_value(&value)
}

fn read_value(value: &Value) -> ReadPolicy {
    serde_path_to_error::deserialize(value)
        .map(Box::new)
        .map_err(|error| {
            let misfit = Misfit::new(value, &error);
            format!("{}: {}", misfit.field, misfit.message)
        })
}

fn is_not_found(error: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(kube::Error::Api(status))
        | WatchStartFailed(kube::Error::Api(status))
        | WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => status.code == 404,
        _ => false,
    }
}

/// Tells what `events` hold until they fail; `Ok` when nobody listens any more.
async fn follow<K, T>(
    events: impl Stream<Item = watcher::Result<Event<K>>>,
    part: impl Fn(K) -> T,
    tell: &Sender<Seen<T>>,
) -> watcher::Result<()>
where
    K: Resource + Debug,
{
    let mut events = std::pin::pin!(events);
    let mut listed = BTreeMap::new();
    while let Some(event) = events.next().await {
        let seen = match event? {
            Event::Init => {
                listed.clear();
                continue;
            }
            Event::InitApply(object) => {
                listed.insert(object.name_any(), part(object));
                continue;
            }
            Event::InitDone => Seen::All(std::mem::take(&mut listed)),
            Event::Apply(object) => Seen::One(object.name_any(), part(object)),
            Event::Delete(object) => Seen::Gone(object.name_any()),
        };
        if tell.send(seen).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_that_cannot_be_read_names_the_field() {
        let told = read_value(&json!({
            "apiVersion": "trainshift.dev/v1alpha1", "kind": "MigrationPolicy", "metadata": {"name": "x"},
            "spec": {"schedule": [{"mode": "Warn", "from": 5}]},
        }));
        let error = told.unwrap_err();
        assert!(error.starts_with("spec.schedule[0].from: "), "{error}");
    }
}
