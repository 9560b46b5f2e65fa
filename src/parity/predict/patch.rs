//! Strategic merge of patches into pod templates, as Trainer merges overrides into a runtime
//! (apimachinery `pkg/util/strategicpatch`): maps key by key, some lists by a key of their items, other lists as a whole.

use serde_json::Value;

/// The lists of a pod template and of a `JobSet` that are merged by a key (tags `patchMergeKey` of k8s.io/api `core/v1` and
/// of jobset v0.12.0). All others, such as tolerations and arguments, are replaced.
const MERGE_KEYS: [(&str, &str); 16] = [
    ("containers", "name"),
    ("dependsOn", "name"),
    ("env", "name"),
    ("ephemeralContainers", "name"),
    ("hostAliases", "ip"),
    ("imagePullSecrets", "name"),
    ("initContainers", "name"),
    ("podIPs", "ip"),
    ("ports", "containerPort"),
    ("replicatedJobs", "name"),
    ("resourceClaims", "name"),
    ("schedulingGates", "name"),
    ("topologySpreadConstraints", "topologyKey"),
    ("volumeDevices", "devicePath"),
    ("volumeMounts", "mountPath"),
    ("volumes", "name"),
];

/// Merges `patch` into `target`.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let (Value::Object(fields), Value::Object(patches)) = (&mut *target, patch) else {
        target.clone_from(patch);
        return;
    };
    for (name, patch) in patches {
        let merge_key = MERGE_KEYS.into_iter().find(|(list, _)| list == name);
        match (fields.get_mut(name), patch, merge_key) {
            (_, Value::Null, _) => {
                fields.remove(name);
            }
            (Some(Value::Array(items)), Value::Array(patches), Some((_, key))) => {
                *items = merged(items, patches, key);
            }
            (Some(old), _, _) => merge(old, patch),
            (None, _, _) => {
                fields.insert(name.clone(), patch.clone());
            }
        }
    }
}

/// The items of both. Those that the patch names stand in its order, and the others as far in front of them as they stood.
fn merged(old: &[Value], patches: &[Value], key: &str) -> Vec<Value> {
    let same = |a: &Value, b: &Value| a.get(key) == b.get(key);
    let place = |item: &Value| old.iter().position(|other| same(item, other));
    let named = patches.iter().map(|patch| match place(patch) {
        Some(index) => {
            let mut item = old[index].clone();
            merge(&mut item, patch);
            item
        }
        None => patch.clone(),
    });
    let mut untouched = old
        .iter()
        .filter(|item| !patches.iter().any(|patch| same(item, patch)))
        .peekable();
    let mut all = Vec::with_capacity(old.len() + patches.len());
    for item in named {
        if let Some(index) = place(&item) {
            while let Some(earlier) =
                untouched.next_if(|item| place(item).is_some_and(|at| at < index))
            {
                all.push(earlier.clone());
            }
        }
        all.push(item);
    }
    all.extend(untouched.cloned());
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn after(mut target: Value, patch: &Value) -> Value {
        merge(&mut target, patch);
        target
    }

    #[test]
    fn merges_maps_by_key_and_takes_out_what_is_null() {
        let old = json!({"nodeSelector": {"a": "1", "b": "2"}, "hostIPC": true});
        let new = after(
            old,
            &json!({"nodeSelector": {"b": "3", "c": "4"}, "hostIPC": null}),
        );
        assert_eq!(new, json!({"nodeSelector": {"a": "1", "b": "3", "c": "4"}}));
    }

    #[test]
    fn replaces_tolerations_and_merges_containers() {
        let old =
            json!({"tolerations": [{"key": "a"}], "containers": [{"name": "node", "image": "i"}]});
        let patch = json!({
            "tolerations": [{"key": "b"}],
            "containers": [{"name": "node", "env": [{"name": "A"}]}],
        });
        let new = json!({
            "tolerations": [{"key": "b"}],
            "containers": [{"name": "node", "image": "i", "env": [{"name": "A"}]}],
        });
        assert_eq!(after(old, &patch), new);
    }

    #[test]
    fn new_items_stand_before_old_ones_that_the_patch_does_not_name() {
        let names = |names: &[&str]| -> Vec<Value> {
            names.iter().map(|name| json!({"name": name})).collect()
        };
        assert_eq!(
            merged(&names(&["a", "b", "c"]), &names(&["c", "x"]), "name"),
            names(&["a", "b", "c", "x"])
        );
        assert_eq!(
            merged(&names(&["a", "b"]), &names(&["x"]), "name"),
            names(&["x", "a", "b"])
        );
    }
}
