//! The versions of Kubeflow Trainer: what a `TrainJob` of each can say, and what its controller makes of it.
//!
//! Read from the CRDs and the sources of trainer v2.0.1, v2.1.0, v2.2.1 and v2.3.0 (`manifests/base/crds`,
//! `pkg/apis/trainer/v1alpha1`, `pkg/controller`, `pkg/runtime`). A generated runtime is the same for all but for where a
//! deadline stands.

use std::fmt;

/// A minor version of Kubeflow Trainer v2.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Dialect {
    /// 2.0: `podSpecOverrides`.
    V2_0,
    /// 2.1: `podTemplateOverrides`.
    V2_1,
    /// 2.2: `runtimePatches`.
    V2_2,
    /// 2.3: `runtimePatches` with `terminationGracePeriodSeconds`, `managedBy` honoured. What is assumed where nobody says.
    #[default]
    V2_3,
}

/// Where a `TrainJob` says how its pods differ from those of its runtime.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Overrides {
    /// Path of the pod spec.
    pub spec: &'static str,
    /// Path of the pods' metadata, where they can have any.
    pub metadata: Option<&'static str>,
}

/// Fields of the pod spec that a `TrainJob` can set besides those of its training container, and since when.
const POD_FIELDS: [(&str, Dialect); 9] = [
    ("affinity", Dialect::V2_1),
    ("imagePullSecrets", Dialect::V2_1),
    ("nodeSelector", Dialect::V2_0),
    ("schedulingGates", Dialect::V2_0),
    ("securityContext", Dialect::V2_2),
    ("serviceAccountName", Dialect::V2_0),
    ("terminationGracePeriodSeconds", Dialect::V2_3),
    ("tolerations", Dialect::V2_0),
    ("volumes", Dialect::V2_0),
];

/// Fields of the training container that stand beside those of the pod spec, and since when.
const CONTAINER_FIELDS: [(&str, Dialect); 2] = [
    ("securityContext", Dialect::V2_2),
    ("volumeMounts", Dialect::V2_0),
];

impl Dialect {
    /// Every dialect, oldest first.
    pub const ALL: [Self; 4] = [Self::V2_0, Self::V2_1, Self::V2_2, Self::V2_3];

    /// `2.3`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2_0 => "2.0",
            Self::V2_1 => "2.1",
            Self::V2_2 => "2.2",
            Self::V2_3 => "2.3",
        }
    }

    /// Where the short form puts what differs from the runtime.
    #[must_use]
    pub fn overrides(self) -> Overrides {
        match self {
            Self::V2_0 => Overrides {
                spec: "spec.podSpecOverrides[0]",
                metadata: None,
            },
            Self::V2_1 => Overrides {
                spec: "spec.podTemplateOverrides[0].spec",
                metadata: Some("spec.podTemplateOverrides[0].metadata"),
            },
            Self::V2_2 | Self::V2_3 => Overrides {
                spec: "spec.runtimePatches[0].trainingRuntimeSpec.template.spec.replicatedJobs[0].template.spec.template.spec",
                metadata: Some(
                    "spec.runtimePatches[0].trainingRuntimeSpec.template.spec.replicatedJobs[0].template.spec.template.metadata",
                ),
            },
        }
    }

    /// Whether a `TrainJob` can set this field of the pod spec besides those of its training container.
    #[must_use]
    pub fn can_patch(self, pod_field: &str) -> bool {
        self.has(&POD_FIELDS, pod_field)
    }

    /// Whether a `TrainJob` can set this field of its training container, besides what stands in `spec.trainer`.
    #[must_use]
    pub fn can_patch_container(self, field: &str) -> bool {
        self.has(&CONTAINER_FIELDS, field)
    }

    fn has(self, fields: &[(&str, Self)], field: &str) -> bool {
        fields
            .iter()
            .any(|(name, since)| *name == field && *since <= self)
    }

    /// Most entries that the list `field` of `spec.trainer` or of the overrides may have.
    #[must_use]
    pub fn most_items(self, field: &str) -> usize {
        match field {
            _ if self < Self::V2_2 => usize::MAX,
            "imagePullSecrets" => 64,
            "schedulingGates" => 16,
            _ => 128,
        }
    }

    /// Most characters that one item of `spec.trainer.command` or `args` may have.
    #[must_use]
    pub fn longest_item(self) -> usize {
        match self {
            Self::V2_0 | Self::V2_1 => usize::MAX,
            Self::V2_2 => 65_536,
            Self::V2_3 => 1_048_576,
        }
    }

    /// Most characters that `spec.trainer.image` may have.
    #[must_use]
    pub fn longest_image(self) -> usize {
        match self {
            Self::V2_0 | Self::V2_1 => usize::MAX,
            Self::V2_2 | Self::V2_3 => 500,
        }
    }

    /// Whether a `TrainJob` has `spec.activeDeadlineSeconds`. Before, only the Jobs of a runtime have a deadline.
    #[must_use]
    pub fn has_deadline(self) -> bool {
        self >= Self::V2_2
    }

    /// Whether Trainer leaves a job to the controller that `spec.managedBy` names. Earlier ones have the field, and run
    /// the job none the less (trainer v2.3.0 `pkg/controller/trainjob_controller.go`).
    #[must_use]
    pub fn honours_managed_by(self) -> bool {
        self >= Self::V2_3
    }

    /// Whether a runtime's `podGroupPolicy` can name Volcano.
    #[must_use]
    pub fn has_volcano(self) -> bool {
        self >= Self::V2_1
    }

    /// Whether the torch policy of this version computes the number of processes from `resourcesPerNode.requests` and
    /// takes 1 where there are none, whatever the limits and `numProcPerNode` say (trainer v2.0.1
    /// `plugins/torch/torch.go`, `calculateNumProcPerNode`).
    #[must_use]
    pub fn needs_requests(self) -> bool {
        self == Self::V2_0
    }

    /// Whether Trainer's `torch-distributed` has a command of its own, which lists packages and trains nothing (trainer
    /// v2.0.1 `manifests/base/runtimes/torch_distributed.yaml`).
    #[must_use]
    pub fn has_stock_command(self) -> bool {
        self == Self::V2_0
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn since(can: impl Fn(Dialect) -> bool) -> Option<Dialect> {
        let first = Dialect::ALL.into_iter().find(|dialect| can(*dialect));
        // What a version has brought, later ones keep.
        let later = |dialect: &Dialect| first.is_some_and(|first| first <= *dialect);
        assert!(
            Dialect::ALL
                .iter()
                .all(|dialect| can(*dialect) == later(dialect))
        );
        first
    }

    #[test]
    fn later_versions_can_say_all_that_earlier_ones_can() {
        for (field, first) in POD_FIELDS {
            assert_eq!(since(|dialect| dialect.can_patch(field)), Some(first));
        }
        for (field, first) in CONTAINER_FIELDS {
            assert_eq!(
                since(|dialect| dialect.can_patch_container(field)),
                Some(first)
            );
        }
        assert_eq!(since(Dialect::has_volcano), Some(Dialect::V2_1));
        assert_eq!(since(Dialect::has_deadline), Some(Dialect::V2_2));
        assert_eq!(since(Dialect::honours_managed_by), Some(Dialect::V2_3));
        assert_eq!(
            since(|dialect| dialect.can_patch("priorityClassName")),
            None
        );
    }
}
