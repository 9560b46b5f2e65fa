//! What `trainshift diff` says without a cluster, held against what the operators really made.
//!
//! Predicted pods go through the API server once, without being kept, for its defaults and what admission adds.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use trainshift::api::pytorchjob::PyTorchJob;
use trainshift::convert::target::{Layout, Style};
use trainshift::parity::facts::{self, NAME};
use trainshift::parity::predict::{self, runtimes};
use trainshift::parity::{Facts, Shape};

use super::api;
use super::cases::Case;
use super::run::{Parity, names, rename_all};
use super::side::Sent;

/// Ends of the names of labels and annotations that hold a uid, or a hash of one.
const UIDS: [&str; 3] = ["job-key]", "jobset-uid]", "controller-uid]"];

/// What both operators add up from all pods' requests is not predicted: the members say how many pods a gang has.
const SUMMED: &str = "gang.minResources";

/// Differences that a message names.
const NAMED: usize = 12;

impl Parity {
    /// Fails unless v1's pods, which are `real`, were predicted.
    pub(super) fn check_prediction_of_v1(&self, case: &Case, real: &Shape) -> Result<()> {
        let target = case.target(self.dialect, Style::Exact, Layout::Auto)?;
        let mut job: PyTorchJob = serde_json::from_value(case.job.clone())?;
        job.spec.run_policy.suspend = None;
        let mut objects = predict::v1(&job, target.gang);
        self.admit(case, &mut objects.pods, &objects.job)?;
        same(&facts::of_v1(&objects), real).context("v1 was predicted otherwise")
    }

    /// The same for v2's.
    pub(super) fn check_prediction_of_v2(
        &self,
        case: &Case,
        sent: &Sent,
        real: &Shape,
    ) -> Result<()> {
        let mut job = sent.trainjob.clone();
        if let Some(spec) = job["spec"].as_object_mut() {
            spec.remove("suspend");
        }
        let name = job["spec"]["runtimeRef"]["name"].as_str();
        let known = || runtimes::known(name?, self.dialect);
        let runtime = sent.runtime.clone().or_else(known);
        let runtime = runtime.with_context(|| format!("runtime {name:?}"))?;
        let mut objects = predict::v2(&job, &runtime, self.dialect);
        self.admit(case, &mut objects.pods, &objects.job)?;
        same(&facts::of_v2(&objects), real).context("v2 was predicted otherwise")
    }

    /// The pods as the API server would store them.
    fn admit(&self, case: &Case, pods: &mut [Value], job: &Value) -> Result<()> {
        let namespace = self.namespace(case)?;
        for pod in pods {
            pod["metadata"]["namespace"] = json!(namespace);
            *pod = match self.api(case)?.try_out(api::PODS, &namespace, pod)? {
                Ok(pod) => pod,
                Err(refusal) => bail!(
                    "the API server takes no pod that was predicted: {}",
                    refusal.message
                ),
            };
            rename_all(pod, &names(case, &namespace, job));
        }
        Ok(())
    }
}

/// Fails unless the facts are the same.
fn same(predicted: &Shape, real: &Shape) -> Result<()> {
    ensure!(
        predicted.pods.len() == real.pods.len(),
        "{} pods instead of {}",
        predicted.pods.len(),
        real.pods.len()
    );
    let mut lines = Vec::new();
    differences("job", &predicted.job, &real.job, &mut lines);
    for (rank, (predicted, real)) in predicted.pods.iter().zip(&real.pods).enumerate() {
        differences(&format!("rank {rank}"), predicted, real, &mut lines);
    }
    let count = lines.len();
    lines.truncate(NAMED);
    ensure!(lines.is_empty(), "{count} facts:\n  {}", lines.join("\n  "));
    Ok(())
}

/// Adds what differs to `lines`. What a pod is called at its end is chance, wherever the pod shows its name.
fn differences(whose: &str, predicted: &Facts, real: &Facts, lines: &mut Vec<String>) {
    let name_of = |facts: &Facts| facts.get(NAME).and_then(Value::as_str).map(str::to_owned);
    let chance = name_of(real).zip(name_of(predicted));
    let shown = |value: Option<&Value>| match (value, &chance) {
        (None, _) => "absent".to_owned(),
        (Some(value), Some((real, predicted))) => value.to_string().replace(real, predicted),
        (Some(value), None) => value.to_string(),
    };
    let names: BTreeSet<&String> = predicted.keys().chain(real.keys()).collect();
    for name in names {
        let (predicted, real) = (shown(predicted.get(name)), shown(real.get(name)));
        let is_uid = UIDS.iter().any(|end| name.ends_with(end));
        if predicted != real && !is_uid && !name.starts_with(SUMMED) {
            lines.push(format!("{whose}: {name}: {predicted} instead of {real}"));
        }
    }
}
