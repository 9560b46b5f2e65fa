//! What is reported about a policy.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition as StatusCondition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Mode;

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
