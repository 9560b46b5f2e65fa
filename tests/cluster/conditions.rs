//! Conditions of policies give what the API server gives: every line of tests/fixtures/conditions/table.txt is a validation
//! of a ValidatingAdmissionPolicy, and the warnings say which of them hold.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::Request;
use kube::Client;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Config, Error};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::control_plane::wait::{Progress, wait_until};

crate::facts![conditions_are_what_the_api_server_makes_of_them];

const GROUP: &str = "conditions.example.com";
const PLURAL: &str = "samples";
const KIND: &str = "Sample";
const PATIENCE: Duration = Duration::from_mins(1);
/// Lines that are asked in one request: warnings past 4 KiB are cut.
const ASKED: usize = 12;
/// What the last validation of a policy warns of, always: the policy is in force, and no warning before it was cut.
const END: &str = "the end";

/// An expression, and what the table says of it.
#[derive(Clone, Copy)]
struct Line<'t> {
    expected: &'t str,
    expression: &'t str,
}

impl Line<'_> {
    /// By conditions, if not by the API server.
    fn is_refused(self) -> bool {
        ["refused", "narrower"].contains(&self.expected)
    }

    /// The expression as a validation that takes what a condition takes: a bool, or what may turn out to be one. A comment
    /// ends with its line.
    fn asked(self) -> String {
        let end = if self.expression.contains("//") {
            "\n"
        } else {
            ""
        };
        format!("({}{end}) || false", self.expression)
    }
}

fn conditions_are_what_the_api_server_makes_of_them(control_plane: &ControlPlane) -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/conditions");
    let inputs: Value = serde_json::from_str(&fs::read_to_string(fixtures.join("inputs.json"))?)?;
    let table = fs::read_to_string(fixtures.join("table.txt"))?;
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let (refused, compiled): (Vec<_>, Vec<_>) = lines
        .filter_map(|line| line.split_once(" | "))
        .map(|(expected, expression)| Line {
            expected,
            expression,
        })
        .partition(|line| line.is_refused());
    let groups: Vec<_> = compiled.chunks(ASKED).collect();
    ensure!(
        groups.len() > 10 && refused.len() > 50,
        "that is no table: {} and {}",
        compiled.len(),
        refused.len()
    );
    prepare(control_plane, &inputs, groups.len())?;

    let runtime = tokio::runtime::Runtime::new()?;
    let api = runtime.block_on(Api::new(control_plane, &inputs))?;
    let mut wrong = runtime.block_on(api.compiled(&refused))?;
    for (number, lines) in groups.into_iter().enumerate() {
        let version = version(number);
        control_plane.create(&policy(&version, lines))?;
        let warnings = wait_until(&format!("{version} is evaluated"), PATIENCE, || {
            let warnings = runtime.block_on(api.submit(&version))?;
            Ok(if warnings.iter().any(|warning| warning.ends_with(END)) {
                Progress::Done(warnings)
            } else {
                Progress::Waiting(format!("{warnings:?}"))
            })
        })?;
        for (index, line) in lines.iter().enumerate() {
            let given = given(&warnings, index, *line);
            if given != line.expected {
                wrong.push(format!(
                    "{}: {given}, not {}",
                    line.expression, line.expected
                ));
            }
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

/// What became of a line, by the warnings of its policy.
fn given(warnings: &[String], index: usize, line: Line<'_>) -> &'static str {
    let error = format!("expression '{}' resulted in error", line.asked());
    if warnings
        .iter()
        .any(|warning| warning.ends_with(&not_held(index)))
    {
        "false"
    } else if warnings.iter().any(|warning| warning.contains(&error)) {
        "error"
    } else {
        "true"
    }
}

/// What a validation warns of that doesn't hold.
fn not_held(index: usize) -> String {
    format!(": line {index}")
}

/// The version of the kind in which a group of lines is asked, by which its policy is chosen: the object stays as it is.
fn version(number: usize) -> String {
    format!("v{}", number + 1)
}

/// The kind, the namespace of the inputs, and the rights of their user.
fn prepare(control_plane: &ControlPlane, inputs: &Value, versions: usize) -> Result<()> {
    let namespace = &inputs["namespaceObject"]["metadata"];
    control_plane.create(&[
        definition(versions),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": namespace}),
    ])?;
    control_plane.create(&rights(inputs))?;
    let definition = format!("crd/{PLURAL}.{GROUP}");
    control_plane
        .admin()
        .succeed(&["wait", "--for=condition=Established", &definition], None)?;
    Ok(())
}

/// A kind without a schema, so that an object of it may be anything.
fn definition(versions: usize) -> Value {
    let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let versions = (0..versions).map(|number| {
        let schema = json!({"openAPIV3Schema": anything});
        json!({"name": version(number), "served": true, "storage": number == 0, "schema": schema})
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{PLURAL}.{GROUP}")},
        "spec": {
            "group": GROUP,
            "names": {"kind": KIND, "plural": PLURAL},
            "scope": "Namespaced",
            "versions": versions.collect::<Vec<_>>(),
        },
    })
}

/// Lets the user of the inputs create the object.
fn rights(inputs: &Value) -> [Value; 2] {
    let api_group = "rbac.authorization.k8s.io";
    let object = |kind: &str, mut fields: Value| {
        fields["apiVersion"] = json!(format!("{api_group}/v1"));
        fields["kind"] = json!(kind);
        fields["metadata"] = json!({"name": PLURAL, "namespace": inputs["request"]["namespace"]});
        fields
    };
    let user = &inputs["request"]["userInfo"]["username"];
    [
        object(
            "Role",
            json!({"rules": [{"apiGroups": [GROUP], "resources": [PLURAL], "verbs": ["create"]}]}),
        ),
        object(
            "RoleBinding",
            json!({
                "roleRef": {"apiGroup": api_group, "kind": "Role", "name": PLURAL},
                "subjects": [{"apiGroup": api_group, "kind": "User", "name": user}],
            }),
        ),
    ]
}

/// A policy that warns of the lines that don't hold, and its binding.
fn policy(version: &str, lines: &[Line<'_>]) -> [Value; 2] {
    let lines = lines
        .iter()
        .enumerate()
        .map(|(index, line)| json!({"expression": line.asked(), "message": not_held(index)[2..]}));
    let end = json!({"expression": "false", "message": END});
    let validations: Vec<_> = lines.chain([end]).collect();
    let name = format!("{version}.{GROUP}");
    let object = |kind: &str, spec: Value| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec,
        })
    };
    let rule = json!({"apiGroups": [GROUP], "apiVersions": [version], "operations": ["CREATE"], "resources": [PLURAL]});
    let constraints = json!({"matchPolicy": "Exact", "resourceRules": [rule]});
    [
        object(
            "ValidatingAdmissionPolicy",
            json!({"failurePolicy": "Fail", "matchConstraints": constraints, "validations": validations}),
        ),
        object(
            "ValidatingAdmissionPolicyBinding",
            json!({"policyName": name, "validationActions": ["Warn"]}),
        ),
    ]
}

/// The API server, asked as the administrator and as the user of the inputs.
struct Api<'i> {
    client: Client,
    inputs: &'i Value,
}

