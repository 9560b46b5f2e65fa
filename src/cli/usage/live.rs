//! A cluster in, its PyTorchJobs out, a page at a time.

use kube::api::{ApiResource, GroupVersionKind, ListParams};
use kube::core::DynamicObject;
use kube::{Api, Client};
use serde_json::Value;

use crate::api::meta::{PYTORCHJOB, V1_GROUP};
use crate::convert::target::Target;
use crate::discovery;

/// Version of PyTorchJob's API.
const V1: &str = "v1";
/// Jobs of a page.
const PAGE: u32 = 500;

/// What jobs are converted for in this cluster, and why that is a guess, if it is.
pub(super) async fn target(client: &Client) -> (Target, Option<String>) {
    let target = Target::default();
    match discovery::read(client).await {
        Ok(snapshot) if snapshot.dialect.is_some() => (snapshot.apply(target), None),
        Ok(snapshot) => {
            let note = "the cluster has no Kubeflow Trainer: verdicts are for the newest version";
            (snapshot.apply(target), Some(note.to_owned()))
        }
        Err(error) => {
            let note = format!("verdicts are for the newest version of Kubeflow Trainer ({error})");
            (target, Some(note))
        }
    }
}

/// Gives each PyTorchJob of the cluster, or of one namespace, to `each`.
///
/// # Errors
/// When the API server can't be reached or refuses. `false` where it knows no PyTorchJob at all.
pub(super) async fn jobs(
    client: &Client,
    namespace: Option<&str>,
    mut each: impl FnMut(Value),
) -> Result<bool, kube::Error> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(V1_GROUP, V1, PYTORCHJOB));
    let jobs: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let mut page = ListParams::default().limit(PAGE);
    loop {
        let list = match jobs.list(&page).await {
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(false),
            answer => answer?,
        };
        let token = list.metadata.continue_.filter(|token| !token.is_empty());
        for job in list.items {
            each(serde_json::to_value(job).map_err(kube::Error::SerdeError)?);
        }
        match token {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(true),
        }
    }
}
