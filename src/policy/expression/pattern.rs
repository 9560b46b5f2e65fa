//! Patterns of `matches`, compiled with the expression.

use regex::RegexBuilder;

use super::MAX_PATTERN_BYTES;
use super::parse::{Mistake, Parsed};
use super::syntax::{Form, Node};

/// A match with a pattern that is compiled once. One from an object would be anybody's, and compiled at each request.
pub(super) fn matches(at: usize, arguments: Vec<Node>) -> Parsed {
    let mut arguments = arguments.into_iter();
    let (Some(of), Some(pattern)) = (arguments.next(), arguments.next()) else {
        return Err(Mistake::new(at, "`matches` takes a text and a pattern"));
    };
    let Form::Text(text) = &pattern.form else {
        let problem = "the pattern of `matches` must be written as a string in the condition";
        return Err(Mistake::new(pattern.at, problem));
    };
    let regex = RegexBuilder::new(&re2(text))
        .size_limit(MAX_PATTERN_BYTES)
        .build()
        .map_err(|error| {
            let why = match error {
                regex::Error::CompiledTooBig(_) => "is too large".to_owned(),
                // The last line says what is wrong; those before it draw where.
                error => {
                    let text = error.to_string();
                    let why = text.lines().last().unwrap_or_default();
                    format!("isn't one: {}", why.trim_start_matches("error: "))
                }
            };
            Mistake::new(pattern.at, format!("the pattern {why}"))
        })?;
    Node::new(at, Form::Matches(Box::new(of), regex))
}

/// A pattern in RE2's syntax, which Kubernetes takes, for the regex crate: there `\d`, `\s`, `\w` and `\b` are of all scripts.
fn re2(pattern: &str) -> String {
    let mut chars = pattern.chars();
    let mut translated = String::new();
    while let Some(c) = chars.next() {
        if c != '\\' {
            translated.push(c);
            continue;
        }
        match chars.next() {
            Some('d') => translated.push_str("[0-9]"),
            Some('D') => translated.push_str("[^0-9]"),
            Some('s') => translated.push_str(r"[\t\n\f\r ]"),
            Some('S') => translated.push_str(r"[^\t\n\f\r ]"),
            Some('w') => translated.push_str("[0-9A-Za-z_]"),
            Some('W') => translated.push_str("[^0-9A-Za-z_]"),
            Some('b') => translated.push_str(r"(?-u:\b)"),
            next => {
                translated.push('\\');
                translated.extend(next);
            }
        }
    }
    translated
}
