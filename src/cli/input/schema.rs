//! A value held against a structural schema: everything that is wrong with it, at once.
//!
//! The schema is the one of the CustomResourceDefinition, so that a file is read as the API server would read it, and more
//! strictly: a field that the schema doesn't know is wrong, and whoever mistyped it is told what he may have meant.

use serde_json::{Map, Value};

use super::near::near;
use super::time;
use crate::api::misfit::found;

/// Something wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Flaw {
    /// The steps to it.
    pub path: Vec<String>,
    /// Whether the key is wrong, and not what it holds.
    pub of_key: bool,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// What is wrong with `value`.
#[must_use]
pub fn flaws(value: &Value, schema: &Value) -> Vec<Flaw> {
    let mut check = Check {
        whole: schema,
        path: Vec::new(),
        flaws: Vec::new(),
    };
    check.value(value, schema);
    check.flaws
}

struct Check<'s> {
    whole: &'s Value,
    path: Vec<String>,
    flaws: Vec<Flaw>,
}

impl Check<'_> {
    fn add(&mut self, message: String, hint: Option<String>) {
        self.flaws.push(Flaw {
            path: self.path.clone(),
            of_key: false,
            message,
            hint,
        });
    }

    fn below(&mut self, step: &str, value: &Value, schema: &Value) {
        self.path.push(step.to_owned());
        self.value(value, schema);
        self.path.pop();
    }

    fn value(&mut self, value: &Value, schema: &Value) {
        if value.is_null() && schema["nullable"] == true {
            return;
        }
        match (schema["type"].as_str(), value) {
            (Some("object"), Value::Object(fields)) => self.object(fields, schema),
            (Some("array"), Value::Array(items)) => self.array(items, schema),
            (Some("string"), Value::String(text)) => self.string(text, schema),
            (Some("integer"), Value::Number(number)) if number.is_i64() => {
                self.integer(number.as_i64().unwrap_or_default(), schema);
            }
            (Some("boolean"), Value::Bool(_)) | (None, _) => {}
            (Some(wanted), _) => {
                let hint = match value {
                    Value::Bool(_) | Value::Number(_) if wanted == "string" => {
                        Some("put the value in quotes".to_owned())
                    }
                    _ => None,
                };
                let wanted = match wanted {
                    "object" => "a mapping",
                    "array" => "a list",
                    "string" => "a string",
                    "integer" => "an integer",
                    _ => "true or false",
                };
                self.add(format!("expected {wanted}, found {}", found(value)), hint);
            }
        }
    }

    fn object(&mut self, fields: &Map<String, Value>, schema: &Value) {
        let Some(known) = schema["properties"].as_object() else {
            let of_values = &schema["additionalProperties"];
            if of_values.is_object() {
                for (key, value) in fields {
                    self.below(key, value, of_values);
                }
            }
            return;
        };
        let mut meant = Vec::new();
        for (key, value) in fields {
            if let Some(of_field) = known.get(key) {
                self.below(key, value, of_field);
            } else {
                meant.extend(near(key, known.keys().map(String::as_str)));
                self.unknown(key, known);
            }
        }
        let required = schema["required"].as_array().into_iter().flatten();
        for key in required.filter_map(Value::as_str) {
            if !fields.contains_key(key) && !meant.contains(&key) {
                self.add(format!("{key} is missing"), None);
            }
        }
    }

    fn unknown(&mut self, key: &str, known: &Map<String, Value>) {
        let hint = if let Some(meant) = near(key, known.keys().map(String::as_str)) {
            format!("did you mean {meant}?")
        } else if let Some(home) = home(key, self.whole) {
            format!("{key} belongs in {home}")
        } else {
            let all: Vec<_> = known.keys().map(String::as_str).collect();
            format!("there are {}", all.join(", "))
        };
        let mut path = self.path.clone();
        path.push(key.to_owned());
        self.flaws.push(Flaw {
            path,
            of_key: true,
            message: "there is no such field".to_owned(),
            hint: Some(hint),
        });
    }

    fn array(&mut self, items: &[Value], schema: &Value) {
        for (index, item) in items.iter().enumerate() {
            self.below(&index.to_string(), item, &schema["items"]);
        }
        self.size(
            items.len(),
            ["minItems", "maxItems"],
            "entry",
            "entries",
            schema,
        );
    }

    fn string(&mut self, text: &str, schema: &Value) {
        let choices: Vec<_> = schema["enum"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if !choices.is_empty() && !choices.contains(&text) {
            let hint =
                near(text, choices.iter().copied()).map(|meant| format!("did you mean {meant}?"));
            self.add(format!("{text:?} is none of {}", choices.join(", ")), hint);
        }
        if schema["format"] == "date-time"
            && let Err(error) = time::parse(text)
        {
            self.add(error, None);
        }
        let length = text.chars().count();
        self.size(
            length,
            ["minLength", "maxLength"],
            "character",
            "characters",
            schema,
        );
    }

    fn integer(&mut self, number: i64, schema: &Value) {
        // Limits are written as floats, all of which are integers that a float can hold.
        let beyond = |limit: &str, is_beyond: fn(f64, f64) -> bool| {
            let limit = schema[limit].as_f64()?;
            #[expect(clippy::cast_precision_loss, reason = "limits are far below")]
            is_beyond(number as f64, limit).then_some(limit)
        };
        if let Some(least) = beyond("minimum", |number, limit| number < limit) {
            self.add(format!("{number} is less than {least}"), None);
        }
        if let Some(most) = beyond("maximum", |number, limit| number > limit) {
            self.add(format!("{number} is more than {most}"), None);
        }
    }

    fn size(&mut self, size: usize, limits: [&str; 2], one: &str, many: &str, schema: &Value) {
        let limit = |name: &str| {
            let limit = schema[name].as_u64()?;
            usize::try_from(limit).ok()
        };
        let words = |number| if number == 1 { one } else { many };
        let [least, most] = limits.map(limit);
        if let Some(least) = least.filter(|least| size < *least) {
            let wanted = words(least);
            self.add(
                format!(
                    "has {size} {}, and needs at least {least} {wanted}",
                    words(size)
                ),
                None,
            );
        }
        if let Some(most) = most.filter(|most| size > *most) {
            self.add(format!("has {size} {many}, more than {most}"), None);
        }
    }
}

