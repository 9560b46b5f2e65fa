//! Values that must not be printed: a denial is copied into audit logs and into the states of pipelines.

use crate::api::pytorchjob::PyTorchJob;
use crate::convert::finding::{Code, Finding, Outcome};

/// Parts of a variable's name that make it look like a credential.
const WORDS: [&str; 9] = [
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "CREDENTIAL",
];

/// A finding for each variable that looks like a credential and has a literal value.
#[must_use]
pub fn find(job: &PyTorchJob) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (key, role) in &job.spec.pytorch_replica_specs {
        let Some(role) = role else { continue };
        let spec = &role.template.spec;
        for (list, containers) in [
            ("containers", &spec.containers),
            ("initContainers", &spec.init_containers),
        ] {
            for (index, container) in containers.iter().enumerate() {
                let at = format!("spec.pytorchReplicaSpecs.{key}.template.spec.{list}[{index}]");
                let suspects = container.env.iter().filter(|variable| {
                    let name = variable.name.to_ascii_uppercase();
                    let literal = variable
                        .value
                        .as_deref()
                        .is_some_and(|value| !value.is_empty() && !value.starts_with("$("));
                    literal && WORDS.iter().any(|word| name.contains(word))
                });
                findings.extend(suspects.map(|variable| {
                    Finding::about(
                        Code::Credentials,
                        Outcome::Kept,
                        format!("{at}.env[{}]", variable.name),
                    )
                    .note("put the value into a Secret; it isn't printed here")
                }));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_literal_values_under_telling_names_are_found() {
        let job = serde_json::from_value(json!({"spec": {"pytorchReplicaSpecs": {"Worker": {"template": {"spec": {
            "containers": [{"name": "pytorch", "env": [
                {"name": "HF_TOKEN", "value": "hf_abc"},
                {"name": "wandb_api_key", "value": "abc"},
                {"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": {"secretKeyRef": {"name": "aws", "key": "k"}}},
                {"name": "PASSWORD", "value": ""},
                {"name": "DB_PASSWORD", "value": "$(FROM_ELSEWHERE)"},
                {"name": "LEARNING_RATE", "value": "1e-4"},
            ]}],
        }}}}}}))
        .unwrap();
        let found: Vec<_> = find(&job).into_iter().map(|finding| finding.at).collect();
        let at = "spec.pytorchReplicaSpecs.Worker.template.spec.containers[0].env";
        assert_eq!(
            found,
            [format!("{at}[HF_TOKEN]"), format!("{at}[wandb_api_key]")]
        );
    }
}
