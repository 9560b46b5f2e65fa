//! The exit codes, which scripts rely on.

use std::process::ExitCode;

/// How a command ended, from best to worst.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Exit {
    /// Everything was done.
    Done,
    /// A job is refused, or past `--fail-on`.
    Refused,
    /// Bad usage, or input that can't be read.
    Usage,
    /// The cluster is unreachable, or doesn't allow it.
    Cluster,
}

impl Exit {
    /// The number that the process ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Cluster => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_what_scripts_rely_on() {
        let all = [Exit::Done, Exit::Refused, Exit::Usage, Exit::Cluster];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 3]);
    }

    #[test]
    fn the_worst_of_two_counts() {
        assert_eq!(Exit::Refused.max(Exit::Usage), Exit::Usage);
    }
}
