//! Exit codes: part of the interface, because scripts and pods' `restartPolicy` act on them.

use std::process::ExitCode;

/// What the exit code of the process says. Of two, the greater one counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Exit {
    /// It is done. For `serve`: a signal came, and every request had its answer.
    Done = 0,
    /// It is done, and something was refused, or was worse than allowed.
    Refused = 1,
    /// It did not begin: bad usage, or a file (a certificate too) that can't be read or used.
    Usage = 2,
    /// The cluster can't be reached, or does not allow it.
    Cluster = 3,
    /// `serve` could not listen, or went down because a part of it did.
    Failed = 4,
    /// `serve` ended on a signal, and cut requests off: the grace was too short, or a second signal came.
    CutOff = 5,
}

/// The same for `--help`.
pub(super) const HELP: &str = "\
Exit codes:
  0  done
  1  something was refused, or was worse than allowed
  2  bad usage, or a file that cannot be read or used
  3  the cluster cannot be reached, or does not allow it
  4  serve could not listen, or a part of it failed
  5  serve ended on a signal and cut requests off";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_two_counts() {
        assert_eq!(Exit::Refused.max(Exit::Usage), Exit::Usage);
    }

    #[test]
    fn codes_are_those_that_help_lists() {
        let all = [
            Exit::Done,
            Exit::Refused,
            Exit::Usage,
            Exit::Cluster,
            Exit::Failed,
            Exit::CutOff,
        ];
        let listed: Vec<u8> = HELP
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(listed, all.map(|exit| exit as u8));
    }
}
