//! The live cluster as admission sees it: a target that is read again and again, and questions about users.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use kube::Client;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::ready::Part;
use super::tasks::Failure;
use crate::admission::Cluster;
use crate::api::review::UserInfo;
use crate::convert::target::Target;
use crate::discovery::access::Access;
use crate::discovery::{self, DiscoveryError};

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

    fn may_create_runtimes<'a>(
        &'a self,
        user: &'a UserInfo,
        namespace: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<bool>> + Send + 'a>> {
        Box::pin(async move {
            match timeout(PATIENCE, self.access.may_create_runtimes(user, namespace)).await {
                Ok(Ok(allowed)) => Some(allowed),
                Ok(Err(error)) => {
                    warn!(%error, user = user.username, namespace, "can't tell what a user may do");
                    None
                }
                Err(_) => {
                    warn!(
                        user = user.username,
                        namespace, "the API server takes too long to say what a user may do"
                    );
                    None
                }
            }
        })
    }
}
