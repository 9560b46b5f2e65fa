//! The live cluster as admission sees it: a target that is read again and again, and questions about users.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use k8s_openapi::api::core::v1::Namespace as NamespaceObject;
use kube::{Api, Client};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::ready::Part;
use super::tasks::Failure;
use crate::admission::{Asked, Cluster};
use crate::api::review::UserInfo;
use crate::convert::target::Target;
use crate::discovery::access::{Access, Right};
use crate::discovery::{self, DiscoveryError};
use crate::policy::Namespace;

/// How long a reading is taken for true.
const INTERVAL: Duration = Duration::from_secs(30);
/// How soon a failed reading is tried again.
const RETRY: Duration = Duration::from_secs(2);
/// Longest wait for one answer of the API server; below the deadline of a request.
const PATIENCE: Duration = Duration::from_secs(3);

/// A cluster that is read every 30 seconds. The last reading stays when the API server goes away.
pub struct Live {
    client: Client,
    wishes: Target,
    target: ArcSwapOption<Target>,
    access: Access,
}

impl Live {
    /// Follows `client`'s cluster; conversions are for it, and otherwise as `wishes` says.
    #[must_use]
    pub fn new(client: Client, wishes: Target) -> Self {
        Self {
            access: Access::new(client.clone()),
            client,
            wishes,
            target: ArcSwapOption::empty(),
        }
    }

    /// Reads the cluster for ever; `part` is ready once it was read.
    ///
    /// # Errors
    /// None: a cluster that can't be read is tried again.
    pub async fn follow(self: Arc<Self>, part: Part) -> Result<(), Failure> {
        loop {
            let pause = match self.read().await {
                Ok(()) => {
                    part.ready();
                    INTERVAL
                }
                Err(error) => {
                    warn!(%error, "the cluster can't be read; trying again");
                    match self.target.load().as_ref() {
                        Some(_) => {
                            part.ready_but(format!("answers from the last reading: {error}"));
                        }
                        None => part.unready(error.to_string()),
                    }
                    RETRY
                }
            };
            sleep(pause).await;
        }
    }

    async fn read(&self) -> Result<(), DiscoveryError> {
        let snapshot = discovery::read(&self.client).await?;
        let target = snapshot.apply(self.wishes.clone());
        if self.target.load().as_deref() != Some(&target) {
            info!(
                trainer = snapshot.dialect.map_or("none", |dialect| dialect.as_str()),
                runtimes = ?snapshot.cluster_runtimes,
                "read the cluster"
            );
            self.target.store(Some(Arc::new(target)));
        }
        Ok(())
    }
}

impl Cluster for Live {
    fn target(&self) -> Option<Arc<Target>> {
        self.target.load_full()
    }

    fn namespace<'a>(&'a self, name: &'a str) -> Asked<'a, Namespace> {
        let namespaces: Api<NamespaceObject> = Api::all(self.client.clone());
        Box::pin(asked("the labels of a namespace", name, async move {
            let found = namespaces.get_metadata(name).await?;
            Ok(Namespace::new(
                name,
                found.metadata.labels.unwrap_or_default(),
            ))
        }))
    }

    fn may_create_runtimes<'a>(
        &'a self,
        user: &'a UserInfo,
        namespace: &'a str,
    ) -> Asked<'a, bool> {
        let answer = self.access.may(user, Right::CreateRuntimes(namespace));
        Box::pin(asked("what a user may do", &user.username, answer))
    }

    fn may_bypass<'a>(&'a self, user: &'a UserInfo, policy: &'a str) -> Asked<'a, bool> {
        let answer = self.access.may(user, Right::Bypass(policy));
        Box::pin(asked("what a user may do", &user.username, answer))
    }
}

/// What the API server answers, if it does so in time.
async fn asked<T>(
    what: &str,
    whom: &str,
    answer: impl Future<Output = Result<T, kube::Error>>,
) -> Option<T> {
    match timeout(PATIENCE, answer).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            warn!(%error, whom, "the API server doesn't say: {what}");
            None
        }
        Err(_) => {
            warn!(whom, "the API server takes too long to say: {what}");
            None
        }
    }
}
