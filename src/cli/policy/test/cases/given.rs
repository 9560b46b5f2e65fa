//! What a case is given: who asks for what, where and when.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::policy::Mode;
use crate::policy::matching::Labels;

#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Given {
    /// When.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub(super) at: Option<Timestamp>,
    /// Who asks.
    #[serde(default, rename = "as")]
    pub(super) user: Option<String>,
    /// His groups, besides those that the API server adds.
    #[serde(default)]
    pub(super) groups: Option<Vec<String>>,
    /// The job as it will be; a small one where nothing is said.
    #[serde(default)]
    pub(super) job: Option<JobGiven>,
    /// The job as it was, for an update: by default the same without the patch.
    #[serde(default)]
    pub(super) old: Option<JobGiven>,
    /// How many workers `kubectl scale` asks for, of the job as it is.
    #[serde(default)]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub(super) scale: Option<u32>,
    /// The namespace, instead of the job's own.
    #[serde(default)]
    pub(super) namespace: Option<NamespaceGiven>,
    /// Whether he has the right to pass a denial.
    #[serde(default)]
    pub(super) may_bypass: Option<bool>,
    /// Whether it is a dry run.
    #[serde(default)]
    pub(super) dry_run: Option<bool>,
    /// The mode where no policy matches.
    #[serde(default)]
    pub(super) default_mode: Option<Mode>,
}

#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobGiven {
    /// Where it stands, from the file's own directory.
    #[serde(default)]
    pub(super) file: Option<String>,
    /// Which of the jobs in the file.
    #[serde(default)]
    pub(super) name: Option<String>,
    /// What is different (JSON merge patch).
    #[serde(default)]
    pub(super) patch: Option<Value>,
}

#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NamespaceGiven {
    pub(super) name: String,
    #[serde(default)]
    pub(super) labels: Option<Labels>,
}

impl Given {
    /// The same with what `self` doesn't say from `other`.
    pub(super) fn or(self, other: &Self) -> Self {
        let other = other.clone();
        Self {
            at: self.at.or(other.at),
            user: self.user.or(other.user),
            groups: self.groups.or(other.groups),
            job: self.job.or(other.job),
            old: self.old.or(other.old),
            scale: self.scale.or(other.scale),
            namespace: self.namespace.or(other.namespace),
            may_bypass: self.may_bypass.or(other.may_bypass),
            dry_run: self.dry_run.or(other.dry_run),
            default_mode: self.default_mode.or(other.default_mode),
        }
    }
}
