//! YAML as kubectl reads it: strings come back as strings.

use serde::Serialize;

/// Writes `object` as one YAML document that ends in a newline. Strings that any YAML 1.1 parser would take for something
/// else are quoted, several lines are a block (`|`), and long lines stay one line.
///
/// # Errors
/// When `object` has no YAML form, which none of Kubernetes' objects is.
pub fn to_yaml(object: &impl Serialize) -> Result<String, serde_saphyr::SerializeError> {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    serde_saphyr::to_string_with_options(object, options)
}
