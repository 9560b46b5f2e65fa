//! Structures as facts: one for each leaf, named by its path.

use serde_json::{Map, Value};

use crate::parity::{Facts, quantity};

/// Lists whose items have a key of their own, so that their order says nothing: the list's field, the key's field.
const KEYED: [(&str, &str); 9] = [
    ("claims", "name"),
    ("hostAliases", "ip"),
    ("resizePolicy", "resourceName"),
    ("resourceClaims", "name"),
    ("schedulingGates", "name"),
    ("sysctls", "name"),
    ("volumeDevices", "devicePath"),
    ("volumeMounts", "mountPath"),
    ("volumes", "name"),
];

/// Lists of which neither the order nor a repetition says anything, and whose items have no key.
const SETS: [&str; 3] = ["imagePullSecrets", "readinessGates", "tolerations"];

/// Structures that say nothing when they are empty, whether the API server writes them or not.
const NOTHING_WHEN_EMPTY: [&str; 11] = [
    "affinity",
    "annotations",
    "dnsConfig",
    "labels",
    "lifecycle",
    "limits",
    "nodeSelector",
    "overhead",
    "requests",
    "resources",
    "securityContext",
];

/// Maps from a resource to an amount.
const AMOUNTS: [&str; 5] = ["capacity", "limits", "minResources", "overhead", "requests"];

/// Adds a fact for each leaf of `fields`, named `<at>.<field>`, or `<field>` where `at` is empty.
pub fn fields(at: &str, fields: &Map<String, Value>, facts: &mut Facts) {
    for (key, value) in fields {
        field(&child(at, key), key, value, facts);
    }
}

/// Adds a fact for each entry of the map `entries`, named `<at>[<key>]`.
pub fn entries(at: &str, entries: &Value, facts: &mut Facts) {
    for (key, value) in entries.as_object().into_iter().flatten() {
        insert(format!("{at}[{key}]"), value.clone(), facts);
    }
}

fn field(at: &str, key: &str, value: &Value, facts: &mut Facts) {
    match value {
        Value::Null => {}
        Value::Object(inner) if inner.is_empty() && NOTHING_WHEN_EMPTY.contains(&key) => {}
        Value::Object(inner) if inner.is_empty() => insert(at.to_owned(), value.clone(), facts),
        Value::Object(inner) if AMOUNTS.contains(&key) => {
            for (resource, amount) in inner {
                insert(
                    format!("{at}[{resource}]"),
                    quantity::canonical(amount),
                    facts,
                );
            }
        }
        Value::Object(inner) => fields(at, inner, facts),
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) => list(at, key, items, facts),
        _ if key == "sizeLimit" => insert(at.to_owned(), quantity::canonical(value), facts),
        _ => insert(at.to_owned(), value.clone(), facts),
    }
}

fn list(at: &str, key: &str, items: &[Value], facts: &mut Facts) {
    let keyed = KEYED.iter().find(|(list, _)| *list == key);
    if let Some((_, name)) = keyed {
        for item in items {
            let named = item[name].as_str().unwrap_or_default();
            element(&format!("{at}[{named}]"), item, &[name], facts);
        }
    } else if key == "ports" {
        for item in items {
            let protocol = item["protocol"].as_str().unwrap_or("TCP");
            let named = format!("{at}[{}/{protocol}]", item["containerPort"]);
            element(&named, item, &["containerPort", "protocol"], facts);
        }
    } else {
        let mut items = items.to_vec();
        if SETS.contains(&key) {
            items.sort_by_key(Value::to_string);
            // A JobSet that is resumed says tolerations with a time twice (jobset v0.12.0 `pkg/util/collections`, `MergeSlices`).
            items.dedup();
        }
        insert(at.to_owned(), Value::Array(items), facts);
    }
}

/// An item of a list, without the fields that are its key. There is a fact even if nothing else is left.
fn element(at: &str, item: &Value, keys: &[&str], facts: &mut Facts) {
    let mut rest = item.as_object().cloned().unwrap_or_default();
    rest.retain(|key, value| !keys.contains(&key.as_str()) && !value.is_null());
    if rest.is_empty() {
        insert(at.to_owned(), Value::Object(rest), facts);
    } else {
        fields(at, &rest, facts);
    }
}

/// A second fact of one name, which no valid object has, is not lost.
pub fn insert(at: String, value: Value, facts: &mut Facts) {
    let mut name = at;
    while facts.contains_key(&name) {
        name.push('\'');
    }
    facts.insert(name, value);
}

fn child(at: &str, key: &str) -> String {
    let is_field = key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match (at.is_empty(), is_field) {
        (true, _) => key.to_owned(),
        (false, true) => format!("{at}.{key}"),
        (false, false) => format!("{at}[{key}]"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts(value: &Value) -> Facts {
        let mut facts = Facts::new();
        fields("", value.as_object().unwrap(), &mut facts);
        facts
    }

    #[test]
    fn two_mounts_of_one_volume_are_two_facts() {
        let facts = facts(&json!({"volumeMounts": [
            {"name": "nfs", "mountPath": "/data", "subPath": "data"},
            {"name": "nfs", "mountPath": "/out"},
        ]}));
        let names: Vec<_> = facts.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "volumeMounts[/data].name",
                "volumeMounts[/data].subPath",
                "volumeMounts[/out].name"
            ]
        );
    }

    #[test]
    fn an_empty_volume_is_a_fact_and_empty_resources_are_none() {
        let facts = facts(&json!({"volumes": [{"name": "a", "emptyDir": {}}], "resources": {}}));
        assert_eq!(
            facts,
            Facts::from([("volumes[a].emptyDir".to_owned(), json!({}))])
        );
    }

    #[test]
    fn an_unknown_field_is_a_fact() {
        let facts = facts(&json!({"brandNew": {"deep": [1, {"x": null}]}}));
        assert_eq!(facts["brandNew.deep"], json!([1, {"x": null}]));
    }

    #[test]
    fn order_and_repetition_of_tolerations_say_nothing() {
        let (a, b) = (json!({"key": "a"}), json!({"key": "b"}));
        assert_eq!(
            facts(&json!({"tolerations": [a, b]})),
            facts(&json!({"tolerations": [b, a]}))
        );
        assert_eq!(
            facts(&json!({"tolerations": [a, b]})),
            facts(&json!({"tolerations": [a, b, a]}))
        );
        assert_ne!(
            facts(&json!({"tolerations": [a, b]})),
            facts(&json!({"tolerations": [a, a]}))
        );
    }

    #[test]
    fn one_port_by_two_protocols_is_two_facts() {
        let facts = facts(&json!({"ports": [
            {"containerPort": 53, "protocol": "UDP", "name": "dns"}, {"containerPort": 53},
        ]}));
        assert_eq!(facts["ports[53/UDP].name"], "dns");
        assert_eq!(facts["ports[53/TCP]"], json!({}));
    }
}
