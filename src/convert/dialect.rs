//! The versions of Kubeflow Trainer, whose TrainJobs differ in what they can say.

use std::fmt;

/// A minor version of Kubeflow Trainer v2.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Dialect {
    /// 2.0: `podSpecOverrides`.
    V2_0,
    /// 2.1: `podTemplateOverrides`.
    V2_1,
    /// 2.2: `runtimePatches`.
    V2_2,
    /// 2.3: `runtimePatches` with `terminationGracePeriodSeconds`, `managedBy` honoured.
    V2_3,
}

/// Pod fields that a runtime patch of Trainer 2.3 can set (trainer v2.3.0 `trainjob_types.go`, `PodSpecPatch`).
const PATCHABLE_2_3: [&str; 7] = [
    "imagePullSecrets",
    "nodeSelector",
    "schedulingGates",
    "securityContext",
    "serviceAccountName",
    "terminationGracePeriodSeconds",
    "tolerations",
];

/// Most entries that a list of commands, arguments or variables may have in `spec.trainer` (from Trainer 2.2).
pub const MAX_ITEMS: usize = 128;
/// Most characters that `spec.trainer.image` may have (from Trainer 2.2).
pub const MAX_IMAGE: usize = 500;

/// Most entries that a list of a runtime patch may have (trainer v2.3.0 `trainjob_types.go`, `PodSpecPatch`).
#[must_use]
pub fn most_items(pod_field: &str) -> usize {
    match pod_field {
        "imagePullSecrets" => 64,
        "schedulingGates" => 16,
        _ => MAX_ITEMS,
    }
}

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

    /// Whether the converter writes it.
    #[must_use]
    pub fn is_supported(self) -> bool {
        self == Self::V2_3
    }

    /// Whether a `TrainJob` can set this field of the pod spec besides those of its training container.
    #[must_use]
    pub fn can_patch(self, pod_field: &str) -> bool {
        PATCHABLE_2_3.contains(&pod_field)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
