//! What goes out: objects as YAML that kubectl reads back with the same types, or as JSON.

pub mod tree;

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::api::yaml::{Comment, to_yaml, to_yaml_with};

/// How objects are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Format {
    /// Documents that are set apart by `---`.
    #[default]
    Yaml,
    /// One object as itself, several as a `kind: List`.
    Json,
}

impl Format {
    /// The extension of files in this format.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
        }
    }

    /// Writes one object, with a line end.
    ///
    /// # Errors
    /// When `object` has keys that are no strings.
    pub fn write(self, object: &impl Serialize) -> anyhow::Result<String> {
        self.write_with(object, &[])
    }

    /// The same with `comments`, which JSON has no place for.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_with(
        self,
        object: &impl Serialize,
        comments: &[Comment],
    ) -> anyhow::Result<String> {
        match self {
            Self::Yaml => Ok(to_yaml_with(object, comments)?),
            Self::Json => Ok(serde_json::to_string_pretty(object)? + "\n"),
        }
    }
}

/// Writes YAML.
///
/// # Errors
/// When `object` can't be said in YAML.
pub fn yaml(object: &impl Serialize) -> anyhow::Result<String> {
    Ok(to_yaml(object)?)
}

/// Objects one after the other, as one stream.
pub struct Stream<W> {
    out: W,
    format: Format,
    written: usize,
    /// JSON only: the first object, until it is known whether there are more.
    first: Option<String>,
    /// YAML only: whether the last document ended with a line end.
    ended: bool,
}

const LIST: &str = "{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"List\",\n  \"items\": [\n";

impl<W: Write> Stream<W> {
    /// A stream that writes to `out`.
    pub fn new(out: W, format: Format) -> Self {
        Self {
            out,
            format,
            written: 0,
            first: None,
            ended: true,
        }
    }

    /// Adds one object that is written in the stream's format already.
    ///
    /// # Errors
    /// When writing fails.
    pub fn push(&mut self, object: &str) -> io::Result<()> {
        match self.format {
            Format::Yaml => self.push_yaml(object)?,
            Format::Json => match (self.written, self.first.take()) {
                (0, _) => self.first = Some(object.to_owned()),
                (_, Some(first)) => {
                    self.out.write_all(LIST.as_bytes())?;
                    self.item(&first)?;
                    self.out.write_all(b",\n")?;
                    self.item(object)?;
                }
                (_, None) => {
                    self.out.write_all(b",\n")?;
                    self.item(object)?;
                }
            },
        }
        self.written += 1;
        Ok(())
    }

    fn push_yaml(&mut self, document: &str) -> io::Result<()> {
        if !self.ended {
            self.out.write_all(b"\n")?;
        }
        if self.written > 0 {
            // A document that brings its own marker needs none, and directives may stand only after an end.
            match document.as_bytes() {
                [b'-', b'-', b'-', ..] => {}
                [b'%', ..] => self.out.write_all(b"...\n")?,
                _ => self.out.write_all(b"---\n")?,
            }
        }
        self.ended = document.ends_with('\n');
        self.out.write_all(document.as_bytes())
    }

    /// An item of the list, indented. Strings hold no line ends in JSON, so that every line is one of structure.
    fn item(&mut self, object: &str) -> io::Result<()> {
        for (index, line) in object.lines().enumerate() {
            let gap = if index > 0 { "\n" } else { "" };
            write!(self.out, "{gap}    {line}")?;
        }
        Ok(())
    }

    /// Ends the stream; how many objects it holds.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(mut self) -> io::Result<usize> {
        match (self.format, self.first.take()) {
            (Format::Json, Some(only)) => self.out.write_all(only.as_bytes())?,
            (Format::Json, None) if self.written > 0 => self.out.write_all(b"\n  ]\n}\n")?,
            _ => {}
        }
        Ok(self.written)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::cli::input::parse;
    use crate::cli::input::split::documents;

    fn stream(format: Format, objects: &[&str]) -> String {
        let mut text = Vec::new();
        let mut stream = Stream::new(&mut text, format);
        for object in objects {
            stream.push(object).expect("written");
        }
        stream.finish().expect("written");
        String::from_utf8(text).expect("UTF-8")
    }

    fn read_back(text: &str) -> Value {
        let documents = documents(text);
        assert_eq!(documents.len(), 1, "{text}");
        parse::values(&documents[0]).expect("readable").remove(0)
    }

    #[test]
    fn sets_documents_apart() {
        assert_eq!(
            stream(Format::Yaml, &["a: 1\n", "b: 2", "--- # c\nc: 3\n"]),
            "a: 1\n---\nb: 2\n--- # c\nc: 3\n"
        );
        assert_eq!(stream(Format::Yaml, &[]), "");
    }

    #[test]
    fn prints_one_json_object_as_itself_and_several_as_a_list() {
        assert_eq!(stream(Format::Json, &["{}\n"]), "{}\n");
        let three = stream(Format::Json, &["{\n  \"a\": 1\n}\n", "{}\n", "{}\n"]);
        let list: Value = serde_json::from_str(&three).expect("JSON");
        assert_eq!(
            list,
            json!({"apiVersion": "v1", "kind": "List", "items": [{"a": 1}, {}, {}]})
        );
    }

    #[test]
    fn writes_strings_that_stay_strings() {
        let table = include_str!("../../tests/fixtures/strings.json");
        let strings: Vec<String> = serde_json::from_str(table).expect("a list of strings");
        assert!(strings.len() > 100);
        for string in strings {
            let object = json!({"value": string, "list": [string], "deep": {"list": [{"value": string}]}, "keys": key(&string)});
            let text = yaml(&object).expect("written");
            assert_eq!(read_back(&text), object, "{text}");
        }
    }

    /// A map with this key; YAML keys have no more than 1024 characters.
    fn key(string: &str) -> Value {
        let key: String = string.chars().take(200).collect();
        json!({key: 1})
    }

    #[test]
    fn writes_scripts_as_blocks() {
        let text = yaml(&json!({"args": ["set -e\npython train.py\n"]})).expect("written");
        assert_eq!(text, "args:\n- |\n  set -e\n  python train.py\n");
    }

    #[test]
    fn quotes_a_text_that_begins_with_a_tab() {
        for script in ["\ta\nb\n", "\n\n\ta\nb"] {
            let text = yaml(&json!({"args": [script]})).expect("written");
            assert!(!text.contains(['|', '\t']), "{text}");
        }
        let text = yaml(&json!({"args": ["a:\n\tb\n"]})).expect("written");
        assert_eq!(text, "args:\n- |\n  a:\n  \tb\n");
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9_f64).prop_map(|float| json!(float.trunc() + 0.5)),
            any::<String>().prop_map(Value::from),
            "[ -~]{0,12}".prop_map(Value::from),
            "([-0-9.:eExo_+ #'\"|>\n\t]|true|no|~){0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[ -~]{0,8}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_back_what_it_wrote(value in any_value()) {
            let object = json!({"spec": value});
            let text = yaml(&object).expect("written");
            prop_assert_eq!(read_back(&text), object, "{}", text);
        }
    }
}
