//! The training container, in `spec.trainer` and among the overrides.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::Writer;
use super::pod::is_empty;
use crate::api::Rest;
use crate::api::meta::V1_PORT_NAME;
use crate::api::pod::{Container, ContainerPort};
use crate::api::trainjob::Trainer;
use crate::convert::finding::{Code, Outcome};
use crate::convert::ledger::child;

/// The command that Trainer's torch policy replaces (trainer v2.3.0 `pkg/constants`, `TorchTuneEntrypoint`).
const TORCHTUNE: [&str; 2] = ["tune", "run"];

impl Writer<'_, '_> {
    /// Writes the training container: as much as there is room for into `to`, and some into the overrides (`patch`).
    pub(super) fn main_container(
        &mut self,
        index: usize,
        from: &Container,
        to: &mut Trainer,
        patch: &mut Map<String, Value>,
    ) {
        let at = format!(".spec.containers[{index}]");
        let dialect = self.plan.dialect;
        let image = from.image.as_deref().unwrap_or_default();
        if image.len() > dialect.longest_image() {
            self.cannot(
                &format!("{at}.image"),
                format!("an image of {} characters", image.len()),
            );
        } else {
            self.moved(&format!("{at}.image"), "spec.trainer.image");
            to.image.clone_from(&from.image);
        }
        if self.base.has_command(dialect) && from.command.is_empty() {
            let about = self.finding(
                Code::DialectCannot,
                Outcome::Refused,
                &format!("{at}.command"),
            );
            let note = format!(
                "where none is given, {} of Trainer {dialect} runs one that trains nothing: give one, or convert in style exact",
                self.base.name
            );
            self.unsaid.push(about.note(note));
        }
        if self.base.has_torch_policy() && from.command == TORCHTUNE {
            let about = self.finding(
                Code::RuntimeCannot,
                Outcome::Refused,
                &format!("{at}.command"),
            );
            let note = "Trainer takes this command for its own torchtune: convert in style exact";
            self.unsaid.push(about.had("tune run").note(note));
        }
        for (list, items, into) in [
            ("command", &from.command, &mut to.command),
            ("args", &from.args, &mut to.args),
        ] {
            let longest = items.iter().map(|item| item.chars().count()).max();
            if items.len() > dialect.most_items(list) {
                self.cannot(&format!("{at}.{list}"), format!("{} items", items.len()));
            } else if let Some(longest) = longest.filter(|long| *long > dialect.longest_item()) {
                let had = format!("an item of {longest} characters");
                self.cannot(&format!("{at}.{list}"), had);
            } else {
                self.moved(&format!("{at}.{list}"), &format!("spec.trainer.{list}"));
                into.clone_from(items);
            }
        }
        self.environment(index, from, to);
        if from.resources.is_empty() {
            self.default(&format!("{at}.resources"));
        }
        self.ports(&at, &from.ports);
        for (key, value) in &from.resources {
            if key == "limits" || key == "requests" {
                self.moved(
                    &format!("{at}.resources.{key}"),
                    &format!("spec.trainer.resourcesPerNode.{key}"),
                );
                to.resources_per_node.insert(key.clone(), value.clone());
            } else {
                self.cannot_value(&child(&format!("{at}.resources"), key), value);
            }
        }
        if self.base.has_torch_policy() && dialect.needs_requests() {
            self.spell_out_requests(&at, &mut to.resources_per_node);
        }
        self.mounts(&at, from, patch);
        for (key, value) in &from.rest {
            let suffix = child(&at, key);
            if dialect.can_patch_container(key) {
                self.moved(&suffix, &self.pod_field(&format!("containers[0].{key}")));
                patch.insert(key.clone(), value.clone());
            } else if is_default(key, value, image) {
                self.default(&suffix);
            } else {
                self.cannot_value(&suffix, value);
            }
        }
    }

