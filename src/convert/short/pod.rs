//! The pod template, as far as the overrides of a `TrainJob` can say it.

use serde_json::{Map, Value, json};

use super::{PodOverride, Writer};
use crate::api::meta::NODE;
use crate::api::pod::{Container, PodSpec, PodTemplate};
use crate::convert::finding::{Code, Outcome};
use crate::convert::ledger::child;
use crate::convert::pod;

impl Writer<'_, '_> {
    /// Writes what the pods have that the runtime's don't; `container` is the training container's part.
    pub(super) fn pod(
        &mut self,
        template: &PodTemplate,
        container: Map<String, Value>,
    ) -> PodOverride {
        let dialect = self.plan.dialect;
        let spec = &template.spec;
        let metadata = self.metadata(template);
        let mut patch = Map::new();
        for (index, init) in spec.init_containers.iter().enumerate() {
            self.cannot(
                &format!(".spec.initContainers[{index}]"),
                format!("init container {}", init.name),
            );
        }
        if spec.volumes.len() > dialect.most_items("volumes") {
            self.cannot(".spec.volumes", format!("{} volumes", spec.volumes.len()));
        } else if !spec.volumes.is_empty() {
            self.moved(".spec.volumes", &self.pod_field("volumes"));
            patch.insert("volumes".to_owned(), json!(spec.volumes));
        }
        match &spec.affinity {
            Some(affinity) if dialect.can_patch("affinity") => {
                self.moved(".spec.affinity", &self.pod_field("affinity"));
                patch.insert("affinity".to_owned(), affinity.clone());
            }
            Some(affinity) if is_empty(affinity) => self.default(".spec.affinity"),
            Some(affinity) => self.cannot_value(".spec.affinity", affinity),
            None => {}
        }
        self.scheduler(template);
        if !spec.topology_spread_constraints.is_empty() {
            self.cannot(".spec.topologySpreadConstraints", "the spread");
        }
        for (key, value) in &spec.rest {
            let suffix = child(".spec", key);
            let items = value.as_array().map_or(0, Vec::len);
            if dialect.can_patch(key) && items <= dialect.most_items(key) {
                self.moved(&suffix, &self.pod_field(key));
                patch.insert(key.clone(), value.clone());
            } else if key == "serviceAccount" && spec.rest.contains_key("serviceAccountName") {
                // The old name counts only where the new one is missing (kubernetes `core/v1` conversion).
                let finding = self.finding(Code::SmallDifference, Outcome::Adapted, &suffix);
                self.ledger.find(finding.note("serviceAccountName counts"));
            } else if key == "serviceAccount" {
                self.moved(&suffix, &self.pod_field("serviceAccountName"));
                patch.insert("serviceAccountName".to_owned(), value.clone());
            } else if is_default(key, value) {
                self.default(&suffix);
            } else {
                self.cannot_value(&suffix, value);
            }
        }
        if !container.is_empty() {
            let mut named = Map::from_iter([("name".to_owned(), Value::from(NODE))]);
            named.extend(container);
            patch.insert("containers".to_owned(), json!([named]));
        }
        PodOverride {
            metadata,
            spec: patch,
        }
    }

    fn metadata(&mut self, template: &PodTemplate) -> Map<String, Value> {
        let mut said = template.metadata.clone();
        pod::drop_unselected(&mut said, &self.sayable(&template.spec), self.ledger);
        let mut metadata = Map::new();
        for (key, entries) in [("labels", &said.labels), ("annotations", &said.annotations)] {
            let suffix = format!(".metadata.{key}");
            let place = self.plan.dialect.overrides().metadata;
            if entries.is_empty() {
                self.default(&suffix);
            } else if let Some(place) = place {
                self.moved(&suffix, &format!("{place}.{key}"));
                metadata.insert(key.to_owned(), json!(entries));
            } else {
                self.cannot(&suffix, format!("{} {key}", entries.len()));
            }
        }
        metadata
    }

    /// As much of `spec` as can name a label and is put out.
    fn sayable(&self, spec: &PodSpec) -> PodSpec {
        let is_main = |container: &&Container| container.name == NODE;
        PodSpec {
            affinity: (spec.affinity.clone()).filter(|_| self.plan.dialect.can_patch("affinity")),
            containers: spec.containers.iter().filter(is_main).cloned().collect(),
            volumes: spec.volumes.clone(),
            ..PodSpec::default()
        }
    }

    /// Notes a scheduler and a priority class, which no override can set.
    fn scheduler(&mut self, template: &PodTemplate) {
        let spec = &template.spec;
        // Gang scheduling sets both by itself, and then they are no fields of the job's.
        let original = &self.plan.node.original.spec;
        for (key, given, value) in [
            (
                "schedulerName",
                &original.scheduler_name,
                &spec.scheduler_name,
            ),
            (
                "priorityClassName",
                &original.priority_class_name,
                &spec.priority_class_name,
            ),
        ] {
            let suffix = child(".spec", key);
            match value {
                Some(value) if value == "default-scheduler" => self.default(&suffix),
                Some(value) if given.as_ref().is_some_and(|given| !given.is_empty()) => {
                    self.cannot(&suffix, value);
                }
                _ => {}
            }
        }
    }
}

/// Whether `value` is an object that says nothing.
pub(super) fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

/// Whether Kubernetes takes `value` when a pod doesn't set `key` (kubernetes v1.36.3 `pkg/apis/core/v1/defaults.go`).
fn is_default(key: &str, value: &Value) -> bool {
    match key {
        "dnsPolicy" => value == "ClusterFirst",
        "enableServiceLinks" | "hostUsers" => value == true,
        "hostIPC" | "hostNetwork" | "hostPID" | "setHostnameAsFQDN" | "shareProcessNamespace" => {
            value == false
        }
        "securityContext" => is_empty(value),
        "terminationGracePeriodSeconds" => value == 30,
        _ => false,
    }
}
