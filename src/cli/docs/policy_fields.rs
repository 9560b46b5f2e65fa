//! docs/policy-fields.md: every field of a MigrationPolicy, as its CustomResourceDefinition has it.

use std::fmt::{Display, Write as _};

use anyhow::Context as _;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt as _;

use super::escape;
use crate::api::policy::MigrationPolicy;

const BEGIN: &str = "# Fields of a MigrationPolicy

Written by `make docs` from the CustomResourceDefinition. What a policy does with them is in [policy.md](policy.md).
`[]` stands for each item of a list, `*` for each key. The API server refuses what breaks a limit or a rule.
";

/// The page.
///
/// # Errors
/// When the definition has no schema.
pub(in crate::cli) fn markdown() -> anyhow::Result<String> {
    let definition = MigrationPolicy::crd();
    let version = definition.spec.versions.first();
    let schema = version
        .and_then(|version| version.schema.as_ref())
        .and_then(|schema| schema.open_api_v3_schema.as_ref())
        .context("the definition has a schema")?;
    let mut page = BEGIN.to_owned();
    for part in ["spec", "status"] {
        let schema = schema
            .properties
            .as_ref()
            .and_then(|fields| fields.get(part));
        let schema = schema.with_context(|| format!("the schema has {part}"))?;
        write!(
            page,
            "\n## {part}\n\n| field | type | meaning |\n|---|---|---|\n"
        )?;
        fields(part, schema, &mut page)?;
    }
    Ok(page)
}

/// A row for each field below `path`.
fn fields(path: &str, schema: &JSONSchemaProps, page: &mut String) -> anyhow::Result<()> {
    let required = schema.required.as_deref().unwrap_or_default();
    for (name, field) in schema.properties.iter().flatten() {
        let at = format!("{path}.{name}");
        let must = if required.contains(name) {
            ", required"
        } else {
            ""
        };
        let kind = kind(field);
        let meaning = meaning(field);
        writeln!(page, "| `{at}` | {kind}{must} | {meaning} |")?;
        fields(&at, field, page)?;
        match (&field.items, &field.additional_properties) {
            (Some(JSONSchemaPropsOrArray::Schema(items)), _) => {
                fields(&format!("{at}[]"), items, page)?;
            }
            (_, Some(JSONSchemaPropsOrBool::Schema(values))) => {
                fields(&format!("{at}.*"), values, page)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What may stand there: type, choices, default, limits.
fn kind(field: &JSONSchemaProps) -> String {
    let of_items = match &field.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => Some(items.as_ref()),
        _ => None,
    };
    let choices: Vec<_> = field
        .enum_
        .iter()
        .flatten()
        .map(|choice| format!("`{}`", choice.0.as_str().unwrap_or_default()))
        .collect();
    let kind = match (of_items, field.format.as_deref()) {
        _ if !choices.is_empty() => choices.join(", "),
        (Some(items), _) => format!("list of {}", items.type_.as_deref().unwrap_or("values")),
        (None, Some("date-time")) => "date and time".to_owned(),
        (None, _) => field.type_.clone().unwrap_or_default(),
    };
    let mut parts = vec![kind];
    parts.extend(bounds(field.min_items, field.max_items, " items"));
    parts.extend(bounds(field.min_length, field.max_length, " characters"));
    parts.extend(bounds(field.minimum, field.maximum, ""));
    let default = field.default.as_ref();
    let told = default.filter(|default| default.0 != serde_json::json!({}));
    parts.extend(told.map(|default| format!("default `{}`", default.0)));
    parts.join(", ")
}

fn bounds<N: Display>(least: Option<N>, most: Option<N>, what: &str) -> Option<String> {
    match (least, most) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}{what}")),
        (None, Some(most)) => Some(format!("at most {most}{what}")),
        (Some(least), None) => Some(format!("at least {least}{what}")),
        (None, None) => None,
    }
}

/// The description, and the rules that hold besides.
fn meaning(field: &JSONSchemaProps) -> String {
    let text = field.description.as_deref().unwrap_or_default();
    let mut meaning = escape(&text.replace('\n', " "));
    let own = field.x_kubernetes_validations.iter().flatten();
    let of_items = match &field.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => items.x_kubernetes_validations.as_deref(),
        _ => None,
    };
    for rule in own.chain(of_items.into_iter().flatten()) {
        let message = rule.message.as_deref().unwrap_or(&rule.rule);
        meaning.extend([" *Rule: ", &escape(message), ".*"]);
    }
    meaning
}
