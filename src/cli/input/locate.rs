//! The line that a field stands on: a second look at the text, for error messages only.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::parse;
use super::split::Document;

/// The line of the file on which the value at `path` stands; none for what can't be followed, such as aliases.
pub(super) fn line(document: &Document<'_>, path: &[String]) -> Option<usize> {
    let found = serde_saphyr::with_deserializer_from_str_with_options(
        document.text,
        parse::options(),
        |deserializer| At(path).deserialize(deserializer),
    );
    let line = usize::try_from(found.ok()??).ok()?;
    (line > 0).then(|| document.line + line - 1)
}

/// The line of the value at the end of this path.
struct At<'a>(&'a [String]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Option<u64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.0.is_empty() {
            let here: Spanned<IgnoredAny> = serde::Deserialize::deserialize(deserializer)?;
            return Ok(Some(here.referenced.line()));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut line = None;
        while let Some(key) = map.next_key::<String>()? {
            // The last of equal keys counts.
            match self.0 {
                [first, rest @ ..] if *first == key => line = map.next_value_seed(At(rest))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(line)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let [first, rest @ ..] = self.0 else {
            return Ok(None);
        };
        let Ok(index) = first.parse::<usize>() else {
            return Ok(None);
        };
        for _ in 0..index {
            items.next_element::<IgnoredAny>()?;
        }
        let line = items.next_element_seed(At(rest))?.flatten();
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(line)
    }
}
