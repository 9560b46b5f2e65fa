//! The rule that holds for a request.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Mode, Policy};
use crate::api::meta::{BUILT_IN, LABEL_MODE};
use crate::api::policy::DenialForm;

/// The rule that holds for a request, with whatever a reader should know of it.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// What happens.
    pub mode: Mode,
    /// The policy that says so; none where no policy matches.
    pub policy: Option<Arc<Policy>>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The stricter mode that is announced for this requester, and from when it holds.
    pub next: Option<(Mode, Timestamp)>,
    /// Whether the namespace's own label asks for more than the policy, which an exemption may lessen.
    pub by_label: bool,
}

impl Rule {
    /// The rule where no policy matches.
    #[must_use]
    pub fn built_in(mode: Mode) -> Self {
        Self {
            mode,
            ..Self::default()
        }
    }

    /// Whose rule it is, in words of a sentence.
    #[must_use]
    pub fn authority(&self) -> String {
        match &self.policy {
            _ if self.by_label => format!("the namespace's label {LABEL_MODE}"),
            Some(policy) => format!("policy {}", policy.name()),
            None => "the cluster's default".to_owned(),
        }
    }

    /// Name of the policy, for audit annotations and for the right to pass its denial.
    #[must_use]
    pub fn name(&self) -> &str {
        self.policy
            .as_ref()
            .map_or(BUILT_IN, |policy| policy.name())
    }

    /// What the platform team wants every reader to see, such as where to get help.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.policy
            .as_ref()
            .and_then(|policy| policy.spec().message.as_deref())
    }

    /// Whether denials hold the TrainJob; none leaves it to who asks.
    #[must_use]
    pub fn denial(&self) -> Option<DenialForm> {
        self.policy.as_ref().and_then(|policy| policy.spec().denial)
    }
}
