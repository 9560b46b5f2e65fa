//! How users get in: the authority of the API server, and kubeconfigs with what it signs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::certificates::{Authority, Pair};
use super::ports;

/// The way into one control plane.
pub(crate) struct Access {
    /// The port of the API server, which all kubeconfigs name.
    pub(crate) port: u16,
    authority: Authority,
    directory: PathBuf,
}

impl Access {
    /// A new authority, with the certificates that the API server and the controller manager read.
    pub(crate) fn new(directory: &Path) -> Result<Self> {
        let port = ports::free()?;
        let authority = Authority::new("trainshift-test")?;
        authority.pair.write(&directory.join("ca"))?;
        authority
            .serving(&["kubernetes.default.svc"])?
            .write(&directory.join("apiserver"))?;
        // Only a key pair is wanted of this one, to sign tokens with.
        authority
            .serving(&[])?
            .write(&directory.join("service-accounts"))?;
        Ok(Self {
            port,
            authority,
            directory: directory.to_owned(),
        })
    }

    /// A kubeconfig with a client certificate for a user in at most two groups.
    pub(crate) fn kubeconfig(&self, user: &str, groups: &[&str]) -> Result<PathBuf> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let Pair { certificate, key } = self.authority.client(user, groups)?;
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "trainshift", "cluster": {
                "server": format!("https://127.0.0.1:{}", self.port),
                "certificate-authority-data": STANDARD.encode(&self.authority.pair.certificate),
            } }],
            "users": [{ "name": user, "user": {
                "client-certificate-data": STANDARD.encode(certificate),
                "client-key-data": STANDARD.encode(key),
            } }],
            "contexts": [{ "name": "trainshift", "context": { "cluster": "trainshift", "user": user } }],
            "current-context": "trainshift",
        });
        // The administrator's is the one that people name by hand.
        let file = match user {
            "admin" => "kubeconfig".to_owned(),
            _ => format!(
                "kubeconfig-{}-{}",
                COUNT.fetch_add(1, Ordering::Relaxed),
                user.replace([':', '/', '@'], "-")
            ),
        };
        let file = self.directory.join(file);
        fs::write(&file, format!("{kubeconfig:#}\n"))
            .with_context(|| format!("writing {}", file.display()))?;
        Ok(file)
    }

    /// A kubeconfig by which the API server knows its bearer as a `ServiceAccount`.
    pub(crate) fn service_account(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        let all = format!("system:serviceaccounts:{namespace}");
        self.kubeconfig(
            &format!("system:serviceaccount:{namespace}:{name}"),
            &["system:serviceaccounts", &all],
        )
    }
}
