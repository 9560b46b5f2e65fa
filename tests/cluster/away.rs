//! The API server is away from trainshift: the last policies hold, and those that changed meanwhile once it is back.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::control_plane::kubectl::Output;
use crate::control_plane::proxy::{Proxy, Way};
use crate::control_plane::trainshift::Trainshift;
use crate::control_plane::wait::{Progress, wait_until};
use crate::jobs::{create, mnist, policy, wait_until_judged};

crate::facts![
    the_last_policies_hold_while_connections_are_refused,
    the_last_policies_hold_while_connections_are_silent,
];

/// Longer than a silent API server isn't noticed.
const TIMEOUT: Duration = Duration::from_mins(3);
/// By this label of a namespace its policy is chosen.
const TIER: &str = "trainshift-test/tier";
/// What `/readyz` says of a part that isn't heard of.
const LAST: &str = "ok: answers from the last reading";

fn the_last_policies_hold_while_connections_are_refused(
    control_plane: &ControlPlane,
) -> Result<()> {
    hold(control_plane, "refused", Way::Closed)
}

fn the_last_policies_hold_while_connections_are_silent(control_plane: &ControlPlane) -> Result<()> {
    hold(control_plane, "silent", Way::Silent)
}

fn hold(control_plane: &ControlPlane, label: &str, way: Way) -> Result<()> {
    let ground = Ground::new(control_plane, label)?;
    let namespaces = ["warned", "denied"];
    ground.put("warned", "Warn", "first warning")?;
    ground.put("denied", "Deny", "first denial")?;
    for tier in namespaces {
        ground.namespace(tier)?;
    }
    let warned = ground.until("warned", |answer| warns(answer, "first warning"))?;
    let denied = ground.until("denied", |answer| denies(answer, "first denial"))?;
    ground.until_ready(|report| !report.contains("last reading"))?;

    ground.proxy.set(way);
    ground.until_ready(|report| {
        let says = |part: &str| report.contains(&format!("\n{part}: {LAST}"));
        report.starts_with("ok\n") && says("cluster") && says("policies")
    })?;
    let changed = ground.changed()?;
    ground.put("warned", "Deny", "second denial")?;
    ground.retier("denied", "free")?;
    ground.namespace("late")?;
    for (tier, before) in namespaces.into_iter().zip([&warned, &denied]) {
        let answer = ground.submit(tier)?;
        ensure!(
            (answer.status, &answer.stderr) == (before.status, &before.stderr),
            "{before:?}, and while the API server is away {answer:?}"
        );
    }
    // A namespace that it hasn't heard of is the API server's to describe.
    let late = ground.until("late", |answer| {
        answer.status == 1 && answer.stderr.contains("can't read namespace")
    })?;
    ensure!(late.stderr.contains("failed calling webhook"), "{late:?}");
    ensure!(ground.changed()? == changed, "policies changed unheard");
    let errors = ground.metric("requests_total", "decision=\"error\"")?;
    ensure!(errors >= 1, "{errors} requests without a judgement");

    ground.proxy.set(Way::Open);
    ground.until("warned", |answer| denies(answer, "second denial"))?;
    for tier in ["denied", "late"] {
        ground.until(tier, |answer| {
            answer.status == 0 && !answer.stderr.contains("Warning")
        })?;
    }
    ground.until_ready(|report| !report.contains("last reading"))?;
    wait_until("metrics tell of the change", TIMEOUT, || {
        let now = ground.changed()?;
        Ok(if now > changed {
            Progress::Done(())
        } else {
            Progress::Waiting(format!("{now}, and {changed} before"))
        })
    })?;
    ground.end()
}

fn warns(answer: &Output, message: &str) -> bool {
    answer.status == 0 && answer.stderr.contains(message)
}

fn denies(answer: &Output, message: &str) -> bool {
    answer.status == 1
        && answer.stderr.contains("PyTorchJob is refused")
        && answer.stderr.contains(message)
}

/// A trainshift that sees the API server through a proxy, and the namespaces that it judges.
struct Ground<'c> {
    control_plane: &'c ControlPlane,
    label: String,
    proxy: Proxy,
    instance: Trainshift,
}

