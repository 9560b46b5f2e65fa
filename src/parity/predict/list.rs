//! How Trainer writes into a list of the runtime: an item takes the place of the first that is the same, or comes last
//! (trainer v2.3.0 `pkg/apply/apply.go`).

use serde_json::Value;

/// Whether two items are the same one.
pub(super) type Same = fn(&Value, &Value) -> bool;

/// Puts each of `items` into `list`, one after the other.
pub(super) fn upsert(list: &mut Vec<Value>, items: &[Value], same: Same) {
    for item in items {
        match list.iter_mut().find(|old| same(old, item)) {
            Some(old) => old.clone_from(item),
            None => list.push(item.clone()),
        }
    }
}

/// Variables and volumes.
pub(super) fn by_name(a: &Value, b: &Value) -> bool {
    a.get("name") == b.get("name")
}

/// Volume mounts.
pub(super) fn by_mount_path(a: &Value, b: &Value) -> bool {
    a.get("mountPath") == b.get("mountPath")
}

/// Ports. Two without a name have the same one for Trainer, so that the later takes the earlier's place.
pub(super) fn by_port_or_name(a: &Value, b: &Value) -> bool {
    a.get("containerPort") == b.get("containerPort") || by_name(a, b)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_port_takes_the_place_of_another_without_a_name() {
        let mut ports = vec![
            json!({"containerPort": 1}),
            json!({"containerPort": 2, "name": "b"}),
        ];
        upsert(&mut ports, &[json!({"containerPort": 3})], by_port_or_name);
        assert_eq!(
            ports,
            [
                json!({"containerPort": 3}),
                json!({"containerPort": 2, "name": "b"})
            ]
        );
    }

    #[test]
    fn a_variable_set_twice_has_its_last_value_in_both_places() {
        let variables = [
            json!({"name": "A", "value": "1"}),
            json!({"name": "A", "value": "2"}),
        ];
        let mut list = variables.to_vec();
        upsert(&mut list, &variables, by_name);
        assert_eq!(list, [variables[1].clone(), variables[1].clone()]);
    }
}
