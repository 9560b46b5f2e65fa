//! The policies, from files or from a cluster.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use kube::Api;
use kube::api::ListParams;
use serde_json::Value;

use crate::api::policy::MigrationPolicy;
use crate::cli::input::{parse, split};
use crate::discovery::{self, Connection};

/// The policies of these files; `-` is stdin.
///
/// # Errors
/// When one can't be read, holds something else, or holds nothing.
pub(super) fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<MigrationPolicy>> {
    let mut policies = Vec::new();
    for path in paths {
        let at = || path.display().to_string();
        let text = read(path).with_context(at)?;
        for document in split::documents(&text) {
            let values = parse::values(&document)
                .map_err(|problem| anyhow::anyhow!("{problem}"))
                .with_context(at)?;
            for value in values.into_iter().flat_map(items) {
                policies.push(policy(value).with_context(at)?);
            }
        }
    }
    if policies.is_empty() {
        bail!("there is no MigrationPolicy in the files");
    }
    Ok(policies)
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

fn read(path: &Path) -> io::Result<String> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    fs::read_to_string(path)
}

/// The items of a List, or the value itself.
fn items(mut value: Value) -> Vec<Value> {
    match value.get_mut("items") {
        Some(Value::Array(items)) => std::mem::take(items),
        _ => vec![value],
    }
}

fn policy(value: Value) -> anyhow::Result<MigrationPolicy> {
    let kind = value["kind"].as_str().unwrap_or_default();
    if kind != "MigrationPolicy" {
        bail!("{kind:?} is no MigrationPolicy");
    }
    let name = value["metadata"]["name"].as_str().unwrap_or_default();
    let name = format!("MigrationPolicy {name:?}");
    serde_path_to_error::deserialize(value)
        .map_err(|error| anyhow::anyhow!("{}: {}", error.path(), error.inner()))
        .context(name)
}
