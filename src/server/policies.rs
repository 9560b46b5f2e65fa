//! The policies in force: what the cluster or a file says, made into one snapshot after another.
//!
//! ```text
//! watch of namespaces ----------------------+
//! watch of MigrationPolicies, or the file --+-> channel -> World -> Snapshot -> requests
//! ```
//!
//! One task owns it all. A request takes the snapshot that is there, and nothing that happens here can hold it up or
//! change the policies under it. Until everything was read once there is no snapshot; after that there is always one.

mod file;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use kube::Client;
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::{Instant, timeout_at};
use tracing::{info, warn};

use super::ready::Part;
use super::tasks::Failure;
use crate::discovery::watch::{self, Labels, ReadPolicy, Seen};
use crate::policy::{Mode, Snapshot};
use crate::telemetry::Metrics;
pub use file::{PolicyFile, Reader};
use world::World;

/// How long a change waits for others, so that many at once make one snapshot.
const GATHERED: Duration = Duration::from_millis(50);
/// What the channel holds; a watch waits while it is full.
const WAITING: usize = 256;

/// Where policies come from and where they go.
pub struct Feed {
    /// The cluster whose namespaces count, and whose policies do where there is no file. None: namespaces have no labels but
    /// their name.
    pub client: Option<Client>,
    /// The file that counts instead of the cluster's policies.
    pub file: Option<PolicyFile>,
    /// The mode where no policy matches.
    pub default: Mode,
    /// Where requests find the snapshot.
    pub policies: Arc<ArcSwapOption<Snapshot>>,
    /// Where it is said whether the file is good.
    pub metrics: Arc<Metrics>,
}

/// What a source of policies or namespaces says.
enum Told {
    Namespaces(Seen<Labels>),
    Policies(Seen<ReadPolicy>),
    /// A new reading of the file, or why it can't be used.
    File(Result<file::Read, String>),
}

impl Feed {
    /// Follows its sources for ever; `part` is ready once each was read.
    ///
    /// # Errors
    /// None: a source that can't be read is tried again.
    pub async fn follow(self, part: Part) -> Result<(), Failure> {
        let (namespaces, seen_namespaces) = mpsc::channel(WAITING);
        let (policies, seen_policies) = mpsc::channel(WAITING);
        let (contents, read) = mpsc::channel(WAITING);
        let mut world = World::new(self.default, self.client.is_some());
        if let Some(file) = &self.file {
            self.metrics.policy_file(true);
            world.take(Told::File(Ok(file.first())));
        } else if self.client.is_none() {
            // Nobody tells of policies, so there are none.
            world.take(Told::Policies(Seen::All(BTreeMap::new())));
        }
        let watch_namespaces = async {
            match self.client.clone() {
                Some(client) => watch::namespaces(client, namespaces).await,
                None => std::future::pending().await,
            }
        };
        let watch_policies = async {
            match (&self.file, self.client.clone()) {
                (Some(file), _) => file.follow(contents).await,
                (None, Some(client)) => watch::policies(client, policies).await,
                (None, None) => std::future::pending().await,
            }
        };
        let sources = Sources {
            namespaces: seen_namespaces,
            policies: seen_policies,
            file: read,
        };
        tokio::select! {
            () = watch_namespaces => {}
            () = watch_policies => {}
            () = self.absorb(world, sources, &part) => {}
        }
        Ok(())
    }

    /// Makes snapshots of what is told.
    async fn absorb(&self, mut world: World, mut sources: Sources, part: &Part) {
        loop {
            if let Some(snapshot) = world.snapshot() {
                self.policies.store(Some(Arc::new(snapshot)));
            }
            world.report(part);
            let told = sources.next().await;
            self.take(&mut world, told);
            let until = Instant::now() + GATHERED;
            while let Ok(told) = timeout_at(until, sources.next()).await {
                self.take(&mut world, told);
            }
        }
    }

    fn take(&self, world: &mut World, told: Told) {
        if let Told::File(read) = &told {
            self.metrics.policy_file(read.is_ok());
            match read {
                Ok(read) => info!(policies = read.len(), "read the file of policies"),
                Err(error) => {
                    warn!(%error, "the file of policies can't be used; the last good one stays in force");
                }
            }
        }
        world.take(told);
    }
}

/// The ends of the channels.
struct Sources {
    namespaces: Receiver<Seen<Labels>>,
    policies: Receiver<Seen<ReadPolicy>>,
    file: Receiver<Result<file::Read, String>>,
}

impl Sources {
    /// What is told next; for ever, if nobody tells anything.
    async fn next(&mut self) -> Told {
        tokio::select! {
            Some(seen) = self.namespaces.recv() => Told::Namespaces(seen),
            Some(seen) = self.policies.recv() => Told::Policies(seen),
            Some(read) = self.file.recv() => Told::File(read),
            else => std::future::pending().await,
        }
    }
}
