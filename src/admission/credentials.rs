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

/// What the last part of such a name may be.
const ENDINGS: [&str; 6] = ["KEY", "PASS", "PWD", "PAT", "AUTH", "CREDS"];

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
                    looks_like_credential(&variable.name)
                        && variable.value.as_deref().is_some_and(is_literal)
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

/// Whether a variable's name says that its value must not be printed.
#[must_use]
pub fn looks_like_credential(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    WORDS.iter().any(|word| name.contains(word))
        || name
            .rsplit_once('_')
            .is_some_and(|(_, end)| ENDINGS.contains(&end))
}

/// Whether anything is left of `value` without its references to other variables.
fn is_literal(value: &str) -> bool {
    let mut rest = value;
    while let Some((_, after)) = rest
        .strip_prefix("$(")
        .and_then(|reference| reference.split_once(')'))
    {
        rest = after;
    }
    !rest.is_empty()
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
                {"name": "KEY", "value": "column"},
                {"name": "PWD", "value": "/workspace"},
                {"name": "BOTH_TOKENS", "value": "$(ONE)$(TWO)"},
                {"name": "SALTED_TOKEN", "value": "$(SALT)hunter2"},
                {"name": "HALF_TOKEN", "value": "$(hunter2"},
                {"name": "WANDB_KEY", "value": "abc"},
                {"name": "DB_PASS", "value": "abc"},
                {"name": "MYSQL_PWD", "value": "abc"},
            ]}],
        }}}}}}))
        .unwrap();
        let found: Vec<_> = find(&job).into_iter().map(|finding| finding.at).collect();
        let at = "spec.pytorchReplicaSpecs.Worker.template.spec.containers[0].env";
        let names = [
            "HF_TOKEN",
            "wandb_api_key",
            "SALTED_TOKEN",
            "HALF_TOKEN",
            "WANDB_KEY",
            "DB_PASS",
            "MYSQL_PWD",
        ];
        assert_eq!(found, names.map(|name| format!("{at}[{name}]")));
    }
}
