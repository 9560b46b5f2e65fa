//! The environment of a container, as the kubelet makes it (kubernetes v1.36.3 `pkg/kubelet/kubelet_pods.go`,
//! `makeEnvironmentVariables`, and `third_party/forked/golang/expansion`).
//!
//! What only the kubelet could know stays a reference: a Secret's value, an address. Variables of Services are not in the
//! pod, and are left out.

use std::collections::BTreeMap;

use serde_json::Value;

/// Variables by name: a text, or the reference that stands for a value that isn't known. In a text, `<...>` stands for a part
/// that isn't known.
pub type Environment = BTreeMap<String, Value>;

/// The variables of `container`, a container of `pod`. Of two with one name the last counts; `$(NAME)` refers to what was
/// set before.
#[must_use]
pub fn resolve(container: &Value, pod: &Value) -> Environment {
    let mut known = Environment::new();
    for variable in items(container, "env") {
        let Some(name) = variable["name"].as_str() else {
            continue;
        };
        let value = match variable["value"].as_str().filter(|text| !text.is_empty()) {
            Some(text) => Value::from(expand(text, &known)),
            None => source(&variable["valueFrom"], pod),
        };
        known.insert(name.to_owned(), value);
    }
    known
}

/// The variables that a probe's command may refer to: literal values as they are written, and nothing for the others
/// (`pkg/kubelet/container/helpers.go`, `ExpandContainerCommandOnlyStatic`).
#[must_use]
pub fn literals(container: &Value) -> Environment {
    let literal = |variable: &Value| {
        let value = variable["value"].as_str().unwrap_or_default();
        Some((variable["name"].as_str()?.to_owned(), Value::from(value)))
    };
    items(container, "env").filter_map(literal).collect()
}

fn items<'v>(container: &'v Value, list: &str) -> impl Iterator<Item = &'v Value> {
    container[list].as_array().into_iter().flatten()
}

fn source(from: &Value, pod: &Value) -> Value {
    match from {
        Value::Null => Value::from(""),
        _ => match from["fieldRef"]["fieldPath"].as_str() {
            Some(path) => Value::from(pod_field(path, pod)),
            None => from.clone(),
        },
    }
}

/// The field `path` of `pod`, as the downward API shows it. What each pod has otherwise by nature stays `<path>`.
#[must_use]
pub fn pod_field(path: &str, pod: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let subscript = path
        .strip_suffix("']")
        .and_then(|path| path.split_once("['"));
    match (path, subscript) {
        (_, Some(("metadata.labels", key))) => text(&pod["metadata"]["labels"][key]),
        (_, Some(("metadata.annotations", key))) => text(&pod["metadata"]["annotations"][key]),
        ("metadata.name", _) => text(&pod["metadata"]["name"]),
        ("spec.serviceAccountName", _) => text(&pod["spec"]["serviceAccountName"]),
        _ => format!("<{path}>"),
    }
}

/// Puts values in place of `$(NAME)`. A name that isn't known stays; `$$` is one sign that refers to nothing.
#[must_use]
pub fn expand(text: &str, known: &Environment) -> String {
    let mut new = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = rest.find('$') {
        let (before, from) = rest.split_at(found);
        new.push_str(before);
        let after = &from[1..];
        let name = after
            .strip_prefix('(')
            .and_then(|tail| tail.split_once(')'));
        rest = if let Some((name, tail)) = name {
            match known.get(name) {
                Some(Value::String(value)) => new.push_str(value),
                Some(reference) => new.extend(["<", &reference.to_string(), ">"]),
                None => new.extend(["$(", name, ")"]),
            }
            tail
        } else {
            // The sign and whatever follows it are passed on together, so that `$$(NAME)` refers to nothing.
            let next = after.chars().next();
            new.push('$');
            new.extend(next.filter(|next| *next != '$'));
            &after[next.map_or(0, char::len_utf8)..]
        };
    }
    new.push_str(rest);
    new
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("$(A)", "1")]
    #[case("x$(A)y$(A)", "x1y1")]
    #[case("$(B)", "$(B)")]
    #[case("$$(A)", "$(A)")]
    #[case("$$$(A)", "$1")]
    #[case("$$$$(A)", "$$(A)")]
    #[case("$(A", "$(A")]
    #[case("$()", "$()")]
    #[case("$A $", "$A $")]
    #[case("$é$(A)", "$é1")]
    #[case("$(A$(A))", "$(A$(A))")]
    #[case("$(SECRET)", r#"<{"secretKeyRef":{"key":"k","name":"s"}}>"#)]
    fn references_are_replaced_as_the_kubelet_does(#[case] text: &str, #[case] expected: &str) {
        let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
        let known =
            Environment::from([("A".to_owned(), json!("1")), ("SECRET".to_owned(), secret)]);
        assert_eq!(expand(text, &known), expected);
    }

    #[test]
    fn the_last_of_two_counts_and_earlier_ones_are_referred_to() {
        let container = json!({"env": [
            {"name": "LATER", "value": "$(A)"},
            {"name": "A", "value": "1"},
            {"name": "B", "value": "$(A)"},
            {"name": "A", "value": "$(A)2"},
            {"name": "EMPTY"},
        ]});
        let env = resolve(&container, &Value::Null);
        assert_eq!(
            json!(env),
            json!({"LATER": "$(A)", "A": "12", "B": "1", "EMPTY": ""})
        );
    }

    #[test]
    fn fields_of_the_pod_are_read() {
        let pod = json!({"metadata": {"name": "p", "namespace": "n", "labels": {"l/x": "1"}, "annotations": {"a.b/c": "2"}},
            "spec": {"serviceAccountName": "sa"}});
        for (path, expected) in [
            ("metadata.name", "p"),
            ("metadata.namespace", "<metadata.namespace>"),
            ("metadata.labels['l/x']", "1"),
            ("metadata.labels['none']", ""),
            ("metadata.annotations['a.b/c']", "2"),
            ("spec.serviceAccountName", "sa"),
            ("status.podIP", "<status.podIP>"),
        ] {
            assert_eq!(pod_field(path, &pod), expected);
        }
    }

    #[test]
    fn a_probe_sees_literal_values_only() {
        let container = json!({"env": [
            {"name": "A", "value": "$(B)"}, {"name": "RANK", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ]});
        let env = literals(&container);
        assert_eq!(expand("$(A) [$(RANK)] $(C)", &env), "$(B) [] $(C)");
    }
}
