//! Where each field of a document stands, for messages that name line and column.

use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::parse;
use super::split::Document;

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// The places of a document's fields.
#[derive(Debug, Default)]
pub struct Places {
    root: Option<Spanned<Tree>>,
    /// The line of the file on which the document begins.
    line: usize,
}

impl Places {
    /// A second look at the text of a document that can be read.
    #[must_use]
    pub fn of(document: &Document<'_>) -> Self {
        Self {
            root: serde_saphyr::from_str_with_options(document.text, parse::options()).ok(),
            line: document.line,
        }
    }

    /// Where the field at the end of `path` stands: a scalar by its value, anything else by its key. Of a path that leads
    /// nowhere, the last step that is there.
    #[must_use]
    pub fn field(&self, path: &[String]) -> Option<Place> {
        let (key, value) = self.nearest(path)?;
        self.place(match (&value.value, key) {
            (Tree::Map(_) | Tree::List(_), Some(key)) => key.referenced,
            _ => value.referenced,
        })
    }

    /// Where the key at the end of `path` stands.
    #[must_use]
    pub fn key(&self, path: &[String]) -> Option<Place> {
        let (key, value) = self.nearest(path)?;
        self.place(key.map_or(value.referenced, |key| key.referenced))
    }

    fn nearest(&self, path: &[String]) -> Option<(Option<&Spanned<String>>, &Spanned<Tree>)> {
        let mut found = (None, self.root.as_ref()?);
        for step in path {
            let next = match &found.1.value {
                Tree::Map(fields) => fields
                    .iter()
                    .rev()
                    .find(|(key, _)| key.value == *step)
                    .map(|(key, value)| (Some(key), value)),
                Tree::List(items) => step
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| items.get(index))
                    .map(|item| (None, item)),
                Tree::Scalar => None,
            };
            match next {
                Some(next) => found = next,
                None => break,
            }
        }
        Some(found)
    }

    fn place(&self, location: Location) -> Option<Place> {
        let line = usize::try_from(location.line()).ok()?;
        let column = usize::try_from(location.column()).ok()?;
        (line > 0).then(|| Place {
            line: self.line + line - 1,
            column,
        })
    }
}

/// What a value is made of.
#[derive(Debug)]
enum Tree {
    Scalar,
    List(Vec<Spanned<Tree>>),
    Map(Vec<(Spanned<String>, Spanned<Tree>)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Builder)
    }
}

struct Builder;

impl<'de> Visitor<'de> for Builder {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<Tree, D::Error> {
        IgnoredAny::deserialize(value).map(|_| Tree::Scalar)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Tree::Map(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(path: &str) -> Vec<String> {
        path.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_field_stands_where_it_can_be_seen() {
        let text = "spec:\n  list:\n  - a: one\n    b: {c: two}\n";
        let places = Places::of(&Document { text, line: 10 });
        let field = |path: &str| {
            places
                .field(&steps(path))
                .map(|place| (place.line, place.column))
        };
        assert_eq!(field("spec list"), Some((11, 3)));
        assert_eq!(field("spec list 0"), Some((12, 5)));
        assert_eq!(field("spec list 0 a"), Some((12, 8)));
        assert_eq!(field("spec list 0 b c"), Some((13, 12)));
        assert_eq!(field("spec list 0 b missing deep"), Some((13, 5)));
        let key = places.key(&steps("spec list 0 a"));
        assert_eq!(key.map(|place| place.column), Some(5));
    }
}
