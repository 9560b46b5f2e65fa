//! `MigrationPolicy` of trainshift.dev/v1alpha1, and `Mode`.
//!
//! The CustomResourceDefinition is made from these types (`trainshift generate crd`): what it can't express as a type, a
//! default or a limit is a CEL rule beside the field. A policy file has the same shape.

mod exemption;
mod matching;
mod mode;
mod status;

use jiff::Timestamp;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use exemption::{Exemption, Owner, Subject, SubjectKind};
pub use matching::{LabelOperator, LabelRequirement, LabelSelector, Match, MatchCondition};
pub use mode::Mode;
pub use status::MigrationPolicyStatus;

/// Which PyTorchJobs are in which mode, since when, and who is excused until when.
#[derive(CustomResource, Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "trainshift.dev",
    version = "v1alpha1",
    kind = "MigrationPolicy",
    plural = "migrationpolicies",
    shortname = "mpol",
    category = "trainshift",
    status = "MigrationPolicyStatus",
    derive = "PartialEq",
    doc = "Moves PyTorchJobs to TrainJobs: which jobs are in which mode, since when, and who is excused until when.",
    validation = ("self.metadata.name != 'built-in'", "the name built-in stands for what holds where no policy matches"),
    printcolumn(
        name = "Mode",
        type_ = "string",
        description = "What happens to a new PyTorchJob now",
        json_path = ".status.activeMode"
    ),
    printcolumn(
        name = "Next",
        type_ = "string",
        description = "The mode that comes next",
        json_path = ".status.nextMode"
    ),
    printcolumn(
        name = "When",
        type_ = "string",
        description = "When it comes",
        json_path = ".status.nextTransition"
    ),
    printcolumn(
        name = "Priority",
        type_ = "integer",
        description = "The highest that matches counts",
        json_path = ".spec.priority",
        priority = 1
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        description = "Whether the policy works as it is written",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", description = "", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct MigrationPolicySpec {
    /// Of the policies that match a namespace the one with the highest priority counts; of equal ones, the first by name.
    #[serde(default)]
    #[schemars(range(min = -1_000_000, max = 1_000_000))]
    pub priority: i32,
    /// Which PyTorchJobs. Nothing in it: all.
    #[serde(default, rename = "match")]
    pub matches: Match,
    /// The modes by date. The newest that has begun is in force.
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(
        validation = ("self.exists_one(entry, !has(entry.from))", "exactly one entry has no from: the mode that holds before the first date"),
        validation = (
            "self.all(entry, self.filter(other, has(other.from) && has(entry.from) && other.from == entry.from).size() <= 1)",
            "two entries begin at the same time"
        )
    )]
    pub schedule: Vec<ScheduleEntry>,
    /// What the TrainJobs are like that are shown and handed back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion: Option<Conversion>,
    /// Whether a denial holds the TrainJob. Unset: it does for people, and for a ServiceAccount it says how to get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denial: Option<DenialForm>,
    /// Who is excused from Deny, and until when: he is warned instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    pub exemptions: Vec<Exemption>,
    /// What every warning and denial says besides, such as where to get help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub message: Option<String>,
}

/// A mode and when it begins.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleEntry {
    /// What happens to a new PyTorchJob.
    pub mode: Mode,
    /// From when. Unset: from ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    #[x_kube(validation = ("self < timestamp('9999-01-01T00:00:00Z')", "a date lies before the year 9999"))]
    pub from: Option<Timestamp>,
}

/// What the TrainJobs are like.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conversion {
    /// How much the conversion must carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<Style>,
    /// How Master and Worker are laid out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// The ClusterTrainingRuntime to start from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub runtime: Option<String>,
}

/// How much a conversion must carry.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Style {
    /// Everything.
    Exact,
    /// What a person would write.
    Idiomatic,
}

/// How Master and Worker are laid out.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Layout {
    /// One pod set when they are alike, two when they are not.
    Auto,
    /// One pod set.
    One,
    /// Two pod sets.
    Roles,
}

/// Whether a denial holds the TrainJob.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum DenialForm {
    /// It does, as YAML, unless it holds a credential or is too long.
    Full,
    /// It says how to get it.
    Summary,
}
