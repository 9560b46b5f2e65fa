//! The modes.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens to a `PyTorchJob`, from the most lenient to the strictest.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    Deserialize,
    Eq,
    Hash,
    JsonSchema,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
)]
pub enum Mode {
    /// Admit and record.
    Audit,
    /// Admit, and say what the `TrainJob` would be.
    #[default]
    Warn,
    /// Refuse, and hand back the `TrainJob`.
    Deny,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Audit, Self::Warn, Self::Deny];

    /// `Warn`, as policies spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "Audit",
            Self::Warn => "Warn",
            Self::Deny => "Deny",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("{text:?} is no mode; choose audit, warn or deny"))
    }
}
