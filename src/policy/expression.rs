//! Conditions of policies: expressions in CEL, the language of ValidatingAdmissionPolicy, over the same variables.
//!
//! ```text
//! source -> token -> parse (names, nesting and kinds checked) -> Expression -> evaluate (cost counted) -> bool
//! ```
//!
//! A platform team writes the expression, anybody writes the object that it is evaluated on. So an expression is bounded in
//! length and depth when it is compiled, and evaluation in steps, as the API server bounds them: whatever the two are,
//! compiling and evaluating end after milliseconds, with little stack and memory, in an answer or in an error that says why.
//!
//! It is a subset of CEL. Whatever isn't in it (types of Kubernetes' libraries such as `quantity`, timestamps, maps and
//! messages written in the expression) is refused when the expression is compiled, never later.

mod budget;
mod evaluate;
mod functions;
mod infix;
mod inputs;
mod names;
mod numbers;
mod parse;
mod pattern;
mod re2;
mod syntax;
mod token;
mod value;
mod vocabulary;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::sync::Arc;

pub use inputs::Inputs;

use syntax::Node;

/// Most characters of an expression.
pub const MAX_LENGTH: usize = 1024;
/// Most brackets in brackets, and signs before signs.
pub const MAX_NESTING: usize = 16;
/// Most operators, fields and functions that are applied one on the result of the other. `a || b || c` is one.
pub const MAX_HEIGHT: usize = 32;
/// Most loops (`all`, `exists`, `exists_one`, `map`, `filter`) around any place of an expression.
pub const MAX_LOOPS: usize = 1;
/// Most bytes that a pattern of `matches` takes once it is compiled.
pub const MAX_PATTERN_BYTES: usize = 16 * 1024;
/// Most steps of one evaluation. A step is an operation, or 16 bytes of text that are read or written; a new text or list
/// counts four, and looking for a pattern by what it has to remember. All of them take less than 20 ms.
pub const MAX_COST: u64 = 100_000;
/// Most steps of all conditions that one request asks for.
pub const MAX_COST_OF_REQUEST: u64 = 10 * MAX_COST;

/// A condition's CEL expression, parsed and checked once. A clone shares it.
#[derive(Clone, Debug)]
pub struct Expression(Arc<Checked>);

#[derive(Debug)]
struct Checked {
    source: String,
    root: Node,
}

impl Expression {
    /// Parses and checks an expression.
    ///
    /// # Errors
    /// [`ExpressionError`] with the first place that is wrong: syntax, a name that doesn't exist, more than a bound allows, or
    /// a result that can't be a bool.
    pub fn compile(source: &str) -> Result<Self, ExpressionError> {
        let length = source.chars().count();
        if length > MAX_LENGTH {
            return Err(ExpressionError::TooLong(length));
        }
        let root = parse::parse(source).map_err(|mistake| {
            let before = source.get(..mistake.at).unwrap_or(source);
            let line = before.rsplit('\n').next().unwrap_or_default();
            ExpressionError::Wrong {
                line: before.matches('\n').count() + 1,
                column: line.chars().count() + 1,
                problem: mistake.problem,
            }
        })?;
        Ok(Self(Arc::new(Checked {
            source: source.to_owned(),
            root,
        })))
    }

    /// Whether the condition holds.
    ///
    /// # Errors
    /// [`EvaluationError`] where CEL has no answer, such as a field that isn't there, or none within [`MAX_COST`].
    pub fn holds(&self, inputs: &Inputs<'_>) -> Result<bool, EvaluationError> {
        self.holds_within(inputs, &Cell::new(MAX_COST))
    }

    /// The same where several conditions share `steps`, of which those that it takes are taken.
    ///
    /// # Errors
    /// As [`Expression::holds`], and where nothing is left.
    pub fn holds_within(
        &self,
        inputs: &Inputs<'_>,
        steps: &Cell<u64>,
    ) -> Result<bool, EvaluationError> {
        let allowed = MAX_COST.min(steps.get());
        let (held, left) = evaluate::holds(&self.0.root, inputs, allowed);
        steps.set(steps.get() - (allowed - left));
        match held {
            Err(EvaluationError::TooLarge) if allowed < MAX_COST => Err(EvaluationError::Exhausted),
            held => held,
        }
    }

    /// The expression as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }
}

/// Why an expression isn't one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ExpressionError {
    /// It has this many characters.
    #[error(
        "the expression has {0} characters, and at most {MAX_LENGTH} are allowed; split it into several conditions"
    )]
    TooLong(usize),
    /// Something at one place.
    #[error("line {line}, column {column}: {problem}")]
    Wrong {
        /// Line of the expression, from 1.
        line: usize,
        /// Character of the line, from 1.
        column: usize,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

/// Why an expression has no answer for an object. Says nothing of the object but the names that the expression asks for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EvaluationError {
    /// A field, named as in the expression, or a key that the expression computes.
    #[error("no such key: {0}; ask has() first, or take it with .?")]
    NoSuchKey(String),
    /// An index that the list doesn't have.
    #[error("index out of range")]
    OutOfRange,
    /// An operator or function on values that it isn't for.
    #[error("{operation} is not for {kinds}")]
    NoOverload {
        /// The operator or function.
        operation: &'static str,
        /// What it was given, such as `int, string`.
        kinds: String,
    },
    /// A whole number divided by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A whole number beyond its type.
    #[error("integer overflow")]
    Overflow,
    /// An order of NaN, which has none.
    #[error("NaN has no order")]
    NotANumber,
    /// Text or a number that isn't what it is converted to.
    #[error("this {from} is no {to}")]
    NotConvertible {
        /// Kind of the value.
        from: &'static str,
        /// Kind that it should become.
        to: &'static str,
    },
    /// `value()` of nothing.
    #[error("the optional is empty")]
    Empty,
    /// More than [`MAX_COST`] steps.
    #[error("the object is too large for the condition: it takes more than {MAX_COST} steps")]
    TooLarge,
    /// Other conditions took the steps.
    #[error(
        "the conditions of all policies that look at this object take more than {MAX_COST_OF_REQUEST} steps; make them simpler, or fewer"
    )]
    Exhausted,
}
