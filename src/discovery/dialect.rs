//! The version of Trainer, by what its TrainJob CRD can say.
//!
//! The CRD is asked and not an image tag: it is what the API server checks a TrainJob against, and vendors tag images as
//! they like.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps,
};

use crate::convert::target::Dialect;

/// Path, below the schema's root, of the pod spec in a runtime patch of 2.2 and later.
const PATCH: [&str; 11] = [
    "spec",
    "runtimePatches",
    "trainingRuntimeSpec",
    "template",
    "spec",
    "replicatedJobs",
    "template",
    "spec",
    "template",
    "spec",
    "terminationGracePeriodSeconds",
];

/// The dialect of a TrainJob CRD; none when it is no dialect that trainshift knows.
#[must_use]
pub fn of(definition: &CustomResourceDefinition) -> Option<Dialect> {
    let version = definition
        .spec
        .versions
        .iter()
        .find(|version| version.storage)?;
    let root = version.schema.as_ref()?.open_api_v3_schema.as_ref()?;
    let has = |path: &[&str]| descend(root, path).is_some();
    if has(&PATCH) {
        Some(Dialect::V2_3)
    } else if has(&PATCH[..2]) {
        Some(Dialect::V2_2)
    } else if has(&["spec", "podTemplateOverrides"]) {
        Some(Dialect::V2_1)
    } else if has(&["spec", "podSpecOverrides"]) {
        Some(Dialect::V2_0)
    } else {
        None
    }
}

/// The schema at `path`, going through lists without being told.
fn descend<'s>(schema: &'s JSONSchemaProps, path: &[&str]) -> Option<&'s JSONSchemaProps> {
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaPropsOrArray;
    let schema = match &schema.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => items,
        _ => schema,
    };
    match path {
        [] => Some(schema),
        [first, rest @ ..] => descend(schema.properties.as_ref()?.get(*first)?, rest),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn dialect(spec: &Value) -> Option<Dialect> {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": spec}}});
        of(&serde_json::from_value(json!({
            "metadata": {},
            "spec": {
                "group": "trainer.kubeflow.org", "scope": "Namespaced", "names": {"kind": "TrainJob", "plural": "trainjobs"},
                "versions": [{"name": "v1alpha1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
            },
        }))
        .unwrap())
    }

    fn patches(pod: &Value) -> Value {
        let below =
            |key: &str, schema: Value| json!({"type": "object", "properties": {key: schema}});
        let pod = json!({"type": "object", "properties": pod});
        let job = below("spec", below("template", below("spec", pod)));
        let jobs = json!({"type": "array", "items": below("template", job)});
        let runtime = below("template", below("spec", below("replicatedJobs", jobs)));
        json!({"runtimePatches": {"type": "array", "items": below("trainingRuntimeSpec", runtime)}})
    }

    #[test]
    fn each_dialect_is_known_by_the_fields_that_it_brought() {
        assert_eq!(
            dialect(&json!({"podSpecOverrides": {}})),
            Some(Dialect::V2_0)
        );
        assert_eq!(
            dialect(&json!({"podTemplateOverrides": {}})),
            Some(Dialect::V2_1)
        );
        assert_eq!(
            dialect(&patches(&json!({"nodeSelector": {}}))),
            Some(Dialect::V2_2)
        );
        assert_eq!(
            dialect(&patches(&json!({"terminationGracePeriodSeconds": {}}))),
            Some(Dialect::V2_3)
        );
        assert_eq!(dialect(&json!({"trainer": {}})), None);
    }
}
