//! The API server, asked without a process for each question: parity asks thousands.

use anyhow::{Context, Result, anyhow};
use http::Request;
use kube::Client;
use serde_json::Value;
use tokio::runtime::Runtime;
use trainshift::discovery::{self, Connection};

use crate::control_plane::ControlPlane;

/// One connection as the administrator, for all threads.
pub(super) struct Api {
    runtime: Runtime,
    client: Client,
}

/// What the API server said no to, in its words.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The HTTP status.
    pub(super) code: u16,
    /// What it says.
    pub(super) message: String,
}

/// Where a kind of object is found: its API and its plural.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) struct Kind(&'static str, &'static str);

pub(super) const NAMESPACES: Kind = Kind("api/v1", "namespaces");
pub(super) const PODS: Kind = Kind("api/v1", "pods");
pub(super) const EVENTS: Kind = Kind("api/v1", "events");
pub(super) const SERVICE_ACCOUNTS: Kind = Kind("api/v1", "serviceaccounts");
pub(super) const PRIORITY_CLASSES: Kind = Kind("apis/scheduling.k8s.io/v1", "priorityclasses");
pub(super) const RUNTIME_CLASSES: Kind = Kind("apis/node.k8s.io/v1", "runtimeclasses");
pub(super) const VOLCANO_POD_GROUPS: Kind = Kind("apis/scheduling.volcano.sh/v1beta1", "podgroups");
pub(super) const POD_GROUPS: Kind = Kind("apis/scheduling.x-k8s.io/v1alpha1", "podgroups");
pub(super) const JOBS: Kind = Kind("apis/batch/v1", "jobs");
pub(super) const JOBSETS: Kind = Kind("apis/jobset.x-k8s.io/v1alpha2", "jobsets");
pub(super) const PYTORCHJOBS: Kind = Kind("apis/kubeflow.org/v1", "pytorchjobs");
pub(super) const TRAINJOBS: Kind = Kind("apis/trainer.kubeflow.org/v1alpha1", "trainjobs");
pub(super) const TRAINING_RUNTIMES: Kind =
    Kind("apis/trainer.kubeflow.org/v1alpha1", "trainingruntimes");

/// What becomes of fields that the API server doesn't know.
#[derive(Clone, Copy)]
pub(super) enum Unknown {
    /// Dropped, as `kubectl create --validate=false` has it.
    Dropped,
    /// Refused, as `kubectl create --validate=strict` has it.
    Refused,
}

impl Api {
    /// Connects to `control_plane`.
    pub(super) fn new(control_plane: &ControlPlane) -> Result<Self> {
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let connection = Connection {
            kubeconfig: Some(control_plane.admin().kubeconfig().to_owned()),
            context: None,
        };
        let client = runtime.block_on(discovery::connect(&connection))?;
        Ok(Self { runtime, client })
    }

    /// Creates an object in `namespace`, or for the whole cluster where that is empty; gives what is stored.
    pub(super) fn create(
        &self,
        kind: Kind,
        namespace: &str,
        object: &Value,
        unknown: Unknown,
    ) -> Result<Result<Value, Refusal>> {
        let flag = match unknown {
            Unknown::Dropped => "fieldValidation=Ignore",
            Unknown::Refused => "fieldValidation=Strict",
        };
        self.ask("POST", &path(kind, namespace, "", flag), Some(object))
    }

    /// What the API server would store: defaults and admission applied, nothing kept.
    pub(super) fn try_out(
        &self,
        kind: Kind,
        namespace: &str,
        object: &Value,
    ) -> Result<Result<Value, Refusal>> {
        let flags = "dryRun=All&fieldValidation=Strict";
        self.ask("POST", &path(kind, namespace, "", flags), Some(object))
    }

    /// Creates an object unless one of its name is there.
    pub(super) fn ensure(&self, kind: Kind, namespace: &str, object: &Value) -> Result<()> {
        match self.create(kind, namespace, object, Unknown::Refused)? {
            Err(refusal) if refusal.code != 409 => Err(refusal.into_error()),
            _ => Ok(()),
        }
    }

    /// One object; none when it isn't there.
    pub(super) fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Option<Value>> {
        match self.ask("GET", &path(kind, namespace, name, ""), None)? {
            Ok(object) => Ok(Some(object)),
            Err(refusal) if refusal.code == 404 => Ok(None),
            Err(refusal) => Err(refusal.into_error()),
        }
    }

    /// All objects of a kind in a namespace.
    pub(super) fn list(&self, kind: Kind, namespace: &str) -> Result<Vec<Value>> {
        match self.ask("GET", &path(kind, namespace, "", ""), None)? {
            Ok(mut list) => match list["items"].take() {
                Value::Array(items) => Ok(items),
                other => Err(anyhow!("a list without items: {other}")),
            },
            Err(refusal) => Err(refusal.into_error()),
        }
    }

    /// Changes an object by a merge patch.
    pub(super) fn patch(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        patch: &Value,
    ) -> Result<()> {
        self.ask("PATCH", &path(kind, namespace, name, ""), Some(patch))?
            .map_err(Refusal::into_error)?;
        Ok(())
    }

    fn ask(&self, method: &str, uri: &str, body: Option<&Value>) -> Result<Result<Value, Refusal>> {
        let content = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("Content-Type", content)
            .body(body.into_bytes())?;
        match self.runtime.block_on(self.client.request::<Value>(request)) {
            Ok(answer) => Ok(Ok(answer)),
            Err(kube::Error::Api(status)) => Ok(Err(Refusal {
                code: status.code,
                message: status.message,
            })),
            Err(error) => Err(error).with_context(|| format!("{method} {uri}")),
        }
    }
}

impl Refusal {
    /// As an error, where a no wasn't looked for.
    pub(super) fn into_error(self) -> anyhow::Error {
        anyhow!("the API server says no ({}): {}", self.code, self.message)
    }
}

fn path(Kind(api, plural): Kind, namespace: &str, name: &str, query: &str) -> String {
    let mut path = format!("/{api}");
    if !namespace.is_empty() {
        path = format!("{path}/namespaces/{namespace}");
    }
    path = format!("{path}/{plural}");
    if !name.is_empty() {
        path = format!("{path}/{name}");
    }
    if query.is_empty() {
        path
    } else {
        format!("{path}?{query}")
    }
}