/// Where a field of this name is known.
fn home(key: &str, schema: &Value) -> Option<String> {
    fn search(key: &str, at: &str, schema: &Value) -> Option<String> {
        let items = schema
            .get("items")
            .and_then(|items| search(key, &format!("{at}[]"), items));
        items.or_else(|| {
            let known = schema["properties"].as_object()?;
            if known.contains_key(key) && !at.is_empty() {
                return Some(at.to_owned());
            }
            known
                .iter()
                .filter(|(name, _)| *name != "status")
                .find_map(|(name, schema)| {
                    let at = if at.is_empty() {
                        name.clone()
                    } else {
                        format!("{at}.{name}")
                    };
                    search(key, &at, schema)
                })
        })
    }
    search(key, "", schema)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::input::path::path;

    fn told(value: &Value) -> Vec<String> {
        let schema = json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string", "minLength": 1},
            "mode": {"type": "string", "enum": ["Warn", "Deny"]},
            "until": {"type": "string", "format": "date-time", "nullable": true},
            "rank": {"type": "integer", "maximum": 10.0},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "list": {"type": "array", "maxItems": 1, "items": {"type": "object", "properties": {"deep": {"type": "string"}}}},
        }});
        let text = |flaw: Flaw| {
            let hint = flaw.hint.map(|hint| format!("; {hint}"));
            format!(
                "{}: {}{}",
                path(&flaw.path),
                flaw.message,
                hint.unwrap_or_default()
            )
        };
        flaws(value, &schema).into_iter().map(text).collect()
    }

    #[test]
    fn says_everything_that_is_wrong() {
        let value = json!({"name": "", "mod": 1, "mode": "denny", "until": "2027-02-01", "rank": 11,
            "labels": {"a.b/c": true}, "list": [{"deep": 1}, {}], "deep": ""});
        assert_eq!(
            told(&value),
            [
                "deep: there is no such field; deep belongs in list[]",
                "labels[a.b/c]: expected a string, found the boolean true; put the value in quotes",
                "list[0].deep: expected a string, found the number 1; put the value in quotes",
                "list: has 2 entries, more than 1",
                "mod: there is no such field; did you mean mode?",
                "mode: \"denny\" is none of Warn, Deny; did you mean Deny?",
                "name: has 0 characters, and needs at least 1 character",
                "rank: 11 is more than 10",
                "until: \"2027-02-01\" has neither time nor zone; write 2027-02-01T00:00:00Z",
            ]
        );
        assert_eq!(told(&json!({"until": null})), [": name is missing"]);
        assert_eq!(told(&json!([])), [": expected a mapping, found a list"]);
    }
}
