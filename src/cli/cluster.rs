//! What is typed about the cluster, in every command that knows one.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use crate::convert::target::{self, Dialect, Target};
use crate::discovery::{self, Connection};

/// What schedules gangs under v1.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum GangScheduler {
    /// None: schedulingPolicy had no effect
    #[default]
    None,
    /// Volcano
    Volcano,
    /// The coscheduling plugin
    SchedulerPlugins,
}

impl GangScheduler {
    /// What the converter calls it.
    pub(super) fn meant(self) -> target::GangScheduler {
        match self {
            Self::None => target::GangScheduler::None,
            Self::Volcano => target::GangScheduler::Volcano,
            Self::SchedulerPlugins => target::GangScheduler::SchedulerPlugins,
        }
    }
}

/// A cluster to ask.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ClusterArgs {
    /// Ask this cluster which version of Trainer and which runtimes it has
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// A context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

impl ClusterArgs {
    /// The cluster, if one was named.
    pub(super) fn named(&self) -> Option<Connection> {
        let named = self.kubeconfig.is_some() || self.context.is_some();
        named.then(|| Connection {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
        })
    }
}

/// `target` for the cluster behind `connection`, asked once; for the version that was `named`, whatever the cluster has.
///
/// # Errors
/// When it can't be reached, or has no Trainer and no version was named.
pub(super) fn ask(
    connection: &Connection,
    named: Option<Dialect>,
    target: Target,
) -> anyhow::Result<Target> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let snapshot = runtime.block_on(async {
        let client = discovery::connect(connection).await?;
        discovery::read(&client).await
    });
    let snapshot = snapshot.context("the cluster can't be asked")?;
    if snapshot.dialect.or(named).is_none() {
        bail!(
            "the cluster has no Kubeflow Trainer that trainshift knows; name a version with --to"
        );
    }
    let found = snapshot.apply(target);
    Ok(Target {
        dialect: named.unwrap_or(found.dialect),
        ..found
    })
}
