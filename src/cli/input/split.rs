//! A stream of YAML documents, taken apart as text, so that what passes through keeps every byte.

/// One document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Document<'a> {
    /// Its text. Begins with `---` if something stands on the marker's own line, or with `%` if it has directives.
    pub text: &'a str,
    /// The line of the file on which the text begins, from 1.
    pub line: usize,
}

/// The documents of `text` that hold more than comments. A line that starts with `---` always is a marker: inside a
/// document such a line could only stand in a block scalar, which is indented.
#[must_use]
pub fn documents(text: &str) -> Vec<Document<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut documents = Vec::new();
    let mut current = Document { text: "", line: 1 };
    let mut start = 0;
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if let Some(rest) = marker(line) {
            let before = &text[start..offset];
            // Directives belong to the document whose marker follows them.
            if !is_prologue(before) {
                documents.push(Document {
                    text: before,
                    ..current
                });
                let inline = !rest.trim().is_empty();
                start = if inline { offset } else { offset + line.len() };
                current.line = if inline { index + 1 } else { index + 2 };
            }
        }
        offset += line.len();
    }
    documents.push(Document {
        text: &text[start..],
        ..current
    });
    documents.retain(|document| !is_empty(document.text));
    documents
}

/// What follows the marker, if the line is one.
fn marker(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("---")?;
    (rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n'])).then_some(rest)
}

fn is_prologue(text: &str) -> bool {
    text.lines().any(|line| line.starts_with('%'))
        && text
            .lines()
            .all(|line| line.starts_with('%') || is_blank(line))
}

fn is_empty(text: &str) -> bool {
    text.lines().all(|line| {
        let line = marker(line).unwrap_or(line);
        is_blank(line) || line.trim_end() == "..."
    })
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<(&str, usize)> {
        documents(text)
            .into_iter()
            .map(|document| (document.text, document.line))
            .collect()
    }

    #[test]
    fn keeps_every_byte_between_markers() {
        let text = "# a\na: 1\n---\n\nb: 2 # b\n";
        assert_eq!(split(text), [("# a\na: 1\n", 1), ("\nb: 2 # b\n", 4)]);
    }

    #[test]
    fn skips_documents_of_comments() {
        assert_eq!(
            split("---\n# only\n---\n---\na: 1\n---\n...\n"),
            [("a: 1\n", 5)]
        );
        assert!(split("").is_empty());
    }

    #[test]
    fn keeps_what_stands_on_the_line_of_the_marker() {
        assert_eq!(
            split("--- # one\na: 1\n--- {b: 2}\n"),
            [("--- # one\na: 1\n", 1), ("--- {b: 2}\n", 3)]
        );
    }

    #[test]
    fn keeps_directives_with_their_document() {
        assert_eq!(
            split("%YAML 1.1\n---\na: 1\n---\nb: 2\n"),
            [("%YAML 1.1\n---\na: 1\n", 1), ("b: 2\n", 5)]
        );
    }

    #[test]
    fn takes_windows_line_ends_and_a_byte_order_mark() {
        assert_eq!(
            split("\u{feff}a: 1\r\n---\r\nb: 2\r\n"),
            [("a: 1\r\n", 1), ("b: 2\r\n", 3)]
        );
    }

    #[test]
    fn leaves_a_longer_run_of_dashes_alone() {
        assert_eq!(split("---a: 1\n").len(), 1);
        assert_eq!(split("a: |\n  ---\n  b\n").len(), 1);
    }
}
