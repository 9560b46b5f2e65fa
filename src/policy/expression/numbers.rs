//! Arithmetic and conversions. As in CEL, kinds don't mix (`1 + 1.0` is an error), and nothing wraps round.

use super::EvaluationError;
use super::budget::Budget;
use super::value::{List, Value, no_overload};
use super::vocabulary::{Arithmetic, Operator};

/// One past the largest int, which is a double without rounding; its negative is the smallest int.
const INTS_END: f64 = 9_223_372_036_854_775_808.0;
/// One past the largest uint.
const UINTS_END: f64 = 18_446_744_073_709_551_616.0;

pub(super) fn arithmetic<'v>(
    kind: Arithmetic,
    left: &Value<'v>,
    right: &Value<'v>,
    budget: &mut Budget,
) -> Result<Value<'v>, EvaluationError> {
    use Arithmetic::{Add, Divide, Multiply, Remainder, Subtract};
    let divides = matches!(kind, Divide | Remainder);
    let whole = match (left, right) {
        (Value::Int(_), Value::Int(0)) | (Value::Uint(_), Value::Uint(0)) if divides => {
            return Err(EvaluationError::DivisionByZero);
        }
        (Value::Int(left), Value::Int(right)) => match kind {
            Add => left.checked_add(*right),
            Subtract => left.checked_sub(*right),
            Multiply => left.checked_mul(*right),
            Divide => left.checked_div(*right),
            Remainder => left.checked_rem(*right),
        }
        .map(Value::Int),
        (Value::Uint(left), Value::Uint(right)) => match kind {
            Add => left.checked_add(*right),
            Subtract => left.checked_sub(*right),
            Multiply => left.checked_mul(*right),
            Divide => left.checked_div(*right),
            Remainder => left.checked_rem(*right),
        }
        .map(Value::Uint),
        (left, right) => return other(kind, left, right, budget),
    };
    whole.ok_or(EvaluationError::Overflow)
}

fn other<'v>(
    kind: Arithmetic,
    left: &Value<'v>,
    right: &Value<'v>,
    budget: &mut Budget,
) -> Result<Value<'v>, EvaluationError> {
    match (kind, left, right) {
        (Arithmetic::Add, Value::Double(left), Value::Double(right)) => {
            Ok(Value::Double(left + right))
        }
        (Arithmetic::Subtract, Value::Double(left), Value::Double(right)) => {
            Ok(Value::Double(left - right))
        }
        (Arithmetic::Multiply, Value::Double(left), Value::Double(right)) => {
            Ok(Value::Double(left * right))
        }
        (Arithmetic::Divide, Value::Double(left), Value::Double(right)) => {
            Ok(Value::Double(left / right))
        }
        (Arithmetic::Add, Value::Text(left), Value::Text(right)) => {
            budget.make()?;
            budget.read(left.len() + right.len())?;
            Ok(Value::made(format!("{}{}", &**left, &**right)))
        }
        (Arithmetic::Add, Value::List(left), Value::List(right)) => {
            budget.make()?;
            budget.spend(left.len() + right.len())?;
            let items = left.iter().chain(right.iter());
            Ok(Value::List(List::Made(items.collect())))
        }
        _ => Err(no_overload(
            Operator::Arithmetic(kind).sign(),
            &[left, right],
        )),
    }
}

/// `-value`.
pub(super) fn negate<'v>(value: &Value<'v>) -> Result<Value<'v>, EvaluationError> {
    match value {
        Value::Int(value) => value
            .checked_neg()
            .map(Value::Int)
            .ok_or(EvaluationError::Overflow),
        Value::Double(value) => Ok(Value::Double(-value)),
        other => Err(no_overload("-", &[other])),
    }
}

/// A place in a list, by any number that is whole; one that no list has is -1.
pub(super) fn index(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        Value::Uint(value) => Some(i64::try_from(*value).unwrap_or(-1)),
        Value::Double(value) if value.fract() == 0.0 => truncated(*value).ok(),
        _ => None,
    }
}

/// `int(value)`.
pub(super) fn int<'v>(value: &Value<'v>) -> Result<Value<'v>, EvaluationError> {
    match value {
        Value::Int(value) => Ok(Value::Int(*value)),
        Value::Uint(value) => i64::try_from(*value)
            .map(Value::Int)
            .map_err(|_| EvaluationError::Overflow),
        Value::Double(value) => truncated(*value).map(Value::Int),
        Value::Text(text) => text.parse().map(Value::Int).map_err(|_| no("int")),
        other => Err(no_overload("int()", &[other])),
    }
}

/// `uint(value)`.
pub(super) fn uint<'v>(value: &Value<'v>) -> Result<Value<'v>, EvaluationError> {
    match value {
        Value::Uint(value) => Ok(Value::Uint(*value)),
        Value::Int(value) => u64::try_from(*value)
            .map(Value::Uint)
            .map_err(|_| EvaluationError::Overflow),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range is checked, and the fraction is meant to go"
        )]
        Value::Double(value) if (0.0..UINTS_END).contains(value) => Ok(Value::Uint(*value as u64)),
        Value::Double(_) => Err(EvaluationError::Overflow),
        // ParseUint takes no sign, str::parse does.
        Value::Text(text) if text.starts_with('+') => Err(no("uint")),
        Value::Text(text) => text.parse().map(Value::Uint).map_err(|_| no("uint")),
        other => Err(no_overload("uint()", &[other])),
    }
}

/// `double(value)`.
#[expect(clippy::cast_precision_loss, reason = "what a conversion to double is")]
pub(super) fn double<'v>(value: &Value<'v>) -> Result<Value<'v>, EvaluationError> {
    match value {
        Value::Double(value) => Ok(Value::Double(*value)),
        Value::Int(value) => Ok(Value::Double(*value as f64)),
        Value::Uint(value) => Ok(Value::Double(*value as f64)),
        Value::Text(text) => from_text(text)
            .map(Value::Double)
            .ok_or_else(|| no("double")),
        other => Err(no_overload("double()", &[other])),
    }
}

/// What strconv.ParseFloat takes as well: no number that is too large, and no sign before `nan`.
fn from_text(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let is_word = !text.bytes().any(|byte| byte.is_ascii_digit());
    let has_sign = text.starts_with(['+', '-']);
    let is_taken = value.is_finite() || is_word && !(value.is_nan() && has_sign);
    is_taken.then_some(value)
}

fn no(to: &'static str) -> EvaluationError {
    let from = "string";
    EvaluationError::NotConvertible { from, to }
}

/// A double without its fraction.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked, and the fraction is meant to go"
)]
fn truncated(value: f64) -> Result<i64, EvaluationError> {
    // The smallest int itself isn't taken by the API server either.
    if value > -INTS_END && value < INTS_END {
        Ok(value as i64)
    } else {
        Err(EvaluationError::Overflow)
    }
}
