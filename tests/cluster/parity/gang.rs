//! Control planes whose v1 operator runs with a gang scheduler: a flag of the operator, so each takes one of its own. They are
//! started when the first case needs them.

use std::sync::OnceLock;

use anyhow::{Result, anyhow, bail};
use serde_json::{Value, json};

use super::api::{self, Api, Kind};
use super::cases::Case;
use crate::control_plane::ControlPlane;
use crate::control_plane::programs::Versions;
use crate::control_plane::trainshift::Trainshift;

/// One for each scheduler.
pub(super) struct Gangs {
    /// Where the run keeps its files: name of the control plane that everything else runs on.
    run: String,
    versions: Versions,
    volcano: OnceLock<Result<Ground, String>>,
    scheduler_plugins: OnceLock<Result<Ground, String>>,
}

struct Ground {
    api: Api,
    _control_plane: ControlPlane,
}

impl Gangs {
    /// None is started yet.
    pub(super) fn new(run: &str, versions: Versions) -> Self {
        Self {
            run: run.to_owned(),
            versions,
            volcano: OnceLock::new(),
            scheduler_plugins: OnceLock::new(),
        }
    }

    /// Where a case runs that asks for a gang scheduler; none where it doesn't.
    pub(super) fn of(&self, case: &Case) -> Result<Option<&Api>> {
        let (ground, scheduler) = match case.settings["gang"].as_str() {
            None => return Ok(None),
            Some("volcano") => (&self.volcano, "volcano"),
            Some("scheduler-plugins") => (&self.scheduler_plugins, "scheduler-plugins-scheduler"),
            Some(other) => bail!("gang scheduler {other}"),
        };
        let ground = ground.get_or_init(|| {
            self.start(scheduler)
                .map_err(|error| format!("a control plane with {scheduler}: {error:#}"))
        });
        match ground {
            Ok(ground) => Ok(Some(&ground.api)),
            Err(error) => Err(anyhow!("{error}")),
        }
    }

    fn start(&self, scheduler: &'static str) -> Result<Ground> {
        let versions = self.versions.with_gang(scheduler);
        let control_plane = ControlPlane::boot(&format!("{}/{scheduler}", self.run), versions)?;
        Trainshift::install(&control_plane)?;
        control_plane.create(&missing_rights())?;
        Ok(Ground {
            api: Api::new(&control_plane)?,
            _control_plane: control_plane,
        })
    }
}

/// What an administrator must add to Trainer's own role before it can make pod groups: under 2.0 its watches wait for RuntimeClasses and
/// LimitRanges, which it may not read; under 2.3 its webhook waits for PriorityClasses until the API server gives up
/// (trainer v2.0.1 and v2.3.0 `manifests/base/rbac/role.yaml`).
fn missing_rights() -> [Value; 2] {
    let name = "trainer-makes-pod-groups";
    let read = |group: &str, resource: &str| json!({ "apiGroups": [group], "resources": [resource], "verbs": ["get", "list", "watch"] });
    [
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": { "name": name },
            "rules": [
                read("", "limitranges"),
                read("node.k8s.io", "runtimeclasses"),
                read("scheduling.k8s.io", "priorityclasses"),
            ],
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": { "name": name },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name },
            "subjects": [{ "kind": "ServiceAccount", "name": "kubeflow-trainer-controller-manager", "namespace": "kubeflow-system" }],
        }),
    ]
}

/// The kind of the case's pod groups.
pub(super) fn pod_groups(case: &Case) -> Option<Kind> {
    match case.settings["gang"].as_str()? {
        "volcano" => Some(api::VOLCANO_POD_GROUPS),
        _ => Some(api::POD_GROUPS),
    }
}

/// Says what the scheduler would: v1 makes no pods before Volcano has queued their group.
pub(super) fn queue(api: &Api, kind: Kind, namespace: &str, group: &Value) -> Result<()> {
    if kind != api::VOLCANO_POD_GROUPS || group["status"]["phase"] == "Inqueue" {
        return Ok(());
    }
    let name = group["metadata"]["name"].as_str().unwrap_or_default();
    let patch = json!({ "status": { "phase": "Inqueue" } });
    api.patch(kind, namespace, name, &patch)
}
