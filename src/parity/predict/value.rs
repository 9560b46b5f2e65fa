//! Objects that somebody else wrote, of whatever shape: what isn't there is empty, and what must be there is made.

use serde_json::{Value, json};

/// The list `key` of `object`; empty if there is none.
pub(super) fn list<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The list `key` of `object`; a new one if there is none.
pub(super) fn list_mut<'a>(object: &'a mut Value, key: &str) -> Option<&'a mut Vec<Value>> {
    let field = field_mut(object, key);
    if !field.is_array() {
        *field = json!([]);
    }
    field.as_array_mut()
}

/// The field `key` of `object`; null if there is none.
pub(super) fn field_mut<'a>(object: &'a mut Value, key: &str) -> &'a mut Value {
    if !object.is_object() {
        *object = json!({});
    }
    &mut object[key]
}

/// The field at the end of `keys`.
pub(super) fn path_mut<'a>(object: &'a mut Value, keys: &[&str]) -> &'a mut Value {
    keys.iter()
        .fold(object, |object, key| field_mut(object, key))
}

/// The text at a JSON pointer; empty if there is none.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The number at a JSON pointer.
pub(super) fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}
