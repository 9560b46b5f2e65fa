//! JSON that keeps the order of its fields, written with comments beside its scalars.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::Number;

use super::Comment;

/// Longest line that a comment makes.
const MAX_LINE: usize = 120;

/// A value.
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Number::from_f64(value).map_or(Node::Null, Node::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(field) = fields.next_entry()? {
            map.push(field);
        }
        Ok(Node::Map(map))
    }
}

/// A value with the comments that belong into it.
pub(super) struct Commented<'a> {
    node: &'a Node,
    /// What is left of each path to go down from here, with the comment's text.
    comments: Vec<(&'a str, &'a str)>,
    /// Columns that are used before the value.
    column: usize,
    /// Columns by which the fields of this value are indented.
    indent: usize,
}

impl<'a> Commented<'a> {
    pub(super) fn new(node: &'a Node, comments: &'a [Comment]) -> Self {
        let comments = comments
            .iter()
            .map(|comment| (comment.at.as_str(), comment.text.as_str()))
            .collect();
        Self {
            node,
            comments,
            column: 0,
            indent: 0,
        }
    }

    fn field(&self, key: &str, node: &'a Node) -> Self {
        let below = |path: &'a str| {
            let rest = path.strip_prefix('.').unwrap_or(path).strip_prefix(key)?;
            (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
        };
        // A list's items stand right below its key, and their fields two columns further.
        self.below(node, below, self.indent + key.len() + 2)
    }

    fn item(&self, index: usize, node: &'a Node) -> Self {
        let step = format!("[{index}]");
        let mut item = self.below(node, |path| path.strip_prefix(step.as_str()), self.indent);
        item.indent = self.indent;
        item
    }

    fn below(
        &self,
        node: &'a Node,
        below: impl Fn(&'a str) -> Option<&'a str>,
        column: usize,
    ) -> Self {
        let inside = |(path, text): &(&'a str, &'a str)| Some((below(path)?, *text));
        Self {
            node,
            comments: self.comments.iter().filter_map(inside).collect(),
            column,
            indent: self.indent + 2,
        }
    }

    /// The comment on this very scalar, if its line has room for it.
    fn comment(&self, length: usize) -> Option<&'a str> {
        let (_, text) = self.comments.iter().find(|(path, _)| path.is_empty())?;
        (self.column + length + " # ".len() + text.len() <= MAX_LINE).then_some(text)
    }

    fn scalar<S: Serializer>(
        &self,
        value: &impl Serialize,
        length: usize,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match self.comment(length) {
            Some(text) => serde_saphyr::Commented(value, text.to_owned()).serialize(serializer),
            None => value.serialize(serializer),
        }
    }
}

impl Serialize for Commented<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.node {
            Node::Null => serializer.serialize_unit(),
            Node::Bool(value) => self.scalar(value, 5, serializer),
            Node::Number(value) => self.scalar(value, value.to_string().len(), serializer),
            // Several lines are a block, whose first line is short; else quotes may be added.
            Node::String(value) => {
                let length = if value.contains('\n') {
                    2
                } else {
                    value.len() + 2
                };
                self.scalar(value, length, serializer)
            }
            Node::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for (index, item) in items.iter().enumerate() {
                    list.serialize_element(&self.item(index, item))?;
                }
                list.end()
            }
            Node::Map(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(key, &self.field(key, value))?;
                }
                map.end()
            }
        }
    }
}
