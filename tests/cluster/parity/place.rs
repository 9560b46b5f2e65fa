//! Where a case runs: its API server, a namespace of its own, what its pods refer to, and the pod group.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use serde_json::{Value, json};

use super::api::{self, Api, Kind};
use super::cases::Case;
use super::gang;
use super::run::Parity;

/// Of a class whose value no case says.
const PRIORITY: i64 = 1000;

/// Where a job runs.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) api: &'a Api,
    pub(super) namespace: &'a str,
    /// The kind of its pod group, under a gang scheduler.
    pub(super) pod_groups: Option<Kind>,
}

impl Place<'_> {
    /// The pod group, once it is there and queued; nothing is wanted without a gang scheduler.
    pub(super) fn pod_group(&self) -> Result<Group> {
        let Some(kind) = self.pod_groups else {
            return Ok(Group::Unwanted);
        };
        let mut groups = self.api.list(kind, self.namespace)?;
        let Some(group) = groups.pop() else {
            return Ok(Group::Missing);
        };
        gang::queue(self.api, kind, self.namespace, &group)?;
        Ok(Group::There(group))
    }
}

/// A pod group, if there should be one.
pub(super) enum Group {
    Unwanted,
    Missing,
    There(Value),
}

impl Group {
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    pub(super) fn object(self) -> Option<Value> {
        match self {
            Self::There(group) => Some(group),
            Self::Unwanted | Self::Missing => None,
        }
    }
}

impl Parity {
    /// The API server that a case runs on.
    pub(super) fn api(&self, case: &Case) -> Result<&Api> {
        Ok(self.gangs.of(case)?.unwrap_or(&self.api))
    }

    pub(super) fn place<'a>(&'a self, case: &Case, namespace: &'a str) -> Result<Place<'a>> {
        Ok(Place {
            api: self.api(case)?,
            namespace,
            pod_groups: gang::pod_groups(case),
        })
    }

    /// A namespace of its own, with what the case's pods refer to. Nothing in it is deleted: the control plane ends with
    /// the tests, and what a namespace's end costs the API server is more than all that it holds.
    pub(super) fn namespace(&self, case: &Case) -> Result<String> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        self.provide(case)?;
        let name = format!("parity-{}-x", COUNT.fetch_add(1, Ordering::Relaxed));
        let accounts: Vec<String> = case
            .pod_specs()
            .flat_map(|spec| [&spec["serviceAccountName"], &spec["serviceAccount"]])
            .filter_map(|account| account.as_str().map(str::to_owned))
            .filter(|account| !account.is_empty())
            .collect();
        create_namespace(self.api(case)?, &name, &accounts)?;
        Ok(name)
    }

    /// What the case's pods refer to in the whole cluster.
    fn provide(&self, case: &Case) -> Result<()> {
        let api = self.api(case)?;
        let of_group = &case.job["spec"]["runPolicy"]["schedulingPolicy"]["priorityClass"];
        if let Some(name) = of_group.as_str().filter(|name| !name.is_empty()) {
            api.ensure(api::PRIORITY_CLASSES, "", &priority_class(name, PRIORITY))?;
        }
        for spec in case.pod_specs() {
            let class = spec["priorityClassName"].as_str();
            if let Some(name) = class.filter(|name| !name.starts_with("system-")) {
                let value = spec["priority"].as_i64().unwrap_or(PRIORITY);
                let mut class = priority_class(name, value);
                if spec["preemptionPolicy"].is_string() {
                    class["preemptionPolicy"] = spec["preemptionPolicy"].clone();
                }
                api.ensure(api::PRIORITY_CLASSES, "", &class)?;
            }
            if let Some(name) = spec["runtimeClassName"].as_str() {
                let mut class = json!({
                    "apiVersion": "node.k8s.io/v1",
                    "kind": "RuntimeClass",
                    "metadata": { "name": name },
                    "handler": "runc",
                });
                if spec["overhead"].is_object() {
                    class["overhead"] = json!({ "podFixed": spec["overhead"] });
                }
                api.ensure(api::RUNTIME_CLASSES, "", &class)?;
            }
        }
        Ok(())
    }
}

/// What namespaces hold besides jobs: the default `ServiceAccount`, before the controller manager gets to it.
fn create_namespace(api: &Api, name: &str, service_accounts: &[String]) -> Result<()> {
    let namespace =
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    api.ensure(api::NAMESPACES, "", &namespace)?;
    let default = "default".to_owned();
    for account in service_accounts.iter().chain([&default]) {
        let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": account } });
        api.ensure(api::SERVICE_ACCOUNTS, name, &account)?;
    }
    Ok(())
}

fn priority_class(name: &str, value: i64) -> Value {
    json!({
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": { "name": name },
        "value": value,
    })
}
