//! `MigrationPolicy` of trainshift.dev/v1alpha1, and `Mode`.
//!
//! The CustomResourceDefinition is made from these types (`trainshift generate crd`): what it can't express as a type, a
//! default or a limit is a CEL rule beside the field. A policy file has the same shape.

mod mode;

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition as StatusCondition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use mode::Mode;

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

/// Which PyTorchJobs: everything that is given must hold.
///
/// `namespaces` and `namespaceSelector` say where the policy holds. `objectSelector` and `conditions` look at what the
/// submitter writes, so a policy that has them can only make stricter what the next one says.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Match {
    /// Names of namespaces. None: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512), inner(length(min = 1, max = 63)))]
    pub namespaces: Vec<String>,
    /// By the namespace's labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// By the PyTorchJob's labels, before or after the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_selector: Option<LabelSelector>,
    /// CEL over `object`, `oldObject`, `request` and `namespaceObject`; all must hold. One that fails counts as holding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    pub conditions: Vec<MatchCondition>,
}

/// A label query, as everywhere in Kubernetes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelSelector {
    /// Labels with these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// Requirements; all must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub match_expressions: Vec<LabelRequirement>,
}

/// One requirement of a label query.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
    "In and NotIn need values, Exists and DoesNotExist take none"
))]
pub struct LabelRequirement {
    /// The label.
    #[schemars(length(min = 1, max = 317))]
    pub key: String,
    /// How it is compared.
    pub operator: LabelOperator,
    /// With what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(max = 63)))]
    pub values: Vec<String>,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum LabelOperator {
    /// Has one of the values.
    In,
    /// Has none of them, or isn't there.
    NotIn,
    /// Is there.
    Exists,
    /// Isn't there.
    DoesNotExist,
}

/// A named CEL expression.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchCondition {
    /// By which messages call it.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// True or false.
    #[schemars(length(min = 1, max = 1024))]
    pub expression: String,
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

/// Who is excused from Deny, until when and why.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exemption {
    /// By which messages and the audit log call it.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// Who. Obligatory: everything else about a request can be written by anybody.
    #[schemars(length(min = 1, max = 32))]
    pub subjects: Vec<Subject>,
    /// Narrows it to jobs with one of these owners.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub owners: Vec<Owner>,
    /// Narrows it to jobs with one of these names; `*` at the end stands for any rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 253)))]
    pub names: Vec<String>,
    /// Why; for whoever reads the policy next year.
    #[schemars(length(min = 1, max = 256))]
    pub reason: String,
    /// When it ends.
    #[schemars(with = "String", extend("format" = "date-time"))]
    #[x_kube(validation = ("self < timestamp('9999-01-01T00:00:00Z')", "a date lies before the year 9999"))]
    pub until: Timestamp,
}

/// A user, a group or a ServiceAccount, as in a RoleBinding.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "(self.kind == 'ServiceAccount') == has(self.namespace)",
    "a ServiceAccount needs a namespace, users and groups have none"
))]
pub struct Subject {
    /// Which of the three.
    pub kind: SubjectKind,
    /// Of a ServiceAccount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
    /// The name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// Kinds of subjects.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum SubjectKind {
    /// By username.
    User,
    /// By a group that the authenticator names.
    Group,
    /// By namespace and name.
    ServiceAccount,
}

/// An owner of a PyTorchJob.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// API group of the owner, without version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 253))]
    pub api_group: String,
    /// Its kind.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// Its name. Unset: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,
}

/// What trainshift reports about a policy.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MigrationPolicyStatus {
    /// The mode in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_mode: Option<Mode>,
    /// The mode of the next entry of the schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_mode: Option<Mode>,
    /// When it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub next_transition: Option<Timestamp>,
    /// The generation of the spec that this is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When a condition last failed on a request, to within five minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_failure: Option<Timestamp>,
    /// `Ready`, and what is wrong otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<ConditionSchema>", length(max = 16))]
    pub conditions: Vec<StatusCondition>,
}

/// The schema of `meta/v1` `Condition`, whose type carries none here.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "only its schema is used")]
struct ConditionSchema {
    r#type: String,
    status: String,
    #[schemars(extend("format" = "date-time"))]
    last_transition_time: String,
    reason: String,
    message: String,
    observed_generation: Option<i64>,
}
