//! Arguments of `convert`, in the converter's terms.

use std::io::{IsTerminal as _, stderr, stdout};
use std::path::PathBuf;

use super::{Args, FailOn};
use crate::cli::output::Format;
use crate::cli::report::Kind;
use crate::convert::Verdict;
use crate::convert::target::Target;

/// What to do.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) paths: Vec<PathBuf>,
    pub(super) target: Target,
    pub(super) format: Format,
    pub(super) out_dir: Option<PathBuf>,
    pub(super) force: bool,
    pub(super) report: Kind,
    pub(super) fail_on: Verdict,
}

impl Settings {
    /// What was typed.
    pub(super) fn new(args: Args) -> Self {
        Self {
            paths: args.paths,
            target: args.target.target(),
            format: args.output,
            out_dir: args.out_dir,
            force: args.force,
            report: args.report,
            fail_on: match args.fail_on {
                FailOn::Refused => Verdict::Refused,
                FailOn::Lossy => Verdict::Lossy,
                FailOn::Adapted => Verdict::Adapted,
            },
        }
    }

    /// Whether every leaf must be looked at: for the report, and because a leaf that no rule took is a loss.
    pub(super) fn wants_account(&self) -> bool {
        self.report != Kind::None || self.fail_on < Verdict::Refused
    }

    /// Whether a progress line would disturb nothing.
    pub(super) fn may_show_progress(&self) -> bool {
        let quiet = self.out_dir.is_some() || !stdout().is_terminal();
        self.report == Kind::None && quiet && stderr().is_terminal()
    }
}
