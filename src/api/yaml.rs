//! YAML as kubectl reads it: strings come back as strings.

mod tree;

use serde::Serialize;

use tree::{Commented, Node};

/// A few words beside one line of the output.
#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    /// Path of the scalar that it is about (`spec.trainer.env[3].value`). A comment about anything else isn't written.
    pub at: String,
    /// The words, in one line of ASCII.
    pub text: String,
}

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

/// The same with comments: `backoffLimit: 2147483647 # v1: backoffLimit unset = unlimited`. One that would make its line
/// too long to read is left out.
///
/// # Errors
/// As [`to_yaml`].
pub fn to_yaml_with(
    object: &impl Serialize,
    comments: &[Comment],
) -> Result<String, serde_saphyr::SerializeError> {
    // Through JSON: its parser tells fields in the order in which they are written.
    let node = serde_json::to_string(object)
        .and_then(|text| serde_json::from_str::<Node>(&text))
        .ok()
        .filter(|_| !comments.is_empty());
    match node {
        Some(node) => to_yaml(&Commented::new(&node, comments)),
        None => to_yaml(object),
    }
}

/// kubectl's parser takes such a tab for indentation, and refuses it (go-yaml 2.4). Blocks are the only place where a
/// tab is written as such.
fn has_block_that_begins_with_a_tab(text: &str) -> bool {
    let mut opened = false;
    text.lines().any(|line| {
        let content = line.trim_start_matches(' ');
        let found = opened && content.starts_with('\t');
        // Keys and comments may have a sign of a comment in them; a quotation too many does no harm.
        let ends = line.match_indices(" # ").map(|(end, _)| &line[..end]);
        let is_header = ends
            .chain([line])
            .any(|text| text.ends_with(['|', '-', '+']));
        // Empty lines may come before the first one that counts.
        opened = is_header || (opened && content.is_empty());
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

    fn commented(object: &impl Serialize, comments: &[(&str, &str)]) -> String {
        let comment = |(at, text): &(&str, &str)| Comment {
            at: (*at).to_owned(),
            text: (*text).to_owned(),
        };
        let comments: Vec<_> = comments.iter().map(comment).collect();
        to_yaml_with(object, &comments).unwrap()
    }

    #[test]
    fn comments_stand_beside_scalars_and_heads_of_blocks() {
        let object = json!({"a": {"b": [{"c": 1, "d": "x"}, "one\ntwo\n"]}, "e": {}});
        let comments = [
            ("a.b[0].d", "v1: y"),
            ("a.b[1]", "v1: three"),
            ("a.b", "of a list"),
            ("a.b[0].dd", "of nothing"),
            ("e", "of an object"),
        ];
        assert_eq!(
            commented(&object, &comments),
            "a:\n  b:\n  - c: 1\n    d: x # v1: y\n  - | # v1: three\n    one\n    two\ne: {}\n"
        );
    }

    #[test]
    fn a_comment_that_makes_its_line_too_long_is_left_out() {
        // `- a: `, and quotes that a text may need, and ` # 12345`.
        let object = |length: usize| json!({"list": [{"a": "x".repeat(length)}]});
        let line = |length| commented(&object(length), &[("list[0].a", "12345")]);
        assert!(line(105).contains(" # 12345"));
        assert!(!line(106).contains('#'));
    }

    #[test]
    fn a_block_that_begins_with_a_tab_is_quoted_beside_a_comment_as_well() {
        let makefile = json!({"script": "\tall:\n"});
        assert_eq!(
            commented(&makefile, &[("script", "v1: none")]),
            "script: \"\\tall:\\n\" # v1: none\n"
        );
        let odd_key = json!({"a # b": "\tall:\n"});
        assert_eq!(
            commented(&odd_key, &[("a # b", "v1: # |")]),
            "\"a # b\": \"\\tall:\\n\" # v1: # |\n"
        );
    }

    #[test]
    fn fields_keep_their_order() {
        #[derive(Serialize)]
        struct Object {
            b: i32,
            a: Option<bool>,
        }
        let object = Object { b: 1, a: None };
        let text = commented(&object, &[("b", "v1: 2")]);
        assert_eq!(text, "b: 1 # v1: 2\na: null\n");
    }
}
