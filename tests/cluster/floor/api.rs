//! Dry runs as any user.

use anyhow::{Result, bail};
use http::{Method, Request};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;

use crate::control_plane::ControlPlane;

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) user: &'static str,
    pub(super) groups: Vec<&'static str>,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Value,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Answer {
    Admitted,
    /// By the floor, with this message.
    Denied(#[allow(dead_code, reason = "shown when a test fails")] String),
}

/// The API server.
pub(super) struct Api(Client);

impl Api {
    pub(super) async fn new(control_plane: &ControlPlane) -> Result<Self> {
        let file = Kubeconfig::read_from(control_plane.admin().kubeconfig())?;
        let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
        Ok(Self(Client::try_from(config)?))
    }

    /// Sends it, and stores nothing.
    pub(super) async fn send(&self, sent: &Sent) -> Result<Answer> {
        let content = if sent.method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let mut request = Request::builder()
            .method(sent.method.clone())
            .uri(format!("{}?dryRun=All", sent.path))
            .header("Content-Type", content)
            .header("Impersonate-User", sent.user);
        for group in &sent.groups {
            request = request.header("Impersonate-Group", *group);
        }
        let request = request.body(sent.body.to_string().into_bytes())?;
        match self.0.request::<Value>(request).await {
            Ok(_) => Ok(Answer::Admitted),
            Err(kube::Error::Api(status))
                if status.message.contains("ValidatingAdmissionPolicy") =>
            {
                Ok(Answer::Denied(status.message.clone()))
            }
            Err(error) => bail!("{sent:?}: {error}"),
        }
    }

    /// An object as it is.
    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        Ok(self.0.request(Request::get(path).body(Vec::new())?).await?)
    }
}
