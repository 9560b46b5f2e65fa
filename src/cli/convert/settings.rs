//! Arguments of `convert`, checked.

use std::io::{IsTerminal as _, stderr, stdout};
use std::path::PathBuf;

use super::{Args, FailOn, Layout, Style, To};
use crate::cli::output::Format;
use crate::cli::report::Kind;
use crate::convert::Verdict;
use crate::convert::target::{self, Dialect, Target};

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

/// Why the arguments make no sense.
#[derive(Debug, thiserror::Error, PartialEq)]
pub(super) enum SettingsError {
    /// The version is known, but nothing is written for it.
    #[error("--to {asked} is not supported yet; supported: {}", supported())]
    Dialect {
        /// What was asked for.
        asked: Dialect,
    },
}

fn supported() -> String {
    let dialects = Dialect::ALL
        .into_iter()
        .filter(|dialect| dialect.is_supported());
    dialects.map(Dialect::as_str).collect::<Vec<_>>().join(", ")
}

impl Settings {
    /// Checks what was typed.
    pub(super) fn new(args: Args) -> Result<Self, SettingsError> {
        let dialect = args.to.dialect();
        if !dialect.is_supported() {
            return Err(SettingsError::Dialect { asked: dialect });
        }
        let target = Target {
            dialect,
            style: args.style.meant(),
            layout: args.layout.meant(),
            gang: args.gang_scheduler.meant(),
            runtime: args.runtime,
            ..Target::default()
        };
        Ok(Self {
            paths: args.paths,
            target,
            format: args.output,
            out_dir: args.out_dir,
            force: args.force,
            report: args.report,
            fail_on: match args.fail_on {
                FailOn::Refused => Verdict::Refused,
                FailOn::Lossy => Verdict::Lossy,
                FailOn::Adapted => Verdict::Adapted,
            },
        })
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

impl Style {
    /// What the converter calls it.
    pub(in crate::cli) fn meant(self) -> target::Style {
        match self {
            Self::Exact => target::Style::Exact,
            Self::Idiomatic => target::Style::Idiomatic,
        }
    }
}

impl Layout {
    /// What the converter calls it.
    pub(in crate::cli) fn meant(self) -> target::Layout {
        match self {
            Self::Auto => target::Layout::Auto,
            Self::One => target::Layout::One,
            Self::Roles => target::Layout::Roles,
        }
    }
}

impl To {
    /// What the cluster said, unless a version was named.
    pub(super) fn unless_named(self, found: Target, named: Dialect) -> Target {
        let dialect = match self {
            Self::Auto => found.dialect,
            _ => named,
        };
        Target { dialect, ..found }
    }

    /// The version meant. Where no cluster can be asked, the newest that is supported.
    pub(in crate::cli) fn dialect(self) -> Dialect {
        match self {
            Self::V2_0 => Dialect::V2_0,
            Self::V2_1 => Dialect::V2_1,
            Self::V2_2 => Dialect::V2_2,
            Self::V2_3 | Self::Auto => Dialect::V2_3,
        }
    }
}
