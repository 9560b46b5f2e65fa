//! What the v2 SDK, `TrainerClient` of kubeflow 0.5.0, can't read.

use serde_json::Value;

use crate::api::meta::NODE;

use super::finding::{Code, Finding, Outcome};
use super::ledger::Ledger;
use super::plan::PodSet;

/// Limits by which the SDK knows a device; with limits but none of these it can't list jobs or runtimes
/// (`trainer/backends/kubernetes/utils.py`, `get_container_devices`).
const DEVICES: [&str; 4] = [
    "nvidia.com/gpu",
    "google.com/tpu",
    "huawei.com/Ascend910",
    "cpu",
];
const DEVICE_PREFIX: &str = "nvidia.com/mig-";

/// Notes training pods whose limits hold no device that the SDK knows.
pub fn report(pods: &PodSet, ledger: &mut Ledger) {
    let containers = &pods.template.spec.containers;
    let Some((index, container)) = containers
        .iter()
        .enumerate()
        .find(|(_, container)| container.name == NODE)
    else {
        return;
    };
    let Some(limits) = container.resources.get("limits").and_then(Value::as_object) else {
        return;
    };
    if limits.is_empty() || limits.keys().any(|key| is_device(key)) {
        return;
    }
    let source = pods.sources.first().map_or("", String::as_str);
    let at = format!("{source}.spec.containers[{index}].resources.limits");
    let keys: Vec<_> = limits.keys().cloned().collect();
    ledger.find(Finding::about(Code::SdkDevice, Outcome::Adapted, at).had(keys.join(", ")));
}

fn is_device(key: &str) -> bool {
    DEVICES.contains(&key) || key.starts_with(DEVICE_PREFIX)
}
