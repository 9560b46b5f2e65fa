//! YAML as kubectl reads it: strings come back as strings.

use serde::Serialize;

/// Writes `object` as one YAML document that ends in a newline. Strings that any YAML 1.1 parser would take for something
/// else are quoted, several lines are a block (`|`), and long lines stay one line.
///
/// # Errors
/// When `object` has no YAML form, which none of Kubernetes' objects is.
pub fn to_yaml(object: &impl Serialize) -> Result<String, serde_saphyr::SerializeError> {
    let blocks = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    let text = serde_saphyr::to_string_with_options(object, blocks)?;
    if !text
        .lines()
        .any(|line| line.trim_start_matches(' ').starts_with('\t'))
    {
        return Ok(text);
    }
    // kubectl's parser takes a tab at the start of a block for indentation, and fails.
    let quoted =
        serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX, prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(object, quoted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn several_lines_are_a_block_unless_one_starts_with_a_tab() {
        let script = json!({"script": "set -e\npython train.py\n"});
        assert_eq!(
            to_yaml(&script).unwrap(),
            "script: |\n  set -e\n  python train.py\n"
        );
        let makefile = json!({"script": "\tall:\n"});
        assert_eq!(to_yaml(&makefile).unwrap(), "script: \"\\tall:\\n\"\n");
    }
}
