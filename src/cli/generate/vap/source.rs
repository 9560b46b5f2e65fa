//! The policies, from files or from a cluster.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use kube::Api;
use kube::api::ListParams;

use crate::api::policy::MigrationPolicy;
use crate::cli::policy::files::contents;
use crate::discovery::{self, Connection};

/// The policies of these files and directories; `-` is stdin. Tests of policies beside them are passed over.
///
/// # Errors
/// When one can't be read, or holds nothing.
pub(super) fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<MigrationPolicy>> {
    let contents = contents(paths);
    if !contents.faults.is_empty() {
        let faults: Vec<_> = contents.faults.iter().map(ToString::to_string).collect();
        bail!("{}", faults.join("\n"));
    }
    if contents.policies.is_empty() {
        bail!("there is no MigrationPolicy in the files");
    }
    let policies = contents.policies.into_iter();
    Ok(policies.map(|(policy, _)| policy).collect())
}

/// The policies of a cluster.
///
/// # Errors
/// When it can't be asked.
pub(super) fn cluster(connection: &Connection) -> anyhow::Result<Vec<MigrationPolicy>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let list = runtime.block_on(async {
        let client = discovery::connect(connection).await?;
        let policies: Api<MigrationPolicy> = Api::all(client);
        let list = policies.list(&ListParams::default()).await;
        list.context("reading MigrationPolicies from the cluster")
    })?;
    Ok(list.items)
}
