//! Conditions of policies give what the API server gives: every line of tests/fixtures/conditions/table.txt is a validation of a
//! ValidatingAdmissionPolicy, and the audit log says which of them hold.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::control_plane::wait::{Progress, wait_until};

crate::facts![conditions_are_what_the_api_server_makes_of_them];

const GROUP: &str = "conditions.example.com";
const PLURAL: &str = "pytorchjobs";
const NAMESPACE: &str = "research";
const PATIENCE: Duration = Duration::from_mins(1);
/// Where the API server puts the validations that don't hold.
const FAILURES: &str = "validation.policy.admission.k8s.io/validation_failure";

fn conditions_are_what_the_api_server_makes_of_them(control_plane: &ControlPlane) -> Result<()> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/conditions");
    let inputs: Value = serde_json::from_str(&fs::read_to_string(fixtures.join("inputs.json"))?)?;
    let table = fs::read_to_string(fixtures.join("table.txt"))?;
    let lines: Vec<(&str, &str)> = table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" | "))
        .collect();
    let admin = control_plane.admin();
    admin.create(&[definition(), json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": {"tier": "gold"}},
    })])?;
    admin.succeed(
        &[
            "wait",
            "--for=condition=Established",
            &format!("crd/{PLURAL}.{GROUP}"),
        ],
        None,
    )?;

    let compiled: Vec<_> = lines
        .iter()
        .filter(|(expected, _)| *expected != "refused")
        .collect();
    let expressions: Vec<_> = compiled.iter().map(|(_, expression)| *expression).collect();
    admin.create(&policy("conditions", &expressions))?;
    let runtime = tokio::runtime::Runtime::new()?;
    let failures = wait_until("the API server evaluates the conditions", PATIENCE, || {
        runtime.block_on(submit(control_plane, &inputs))?;
        let failures = recorded(control_plane)?;
        // The policy is in force a moment after it was created.
        Ok(if failures.is_empty() {
            Progress::Waiting("no record".to_owned())
        } else {
            Progress::Done(failures)
        })
    })?;
    let mut wrong = Vec::new();
    for (index, (expected, expression)) in compiled.iter().enumerate() {
        let given = match failures.get(&index) {
            None => "true",
            Some(message) if message == "does not hold" => "false",
            Some(_) => "error",
        };
        if given != *expected {
            wrong.push(format!(
                "{expression}: {given}, not {expected} ({:?})",
                failures.get(&index)
            ));
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

/// A kind without a schema, so that an object of it may be anything.
fn definition() -> Value {
    let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{PLURAL}.{GROUP}")},
        "spec": {
            "group": GROUP,
            "names": {"kind": "PyTorchJob", "plural": PLURAL, "listKind": "PyTorchJobList", "singular": "pytorchjob"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": anything}}],
        },
    })
}

/// A policy that records which of `expressions` don't hold, and its binding.
fn policy(name: &str, expressions: &[&str]) -> [Value; 2] {
    let validations: Vec<_> = expressions
        .iter()
        .map(|expression| json!({"expression": format!("({expression}) == true"), "message": "does not hold"}))
        .collect();
    let kind = |kind: &str, spec: Value| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
            "metadata": {"name": format!("{name}.{GROUP}")}, "spec": spec,
        })
    };
    let rule = json!({"apiGroups": [GROUP], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [PLURAL]});
    [
        kind(
            "ValidatingAdmissionPolicy",
            json!({
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [rule]},
                "validations": validations,
            }),
        ),
        kind(
            "ValidatingAdmissionPolicyBinding",
            json!({
                "policyName": format!("{name}.{GROUP}"), "validationActions": ["Audit"],
            }),
        ),
    ]
}

/// Creates the object of `inputs` as the user of `inputs`, and deletes it again.
async fn submit(control_plane: &ControlPlane, inputs: &Value) -> Result<()> {
    let kubeconfig = Kubeconfig::read_from(control_plane.admin().kubeconfig())?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let client = Client::try_from(config)?;
    let path = format!("/apis/{GROUP}/v1/namespaces/{NAMESPACE}/{PLURAL}");
    let mut object = inputs["object"].clone();
    object["apiVersion"] = json!(format!("{GROUP}/v1"));
    let user = &inputs["request"]["userInfo"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut create = Request::post(&path)
        .header("Content-Type", "application/json")
        .header("Impersonate-User", text(&user["username"]))
        .header("Impersonate-Uid", text(&user["uid"]))
        .header("Impersonate-Extra-a%2fb", text(&user["extra"]["a/b"][0]));
    for group in user["groups"].as_array().context("the user has groups")? {
        create = create.header("Impersonate-Group", text(group));
    }
    client
        .request_text(create.body(object.to_string().into_bytes())?)
        .await?;
    let name = text(&inputs["request"]["name"]);
    let delete = Request::delete(format!("{path}/{name}")).body(Vec::new())?;
    client.request_text(delete).await?;
    Ok(())
}

/// By the number of the validation, why it doesn't hold.
fn recorded(control_plane: &ControlPlane) -> Result<BTreeMap<usize, String>> {
    let log = fs::read_to_string(control_plane.directory().join("audit.log"))?;
    let last = log
        .lines()
        .filter(|line| line.contains(GROUP) && line.contains(FAILURES))
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .next_back();
    let Some(event) = last else {
        return Ok(BTreeMap::new());
    };
    let text = event["annotations"][FAILURES].as_str().context("a text")?;
    let failures: Vec<Value> = serde_json::from_str(text)?;
    failures
        .iter()
        .map(|failure| {
            let index = failure["expressionIndex"]
                .as_str()
                .or(Some("0"))
                .context("a number")?;
            let message = failure["message"].as_str().unwrap_or_default();
            Ok((index.parse()?, message.to_owned()))
        })
        .collect()
}
