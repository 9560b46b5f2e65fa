//! The cluster as plain data.
//!
//! Reads which version of Trainer the cluster has and which runtimes, and asks what a user may do. Nothing here decides
//! anything, and nothing is written to the cluster but reviews of access, which the API server doesn't store.

pub mod access;
pub mod dialect;
pub mod watch;

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ApiResource, GroupVersionKind, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::DynamicObject;
use kube::{Api, Client, Config};
use thiserror::Error;

use crate::api::meta::{CLUSTER_TRAINING_RUNTIME, TRAINER_GROUP};
use crate::convert::target::{Dialect, Target};

/// Name of the TrainJob CRD.
const TRAINJOB_CRD: &str = "trainjobs.trainer.kubeflow.org";
/// Version of the runtimes' API.
const TRAINER_VERSION: &str = "v1alpha1";

/// Longest time in which an API server that is there says nothing on a connection that waits for it. Longer than a watch
/// lasts ([`watch`]), so that one on which nothing happens is closed by the API server before.
const SILENCE: Duration = Duration::from_secs(45);

/// What a cluster has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The version of Trainer; none when its TrainJob CRD isn't there.
    pub dialect: Option<Dialect>,
    /// Names of the ClusterTrainingRuntimes.
    pub cluster_runtimes: BTreeSet<String>,
}

impl Snapshot {
    /// `target` for this cluster. Where there is no Trainer yet, conversions are for the newest.
    #[must_use]
    pub fn apply(&self, target: Target) -> Target {
        Target {
            dialect: self.dialect.unwrap_or(target.dialect),
            cluster_runtimes: self.cluster_runtimes.clone(),
            ..target
        }
    }
}

/// Why a cluster could not be read.
#[derive(Debug, Error)]
pub enum DiscoveryError {
    /// No kubeconfig, or one that can't be used.
    #[error("kubeconfig: {0}")]
    Kubeconfig(String),
    /// The API server can't be reached, or refuses.
    #[error("reading {what} from the cluster: {source}")]
    Api {
        /// What was asked for.
        what: &'static str,
        /// What came back.
        source: Box<kube::Error>,
    },
}

/// Where the cluster is.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// A kubeconfig file; none for `KUBECONFIG`, `~/.kube/config` or the pod's own ServiceAccount.
    pub kubeconfig: Option<std::path::PathBuf>,
    /// A context of it; none for the current one.
    pub context: Option<String>,
}

/// Makes a client. It gives up an answer that stays away for 45 seconds: after a partition of the network a connection may
/// stay open for ever, with nobody at its other end.
///
/// # Errors
/// When the kubeconfig can't be read, or no configuration is found.
pub async fn connect(connection: &Connection) -> Result<Client, DiscoveryError> {
    let options = KubeConfigOptions {
        context: connection.context.clone(),
        ..KubeConfigOptions::default()
    };
    let unusable = |error: String| DiscoveryError::Kubeconfig(error);
    let mut config = match &connection.kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(path).map_err(|error| unusable(error.to_string()))?;
            Config::from_custom_kubeconfig(file, &options)
                .await
                .map_err(|error| unusable(error.to_string()))?
        }
        None if connection.context.is_some() => Config::from_kubeconfig(&options)
            .await
            .map_err(|error| unusable(error.to_string()))?,
        None => Config::infer()
            .await
            .map_err(|error| unusable(error.to_string()))?,
    };
    config.read_timeout = Some(SILENCE);
    // Counts from the request, not from when the connection was used before.
    config.reset_reader_on_write = true;
    Client::try_from(config).map_err(|error| unusable(error.to_string()))
}

/// Reads what the cluster has.
///
/// # Errors
/// When the API server can't be reached or refuses. A cluster without Trainer is no error.
pub async fn read(client: &Client) -> Result<Snapshot, DiscoveryError> {
    let failed = |what| {
        move |source| DiscoveryError::Api {
            what,
            source: Box::new(source),
        }
    };
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let Some(definition) = definitions
        .get_opt(TRAINJOB_CRD)
        .await
        .map_err(failed("the TrainJob CRD"))?
    else {
        return Ok(Snapshot::default());
    };
    let kind = GroupVersionKind::gvk(TRAINER_GROUP, TRAINER_VERSION, CLUSTER_TRAINING_RUNTIME);
    let runtimes: Api<DynamicObject> = Api::all_with(client.clone(), &ApiResource::from_gvk(&kind));
    let listed = runtimes
        .list_metadata(&ListParams::default())
        .await
        .map_err(failed("ClusterTrainingRuntimes"))?;
    Ok(Snapshot {
        dialect: dialect::of(&definition),
        cluster_runtimes: listed
            .items
            .into_iter()
            .filter_map(|runtime| runtime.metadata.name)
            .collect(),
    })
}
