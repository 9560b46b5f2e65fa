//! Text to values, as kubectl does it: YAML becomes JSON first, and only then an object.
//!
//! kubectl's parser (sigs.k8s.io/yaml) follows YAML 1.1, and so does this: `on`, `yes` and `y` are booleans, `017` is
//! 15, `1_000` is 1000, of a key that stands twice the last one counts, and a number without a fraction is an integer
//! however it is written (`1.0`, `1e4`, `08`). Known differences, none of which a Kubernetes manifest should hold:
//! keys stay as written where kubectl writes `true` for `on:` and 15 for `017:`; underscores at odd places (`1_0.5`,
//! `7_`) make text (kubectl drops them); a number beyond all floats (`1e400`) is refused (kubectl: text); a scalar with
//! a tag of its own (`!x 5`) keeps the type that it looks like (kubectl: text); a second document after `...` without
//! `---` is refused (kubectl ignores it).

use serde_json::{Number, Value};
use serde_saphyr::Options;
use serde_saphyr::options::DuplicateKeyPolicy;

use super::Problem;
use super::places::Place;
use super::split::Document;
use crate::api::misfit::TEMPLATE_HINT;

/// Levels of nesting: twice what the deepest manifests have (a CRD's schema), and little enough for a thread's stack.
const MAX_DEPTH: usize = 64;
/// Values in one document: a List of everything in a large cluster fits.
const MAX_NODES: usize = 20_000_000;

/// How YAML is read. Aliases can add a million values at most, whatever they multiply to (the library's default).
#[must_use]
pub fn options() -> Options {
    options_with(DuplicateKeyPolicy::LastWins)
}

fn options_with(duplicate_keys: DuplicateKeyPolicy) -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 3 * MAX_NODES,
            max_total_scalar_bytes: super::files::MAX_BYTES,
        },
        duplicate_keys: duplicate_keys,
        emit_comments: false,
        legacy_octal_numbers: true,
        with_snippet: false,
    }
}

/// The values of a document: one, or several if it is JSON and they just follow each other.
///
/// # Errors
/// When it is neither JSON nor YAML, or too deep, or too large.
pub fn values(document: &Document<'_>) -> Result<Vec<Value>, Problem> {
    let mut values = match json(document.text) {
        Some(values) => values,
        None => vec![yaml(document)?],
    };
    values.iter_mut().for_each(settle);
    Ok(values)
}

/// JSON is read as such: it is faster, and only JSON has objects that follow each other without a mark.
fn json(text: &str) -> Option<Vec<Value>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    serde_json::Deserializer::from_str(text)
        .into_iter()
        .collect::<Result<_, _>>()
        .ok()
}

/// The value of a document that people write for trainshift itself: a key that stands twice in it is a mistake.
///
/// # Errors
/// Where and why it can't be read.
pub fn strict(document: &Document<'_>) -> Result<Value, (Option<Place>, String)> {
    let strict = options_with(DuplicateKeyPolicy::Error);
    let mut value: Value =
        serde_saphyr::from_str_with_options(document.text, strict).map_err(|error| {
            let error = error.without_snippet();
            let place = error.location().and_then(|location| {
                let line = usize::try_from(location.line()).ok()?;
                let column = usize::try_from(location.column()).ok()?;
                (line > 0).then(|| Place {
                    line: document.line + line - 1,
                    column,
                })
            });
            let message = error.to_string();
            let twice = reason(&message)
                .strip_prefix("duplicate mapping key: ")
                .and_then(|rest| rest.split(", set ").next())
                .map(|key| format!("{key} stands twice; keep one of the two"));
            (place, twice.unwrap_or_else(|| reason(&message).to_owned()))
        })?;
    settle(&mut value);
    Ok(value)
}

fn yaml(document: &Document<'_>) -> Result<Value, Problem> {
    serde_saphyr::from_str_with_options(document.text, options()).map_err(|error| {
        let error = error.without_snippet();
        let line = error
            .location()
            .and_then(|location| usize::try_from(location.line()).ok())
            .filter(|line| *line > 0)
            .map(|line| document.line + line - 1);
        Problem {
            line,
            hint: document.text.contains("{{").then_some(TEMPLATE_HINT),
            ..Problem::of_file(
                "",
                format!("not YAML that can be read: {}", reason(&error.to_string())),
            )
        }
    })
}

/// The message without the place, which is told apart.
fn reason(message: &str) -> &str {
    let message = message.lines().next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    message
        .rsplit_once(" at line ")
        .map_or(message, |(reason, _)| reason)
}

/// Makes integers of floats without a fraction, as Go's encoder does on the way from YAML to JSON.
fn settle(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::Object(fields) => fields.values_mut().for_each(settle),
        Value::Number(number) if number.is_f64() => {
            if let Some(integer) = number.as_f64().and_then(integral) {
                *number = integer;
            }
        }
        _ => {}
    }
}

