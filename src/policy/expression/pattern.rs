//! Patterns of `matches`, compiled with the expression.

use regex::RegexBuilder;

use super::MAX_PATTERN_BYTES;
use super::parse::{Mistake, Parsed};
use super::re2;
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
    let wrong = |why: &str| Mistake::new(pattern.at, format!("the pattern {why}"));
    let translated = re2::translate(text).map_err(|why| wrong(&why))?;
    let regex = RegexBuilder::new(&translated)
        .size_limit(MAX_PATTERN_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => wrong("is too large"),
            // The last line says what is wrong; those before it draw where.
            error => {
                let text = error.to_string();
                let why = text.lines().last().unwrap_or_default();
                wrong(&format!("isn't one: {}", why.trim_start_matches("error: ")))
            }
        })?;
    Node::new(at, Form::Matches(Box::new(of), regex))
}
