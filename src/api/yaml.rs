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
    if !has_block_that_begins_with_a_tab(&text) {
        return Ok(text);
    }
    let quoted =
        serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX, prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(object, quoted)
}

/// kubectl's parser takes such a tab for indentation, and refuses it (go-yaml 2.4). Blocks are the only place where a
/// tab is written as such.
fn has_block_that_begins_with_a_tab(text: &str) -> bool {
    let mut opened = false;
    text.lines().any(|line| {
        let content = line.trim_start_matches(' ');
        let found = opened && content.starts_with('\t');
        // Empty lines may come before the first one that counts.
        opened = line.ends_with(['|', '-', '+']) || (opened && content.is_empty());
        found
    })
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