/// The integer that `float` is, up to where each integer has a float of its own.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn integral(float: f64) -> Option<Number> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    (float.fract() == 0.0 && float.abs() <= LIMIT).then(|| Number::from(float as i64))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use serde_json::json;

    fn read(text: &str) -> Value {
        values(&Document { text, line: 1 })
            .expect("readable")
            .remove(0)
    }

    /// What kubectl 1.36's parser (sigs.k8s.io/yaml 1.6.0) says of the same text.
    #[test]
    fn reads_plain_scalars_as_kubectl_does() {
        let table = [
            ("on", json!(true)),
            ("yes", json!(true)),
            ("y", json!(true)),
            ("Y", json!(true)),
            ("n", json!(false)),
            ("no", json!(false)),
            ("off", json!(false)),
            ("TRUE", json!(true)),
            ("1e-4", json!(0.0001)),
            ("1e4", json!(10000)),
            ("1.0", json!(1)),
            ("1.5e+3", json!(1500)),
            ("0o17", json!(15)),
            ("017", json!(15)),
            ("08", json!(8)),
            ("089", json!(89)),
            ("0b11", json!(3)),
            ("0x1F", json!(31)),
            ("-0x1F", json!(-31)),
            ("1_000", json!(1000)),
            ("_1", json!("_1")),
            ("null", json!(null)),
            ("Null", json!(null)),
            ("~", json!(null)),
            ("", json!(null)),
            ("2021-01-01", json!("2021-01-01")),
            ("1:30", json!("1:30")),
            ("190:20:30", json!("190:20:30")),
            (".5", json!(0.5)),
            ("5.", json!(5)),
            ("+1", json!(1)),
            ("=", json!("=")),
            ("<<", json!("<<")),
            ("9223372036854775808", json!(9_223_372_036_854_775_808_u64)),
            ("!!str 5", json!("5")),
            ("!!int \"5\"", json!(5)),
            ("!!binary aGk=", json!("hi")),
            ("-0", json!(0)),
            ("0_7", json!(7)),
            ("0o8", json!("0o8")),
            ("00", json!(0)),
            ("1.10", json!(1.1)),
            ("0.00000001", json!(1e-8)),
            ("1e21", json!(1e21)),
        ];
        for (text, expected) in table {
            assert_eq!(read(&format!("v: {text}\n"))["v"], expected, "{text}");
        }
    }

    #[test]
    fn differs_from_kubectl_where_the_header_says_so() {
        assert_eq!(read("on: x\n017: z\n"), json!({"on": "x", "017": "z"}));
        assert_eq!(read("v: 1_0.5\n")["v"], json!("1_0.5"));
        assert_eq!(read("v: !x 5\n")["v"], json!(5));
        assert!(
            values(&Document {
                text: "v: 1e400\n",
                line: 1
            })
            .is_err()
        );
    }

    #[test]
    fn takes_the_last_of_two_equal_keys_in_yaml_and_json() {
        assert_eq!(read("a: 1\na: 2\n"), json!({"a": 2}));
        assert_eq!(read(r#"{"a": 1, "a": 2}"#), json!({"a": 2}));
    }

    #[test]
    fn reads_json_objects_that_follow_each_other() {
        let document = Document {
            text: "{\"a\": 1}\n{\"b\": 2}\n",
            line: 1,
        };
        assert_eq!(
            values(&document),
            Ok(vec![json!({"a": 1}), json!({"b": 2})])
        );
    }

    #[test]
    fn tells_the_line_of_the_file() {
        let document = Document {
            text: "a: 1\nb: [\n",
            line: 10,
        };
        let problem = values(&document).expect_err("unreadable");
        assert_eq!(problem.line, Some(11));
        assert_eq!(
            problem.message,
            "not YAML that can be read: unclosed bracket '['"
        );
    }

    #[test]
    fn ends_alias_bombs_and_deep_nesting_with_an_error() {
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (last, next) in "abcdefghi".chars().zip("bcdefghij".chars()) {
            let many = [format!("*{last}").as_str(); 9].join(",");
            let _ = writeln!(bomb, "{next}: &{next} [{many}]");
        }
        let deep = [
            format!("a: {}", "[".repeat(100_000)),
            "{\"a\":".repeat(100_000),
            (0..10_000).fold(String::new(), |text, depth| {
                text + &" ".repeat(depth) + "a:\n"
            }),
            "- ".repeat(100_000),
        ];
        for text in deep.iter().chain([&bomb]) {
            assert!(values(&Document { text, line: 1 }).is_err());
        }
    }
}
