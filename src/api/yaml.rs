//! YAML as kubectl reads it: strings come back as strings.

use serde::Serialize;

/// Writes `object` as one YAML document that ends in a newline.
///
/// # Errors
/// When `object` has no YAML form, which none of Kubernetes' objects is.
pub fn to_yaml(object: &impl Serialize) -> Result<String, serde_saphyr::SerializeError> {
    serde_saphyr::to_string(object)
}
