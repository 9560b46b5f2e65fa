//! What a conversion is for: plain data about the cluster and about what the user asked for.

use std::collections::BTreeSet;

use crate::api::meta::SHIPPED_RUNTIME;
use crate::api::policy;

pub use super::dialect::Dialect;

/// How much of the job must be carried.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Style {
    /// Everything: a `TrainingRuntime` is generated whenever a shorter form would lose something.
    #[default]
    Exact,
    /// As a person would write it: an existing runtime and overrides only. What that can't carry is reported as lost.
    Idiomatic,
}

/// How Master and Worker are laid out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Layout {
    /// One pod set when they are alike, two roles when they are not.
    #[default]
    Auto,
    /// One pod set, or refuse.
    One,
    /// Two replicated jobs, even if they are alike.
    Roles,
}

/// What the v1 operator runs with as `--gang-scheduler-name`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum GangScheduler {
    /// Nothing: `schedulingPolicy` had no effect.
    #[default]
    None,
    /// `volcano`.
    Volcano,
    /// `scheduler-plugins-scheduler`, or another name of the coscheduling plugin's scheduler.
    SchedulerPlugins,
}

/// What the conversion is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The version of Trainer.
    pub dialect: Dialect,
    /// How much must be carried.
    pub style: Style,
    /// How Master and Worker are laid out.
    pub layout: Layout,
    /// What schedules gangs under v1.
    pub gang: GangScheduler,
    /// The runtime that the user named; must be one with a torch policy, or the shipped one.
    pub runtime: Option<String>,
    /// The `ClusterTrainingRuntimes` that exist.
    pub cluster_runtimes: BTreeSet<String>,
    /// Whether a `TrainingRuntime` may be generated. Without one, style exact falls back to the shipped runtime and
    /// reports what that can't carry as lost.
    pub generate: bool,
}

impl Default for Target {
    /// What is assumed where no cluster can be asked: the newest Trainer, with the shipped runtime installed.
    fn default() -> Self {
        Self {
            dialect: Dialect::default(),
            style: Style::default(),
            layout: Layout::default(),
            gang: GangScheduler::default(),
            runtime: None,
            cluster_runtimes: BTreeSet::from([SHIPPED_RUNTIME.to_owned()]),
            generate: true,
        }
    }
}

impl Target {
    /// The same as a policy wants it; what the policy doesn't say stays.
    #[must_use]
    pub fn wanted(self, wishes: &policy::Conversion) -> Self {
        let style = wishes.style.map(|style| match style {
            policy::Style::Exact => Style::Exact,
            policy::Style::Idiomatic => Style::Idiomatic,
        });
        let layout = wishes.layout.map(|layout| match layout {
            policy::Layout::Auto => Layout::Auto,
            policy::Layout::One => Layout::One,
            policy::Layout::Roles => Layout::Roles,
        });
        Self {
            style: style.unwrap_or(self.style),
            layout: layout.unwrap_or(self.layout),
            runtime: wishes.runtime.clone().or(self.runtime),
            ..self
        }
    }

    /// Whether trainshift's own runtime is installed.
    #[must_use]
    pub fn has_shipped_runtime(&self) -> bool {
        self.cluster_runtimes.contains(SHIPPED_RUNTIME)
    }
}