impl<'i> Api<'i> {
    async fn new(control_plane: &ControlPlane, inputs: &'i Value) -> Result<Self> {
        let file = Kubeconfig::read_from(control_plane.admin().kubeconfig())?;
        let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
        let client = Client::try_from(config)?;
        Ok(Self { client, inputs })
    }

    /// Of lines that conditions refuse, those that are narrower but don't compile, and the others that do.
    async fn compiled(&self, lines: &[Line<'_>]) -> Result<Vec<String>> {
        let [policy, _] = policy("v1", lines);
        let path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies?dryRun=All";
        let request = Request::post(path)
            .header("Content-Type", "application/json")
            .body(policy.to_string().into_bytes())?;
        let Err(Error::Api(status)) = self.client.request::<Value>(request).await else {
            return Ok(vec![format!("none of {} lines is refused", lines.len())]);
        };
        let causes = status.details.context("details")?.causes;
        let mut wrong = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let field = format!("spec.validations[{index}].expression");
            let cause = causes.iter().find(|cause| cause.field == field);
            if (line.expected == "narrower") == cause.is_some() {
                wrong.push(format!(
                    "{}: {}, not {cause:?}",
                    line.expression, line.expected
                ));
            }
        }
        Ok(wrong)
    }

    /// Creates the object as the user, and deletes it again. Returns the warnings.
    async fn submit(&self, version: &str) -> Result<Vec<String>> {
        let request = &self.inputs["request"];
        let user = &request["userInfo"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let path = format!(
            "/apis/{GROUP}/{version}/namespaces/{}/{PLURAL}",
            text(&request["namespace"])
        );
        let mut object = self.inputs["object"].clone();
        object["apiVersion"] = json!(format!("{GROUP}/{version}"));
        object["kind"] = json!(KIND);
        let mut create = Request::post(&path)
            .header("Content-Type", "application/json")
            .header("Impersonate-User", text(&user["username"]))
            .header("Impersonate-Uid", text(&user["uid"]))
            .header("Impersonate-Extra-a%2fb", text(&user["extra"]["a/b"][0]));
        for group in user["groups"].as_array().context("groups")? {
            create = create.header("Impersonate-Group", text(group));
        }
        let body = Body::from(object.to_string().into_bytes());
        let answer = self.client.send(create.body(body)?).await?;
        let (head, body) = answer.into_parts();
        if !head.status.is_success() {
            let body = body.collect_bytes().await?;
            anyhow::bail!("{}: {}", head.status, String::from_utf8_lossy(&body));
        }
        let delete = Request::delete(format!("{path}/{}", text(&request["name"])));
        self.client
            .request::<Value>(delete.body(Vec::new())?)
            .await?;
        let warnings = head.headers.get_all("warning").iter();
        warnings
            .map(|warning| unquoted(str::from_utf8(warning.as_bytes())?))
            .collect()
    }
}

/// The text of a header such as `299 - "say \"a\""`.
fn unquoted(header: &str) -> Result<String> {
    let text = header
        .split_once('"')
        .and_then(|(_, rest)| rest.strip_suffix('"'));
    let mut escaped = text.with_context(|| header.to_owned())?.chars();
    let mut plain = String::new();
    while let Some(character) = escaped.next() {
        let literal = match character {
            '\\' => escaped.next().context("an escaped character")?,
            other => other,
        };
        plain.push(literal);
    }
    Ok(plain)
}
