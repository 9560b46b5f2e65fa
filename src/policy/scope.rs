//! Which rule holds for a request.

use jiff::Timestamp;

use super::Mode;

/// The rule in force for a request. Policies with schedules and exemptions will yield the same shape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// What happens.
    pub mode: Mode,
    /// Name of the policy that says so; none for the server's own default.
    pub policy: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The stricter mode that is announced, and from when it holds.
    pub next: Option<(Mode, Timestamp)>,
    /// What the platform team wants every reader to see, such as where to get help.
    pub message: Option<String>,
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
            Some(policy) => format!("policy {policy}"),
            None => "the cluster's default".to_owned(),
        }
    }

    /// Name for audit annotations.
    #[must_use]
    pub fn name(&self) -> &str {
        self.policy.as_deref().unwrap_or("built-in")
    }
}
