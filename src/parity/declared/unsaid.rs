//! What v2 has where the runtime that was asked for can't carry what v1 had: nothing, or what is there when nothing is said.

use serde_json::Value;

use super::{Scene, ending, pod, speaks, variable};
use crate::parity::compare::Difference;
use crate::parity::facts::{self, words};

/// Of the training container a runtime must say these by itself, and a job that has no room for its own gets them.
const OF_RUNTIME: [&str; 3] = [
    "containers[trainer].args",
    "containers[trainer].command",
    "containers[trainer].image",
];

/// Whether v2 says nothing there of its own.
pub fn is_unsaid(scene: &Scene, difference: &Difference) -> bool {
    let field = difference.field.as_str();
    let Some(v2) = &difference.v2 else {
        return true;
    };
    if field.starts_with("restart") {
        return is_restarted_in_place(scene, difference);
    }
    let image = scene.v2.get("containers[trainer].image");
    let is_default = || facts::of_unsaid(image).get(field) == Some(v2);
    OF_RUNTIME.contains(&field)
        || speaks::is_set_by_api_server(field)
        || is_fewer(difference.v1.as_ref(), v2)
        || is_default()
        || pod::taken_label(scene, difference)
        || is_of_torch_policy(scene, difference)
}

/// Whether a list has lost items, and no others came.
fn is_fewer(v1: Option<&Value>, v2: &Value) -> bool {
    let items = v1.and_then(Value::as_array).zip(v2.as_array());
    items.is_some_and(|(v1, v2)| v2.iter().all(|item| v1.contains(item)))
}

/// As a runtime restarts pods that says nothing of its own.
fn is_restarted_in_place(scene: &Scene, difference: &Difference) -> bool {
    let v2 = difference.v2_text();
    match difference.field.as_str() {
        "restartPolicy" => v2 == Some("OnFailure"),
        words::RESTART => v2 == Some(words::IN_PLACE),
        words::REPLACEMENT if scene.is_on_torch_policy() => v2 == Some(words::AT_ONCE),
        words::REPLACEMENT => v2 == Some(words::WHEN_ENDED),
        words::LIMIT if !scene.is_on_torch_policy() => v2 == Some(words::UNLIMITED),
        words::EVICTED if !scene.is_on_torch_policy() => v2 == Some(words::REPLACED),
        _ => ending::limit(scene, difference),
    }
}

/// Whether a variable of the job's own has the value that the torch policy gives it.
fn is_of_torch_policy(scene: &Scene, difference: &Difference) -> bool {
    let set = Difference {
        v1: None,
        ..difference.clone()
    };
    variable::torch_without_master(scene, &set)
}
