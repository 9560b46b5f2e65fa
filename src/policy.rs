//! Who is in which mode, and what follows from it.

use std::fmt;
use std::str::FromStr;

/// What happens to a new PyTorchJob, from mildest to strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Admit, and only record what would have happened.
    Audit,
    /// Admit, and tell the user which TrainJob it would be.
    Warn,
    /// Refuse, and hand back the TrainJob.
    Deny,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Audit => "audit",
            Self::Warn => "warn",
            Self::Deny => "deny",
        })
    }
}

/// A mode that does not exist.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a mode; choose audit, warn or deny")]
pub struct UnknownMode(String);

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        [Self::Audit, Self::Warn, Self::Deny]
            .into_iter()
            .find(|mode| mode.to_string().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownMode(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_in_any_case() {
        for mode in [Mode::Audit, Mode::Warn, Mode::Deny] {
            assert_eq!(mode.to_string().parse(), Ok(mode));
            assert_eq!(mode.to_string().to_uppercase().parse(), Ok(mode));
        }
    }

    #[test]
    fn names_the_modes_there_are() {
        let error = "strict".parse::<Mode>().unwrap_err();
        assert_eq!(
            error.to_string(),
            r#""strict" is not a mode; choose audit, warn or deny"#
        );
    }
}
