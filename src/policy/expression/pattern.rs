//! Patterns of `matches`, compiled with the expression.
//!
//! Run by an automaton that is built while it reads, in bounded memory, and gives up where that isn't enough. A whole regex
//! engine never gives up, and takes a second for 200 KB of `ab` and the pattern `a[ab]{40}c`.

use std::error::Error;

use regex_automata::hybrid::dfa::DFA;
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::{Input, MatchKind};

use super::budget::Budget;
use super::parse::{Mistake, Parsed};
use super::re2;
use super::syntax::{Form, Node};
use super::{EvaluationError, MAX_PATTERN_BYTES};

/// Most bytes of the automaton that one match builds.
const MAX_BUILT: usize = 64 * 1024;
/// Bytes of it that count as a step.
const BUILT_PER_STEP: usize = 48;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern(DFA);

impl Pattern {
    fn compile(pattern: &str) -> Result<Self, String> {
        let limits = thompson::Config::new()
            .nfa_size_limit(Some(MAX_PATTERN_BYTES))
            .which_captures(WhichCaptures::None);
        let states = NFA::compiler()
            .configure(limits)
            .build(&re2::translate(pattern)?)
            .map_err(|error| why(&error))?;
        let limits = DFA::config()
            .match_kind(MatchKind::LeftmostFirst)
            .cache_capacity(MAX_BUILT)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(0));
        DFA::builder()
            .configure(limits)
            .build_from_nfa(states)
            .map(Self)
            .map_err(|error| format!("can't be used: {error}"))
    }

    /// Whether it is somewhere in `text`. Nothing is remembered, so that an answer never hangs on what was asked before.
    pub(super) fn is_in(&self, text: &str, budget: &mut Budget) -> Result<bool, EvaluationError> {
        budget.make()?;
        budget.read(text.len())?;
        let mut built = self.0.create_cache();
        let found = self
            .0
            .try_search_fwd(&mut built, &Input::new(text).earliest(true));
        budget.spend(built.memory_usage() / BUILT_PER_STEP)?;
        found
            .map(|end| end.is_some())
            .map_err(|_| EvaluationError::TooLarge)
    }
}

fn why(error: &thompson::BuildError) -> String {
    if error.size_limit().is_some() {
        return "is too large".to_owned();
    }
    let text = error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string);
    // The last line says what is wrong; those before it draw where.
    let why = text.lines().last().unwrap_or_default();
    format!("isn't one: {}", why.trim_start_matches("error: "))
}

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
    let compiled = Pattern::compile(text)
        .map_err(|why| Mistake::new(pattern.at, format!("the pattern {why}")))?;
    Node::new(at, Form::Matches(Box::new(of), Box::new(compiled)))
}
