//! What a version of Trainer knows of a `TrainJob`, by its CRD. The API server drops the rest, and Trainer never sees it
//! (trainer v2.0.1, v2.1.0, v2.2.1, v2.3.0 `pkg/apis/trainer/v1alpha1/trainjob_types.go`).

use serde_json::Value;

use crate::convert::dialect::Dialect;

/// Takes out of `trainjob` what the version doesn't know; the paths of what it took.
pub(super) fn prune(trainjob: &mut Value, dialect: Dialect) -> Vec<String> {
    let mut dropped = Vec::new();
    if let Some(spec) = trainjob.get_mut("spec") {
        below(Level::Spec, spec, "spec", dialect, &mut dropped);
    }
    dropped
}

fn below(level: Level, value: &mut Value, at: &str, dialect: Dialect, dropped: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.retain(|name, field| {
            let at = format!("{at}.{name}");
            let known = level.field(name, dialect);
            match known {
                Some(level) => below(level, field, &at, dialect, dropped),
                None => dropped.push(at),
            }
            known.is_some()
        }),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                below(level, item, &format!("{at}[{index}]"), dialect, dropped);
            }
        }
        _ => {}
    }
}

/// A structure of a `TrainJob`, or the items of a list of them.
#[derive(Clone, Copy, Debug)]
enum Level {
    Spec,
    Trainer,
    Patch,
    RuntimeSpec,
    JobSetTemplate,
    JobSetSpec,
    ReplicatedJob,
    JobTemplate,
    JobSpec,
    PodTemplate,
    PodSpec,
    Container,
    /// Where Kubernetes' own types begin, and whatever else is not looked into.
    Rest,
}

impl Level {
    /// What the field `name` is; `None` where there is no such field.
    fn field(self, name: &str, dialect: Dialect) -> Option<Self> {
        let has_patches = dialect >= Dialect::V2_2;
        let level = match (self, name) {
            (Self::Rest, _)
            | (Self::Spec, "initializer" | "managedBy" | "runtimeRef" | "suspend")
            | (
                Self::Trainer,
                "args" | "command" | "env" | "image" | "numNodes" | "numProcPerNode"
                | "resourcesPerNode",
            )
            | (Self::Patch, "manager" | "time")
            | (Self::ReplicatedJob | Self::Container, "name")
            | (Self::Container, "env")
            | (Self::JobSetTemplate | Self::JobTemplate | Self::PodTemplate, "metadata") => {
                Self::Rest
            }
            (Self::Spec, "activeDeadlineSeconds") if has_patches => Self::Rest,
            (Self::Spec, "labels" | "annotations") if !has_patches => Self::Rest,
            (Self::PodTemplate, "targetJobs") if dialect == Dialect::V2_1 => Self::Rest,
            (Self::PodSpec, "targetJobs") if dialect == Dialect::V2_0 => Self::Rest,
            (Self::PodSpec, field) if dialect.can_patch(field) => Self::Rest,
            (Self::Container, field) if dialect.can_patch_container(field) => Self::Rest,
            (Self::Spec, "trainer") => Self::Trainer,
            (Self::Spec, "podSpecOverrides") if dialect == Dialect::V2_0 => Self::PodSpec,
            (Self::Spec, "podTemplateOverrides") if dialect == Dialect::V2_1 => Self::PodTemplate,
            (Self::Spec, "runtimePatches") if has_patches => Self::Patch,
            (Self::Patch, "trainingRuntimeSpec") => Self::RuntimeSpec,
            (Self::RuntimeSpec, "template") => Self::JobSetTemplate,
            (Self::JobSetTemplate, "spec") => Self::JobSetSpec,
            (Self::JobSetSpec, "replicatedJobs") => Self::ReplicatedJob,
            (Self::ReplicatedJob, "template") => Self::JobTemplate,
            (Self::JobTemplate, "spec") => Self::JobSpec,
            (Self::JobSpec, "template") => Self::PodTemplate,
            (Self::PodTemplate, "spec") => Self::PodSpec,
            (Self::PodSpec, "containers" | "initContainers") => Self::Container,
            _ => return None,
        };
        Some(level)
    }
}