    /// Writes the requests that Kubernetes takes from the limits where none are given: a torch policy that reads requests
    /// only would start one process on each node.
    fn spell_out_requests(&mut self, at: &str, resources: &mut Rest) {
        let Some(mut requests) = resources.get("limits").and_then(Value::as_object).cloned() else {
            return;
        };
        let given = resources.get("requests").and_then(Value::as_object);
        requests.extend(given.cloned().unwrap_or_default());
        if given.is_none_or(|given| given.len() < requests.len()) {
            let at = format!("{at}.resources.requests");
            let about = self.finding(Code::SmallDifference, Outcome::Adapted, &at);
            let note = format!(
                "Trainer {} counts processes by requests, so those that follow from the limits are spelt out",
                self.plan.dialect
            );
            self.ledger.find(about.covering(Vec::new()).note(note));
            resources.insert("requests".to_owned(), Value::Object(requests));
        }
    }

    fn ports(&mut self, at: &str, ports: &[ContainerPort]) {
        let at = format!("{at}.ports");
        let plain = |port: &ContainerPort| {
            port.name.as_deref() == Some(V1_PORT_NAME)
                && port
                    .rest
                    .iter()
                    .all(|(key, value)| key == "protocol" && value == "TCP")
        };
        if ports.is_empty() {
        } else if ports.iter().all(plain) {
            let finding = self.finding(Code::Ports, Outcome::Adapted, &at);
            let numbers = numbers(ports);
            self.ledger
                .find(finding.change(format!("{V1_PORT_NAME} {numbers}"), "left out"));
        } else {
            self.cannot(&at, numbers(ports));
        }
    }

    fn mounts(&mut self, at: &str, from: &Container, patch: &mut Map<String, Value>) {
        let at = format!("{at}.volumeMounts");
        let mounts = &from.volume_mounts;
        // The API keys mounts by volume, so that one volume can't be mounted twice.
        let mut names = HashSet::new();
        let twice = !mounts.iter().all(|mount| names.insert(&mount.name));
        if twice || mounts.len() > self.plan.dialect.most_items("volumeMounts") {
            self.cannot(&at, format!("{} mounts", mounts.len()));
        } else if !mounts.is_empty() {
            self.moved(&at, &self.pod_field("containers[0].volumeMounts"));
            patch.insert("volumeMounts".to_owned(), json!(mounts));
        }
    }
}

fn numbers(ports: &[ContainerPort]) -> String {
    let numbers: Vec<_> = ports
        .iter()
        .map(|port| port.container_port.to_string())
        .collect();
    numbers.join(", ")
}

/// Whether Kubernetes takes `value` when a container doesn't set `key` (kubernetes v1.36.3 `core/v1` defaults).
fn is_default(key: &str, value: &Value, image: &str) -> bool {
    match key {
        "imagePullPolicy" => value == default_pull_policy(image),
        "terminationMessagePath" => value == "/dev/termination-log",
        "terminationMessagePolicy" => value == "File",
        "securityContext" => is_empty(value),
        "stdin" | "stdinOnce" | "tty" => value == false,
        _ => false,
    }
}

/// What Kubernetes takes when a container names no pull policy (kubernetes `core/v1` defaults and
/// `pkg/util/parsers`, `ParseImageName`): a digest doesn't undo the tag `latest`.
fn default_pull_policy(image: &str) -> &'static str {
    let (name, has_digest) = match image.split_once('@') {
        Some((name, _)) => (name, true),
        None => (image, false),
    };
    // A colon before the last slash belongs to the registry's port.
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, "latest")) => "Always",
        None if !has_digest => "Always",
        _ => "IfNotPresent",
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::default_pull_policy;

    #[rstest]
    #[case("pytorch", "Always")]
    #[case("pytorch/pytorch:latest", "Always")]
    #[case("pytorch/pytorch:2.4", "IfNotPresent")]
    #[case("registry:5000/team/train", "Always")]
    #[case("registry:5000/team/train:v1", "IfNotPresent")]
    #[case("registry:5000/train@sha256:0f1e", "IfNotPresent")]
    #[case("train:v1@sha256:0f1e", "IfNotPresent")]
    #[case("train:latest@sha256:0f1e", "Always")]
    fn default_pull_policy_is_the_api_servers(#[case] image: &str, #[case] policy: &str) {
        assert_eq!(default_pull_policy(image), policy);
    }
}
