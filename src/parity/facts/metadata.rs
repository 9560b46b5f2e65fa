//! What users put on the job itself: its name, labels and annotations.

use serde_json::Value;

use super::{NAME, flatten};
use crate::api::meta::LAST_APPLIED;
use crate::parity::Facts;

/// Adds the facts about `job`'s metadata. Where the API server has yet to make its name up, it is the one that its objects
/// have from it: `made`.
pub fn add(job: &Value, made: &Value, facts: &mut Facts) {
    let metadata = &job["metadata"];
    if let Some(name) = metadata["name"].as_str().or(made.as_str()) {
        facts.insert(NAME.to_owned(), Value::from(name));
    }
    flatten::entries("labels", &metadata["labels"], facts);
    let mut annotations = metadata["annotations"].clone();
    if let Some(annotations) = annotations.as_object_mut() {
        // A copy of the object as it was applied, which is another kind of object by nature.
        annotations.remove(LAST_APPLIED);
    }
    flatten::entries("annotations", &annotations, facts);
}