impl<'c> Ground<'c> {
    fn new(control_plane: &'c ControlPlane, what: &str) -> Result<Self> {
        let label = format!("away-{what}");
        let direct = control_plane.service_account("trainshift-system", "trainshift")?;
        let proxy = Proxy::start(&direct)?;
        let instance = Trainshift::start_with(control_plane, &label, "audit", proxy.kubeconfig())?;
        instance.register(control_plane, "fail")?;
        let ground = Self {
            control_plane,
            label,
            proxy,
            instance,
        };
        let probe = control_plane.namespace(&ground.label)?;
        wait_until_judged(control_plane, &probe)?;
        Ok(ground)
    }

    /// The name of a namespace, and of its policy.
    fn name(&self, tier: &str) -> String {
        format!("{}-{tier}", self.label)
    }

    fn namespace(&self, tier: &str) -> Result<()> {
        let name = self.name(tier);
        self.control_plane.namespace_in(&name, &self.label)?;
        self.retier(tier, tier)
    }

    /// Labels a namespace, and so gives it another policy.
    fn retier(&self, namespace: &str, tier: &str) -> Result<()> {
        let label = format!("{TIER}={}", self.name(tier));
        let command = [
            "label",
            "--overwrite",
            "namespace",
            &self.name(namespace),
            &label,
        ];
        self.control_plane.admin().succeed(&command, None)?;
        Ok(())
    }

    /// Creates or changes a policy.
    fn put(&self, tier: &str, mode: &str, message: &str) -> Result<()> {
        let labels = json!({TIER: self.name(tier)});
        let spec = json!({
            "priority": 100,
            "match": {"namespaceSelector": {"matchLabels": labels}},
            "schedule": [{"mode": mode}],
            "message": message,
        });
        let object = policy(&self.name(tier), &spec).to_string();
        let admin = self.control_plane.admin();
        admin.succeed(&["apply", "--filename=-"], Some(&object))?;
        Ok(())
    }

    fn submit(&self, tier: &str) -> Result<Output> {
        let job: Value = mnist("mnist", &self.name(tier), 1);
        create(self.control_plane.admin(), &job, &["--dry-run=server"])
    }

    fn until(&self, tier: &str, is: impl Fn(&Output) -> bool) -> Result<Output> {
        wait_until(
            &format!("{} is judged so", self.name(tier)),
            TIMEOUT,
            || {
                let answer = self.submit(tier)?;
                Ok(if is(&answer) {
                    Progress::Done(answer)
                } else {
                    Progress::Waiting(format!("{answer:?}"))
                })
            },
        )
    }

    fn until_ready(&self, is: impl Fn(&str) -> bool) -> Result<()> {
        wait_until(
            &format!("/readyz of {} says so", self.label),
            TIMEOUT,
            || {
                let report = self.instance.says("/readyz")?;
                Ok(if is(&report) {
                    Progress::Done(())
                } else {
                    Progress::Waiting(report)
                })
            },
        )
    }

    /// When the policies that it judges by last changed.
    fn changed(&self) -> Result<i64> {
        self.metric("policies_changed_timestamp_seconds", "")
    }

    /// The sum of a metric's lines that have `labels` in them.
    fn metric(&self, name: &str, labels: &str) -> Result<i64> {
        let page = self.instance.says("/metrics")?;
        let lines = page.lines().filter(|line| {
            line.starts_with(&format!("trainshift_{name}")) && line.contains(labels)
        });
        let values = lines.map(|line| {
            let (_, value) = line.rsplit_once(' ').context("a value")?;
            Ok(value.parse::<i64>()?)
        });
        values.sum()
    }

    fn end(mut self) -> Result<()> {
        let policies = ["warned", "denied"].map(|tier| self.name(tier));
        let command = ["delete", "migrationpolicy", &policies[0], &policies[1]];
        self.control_plane.admin().succeed(&command, None)?;
        ensure!(self.instance.stop()? == Some(0), "it did not end in order");
        Ok(())
    }
}
