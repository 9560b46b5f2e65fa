//! What conversions are for, as every command types it that converts.

use clap::{Args, ValueEnum};

use super::cluster::GangScheduler;
use crate::convert::target::{self, Dialect, Target};

/// What conversions are for.
#[derive(Args, Clone, Debug)]
pub(super) struct TargetArgs {
    /// Version of Kubeflow Trainer that the TrainJobs are for; auto is that of the cluster, if one is asked, or else the
    /// newest that is supported
    #[arg(long, value_enum, default_value_t)]
    to: To,
    /// How much the conversion must carry
    #[arg(long, value_enum, default_value_t)]
    style: Style,
    /// How the conversion lays out Master and Worker
    #[arg(long, value_enum, default_value_t)]
    layout: Layout,
    /// `ClusterTrainingRuntime` that the conversion starts from, where its form can carry the job
    #[arg(long, value_name = "NAME")]
    runtime: Option<String>,
    /// What the v1 operator runs with as --gang-scheduler-name
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    gang_scheduler: GangScheduler,
}

impl TargetArgs {
    /// The same, in the converter's terms; of a version that wasn't named, the newest.
    pub(super) fn target(&self) -> Target {
        Target {
            dialect: self.dialect().unwrap_or_default(),
            style: self.style.meant(),
            layout: self.layout.meant(),
            gang: self.gang_scheduler.meant(),
            runtime: self.runtime.clone(),
            ..Target::default()
        }
    }

    /// The version that was named, if one was.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        self.to.dialect()
    }
}

/// A version that was typed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum To {
    /// Trainer 2.0
    #[value(name = "2.0")]
    V2_0,
    /// Trainer 2.1
    #[value(name = "2.1")]
    V2_1,
    /// Trainer 2.2
    #[value(name = "2.2")]
    V2_2,
    /// Trainer 2.3
    #[value(name = "2.3")]
    V2_3,
    /// What the cluster runs, or else the newest
    #[default]
    Auto,
}

/// How much must be carried.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Style {
    /// Everything: a TrainingRuntime is generated where a shorter form would lose something
    #[default]
    Exact,
    /// As a person would write it: an existing runtime and overrides; what that can't carry is reported as lost
    Idiomatic,
}

/// How Master and Worker are laid out.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Layout {
    /// One pod set when they are alike, two roles when they are not
    #[default]
    Auto,
    /// One pod set, or refuse
    One,
    /// Two replicated jobs, even if they are alike
    Roles,
}

impl Style {
    /// What the converter calls it.
    fn meant(self) -> target::Style {
        match self {
            Self::Exact => target::Style::Exact,
            Self::Idiomatic => target::Style::Idiomatic,
        }
    }
}

impl Layout {
    /// What the converter calls it.
    fn meant(self) -> target::Layout {
        match self {
            Self::Auto => target::Layout::Auto,
            Self::One => target::Layout::One,
            Self::Roles => target::Layout::Roles,
        }
    }
}

impl To {
    /// The version that was named, if one was.
    pub(super) fn dialect(self) -> Option<Dialect> {
        match self {
            Self::V2_0 => Some(Dialect::V2_0),
            Self::V2_1 => Some(Dialect::V2_1),
            Self::V2_2 => Some(Dialect::V2_2),
            Self::V2_3 => Some(Dialect::V2_3),
            Self::Auto => None,
        }
    }
}
