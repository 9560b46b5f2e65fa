//! Values during an evaluation. What is in the inputs or in the expression is borrowed; what an operation makes is shared.

use std::cmp::Ordering;
use std::rc::Rc;

use serde_json::{Map, Value as Json};

use super::EvaluationError;
use super::budget::Budget;
use super::vocabulary::Kind;

#[derive(Clone, Debug)]
pub(super) enum Value<'v> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Text<'v>),
    List(List<'v>),
    Map(&'v Map<String, Json>),
    Optional(Option<Rc<Value<'v>>>),
}

#[derive(Clone, Debug)]
pub(super) enum Text<'v> {
    Borrowed(&'v str),
    Made(Rc<str>),
}

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Made(text) => text,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum List<'v> {
    Borrowed(&'v [Json]),
    Made(Rc<[Value<'v>]>),
}

impl<'v> List<'v> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Borrowed(items) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Value<'v>> {
        match self {
            Self::Borrowed(items) => items.get(index).map(Value::of),
            Self::Made(items) => items.get(index).cloned(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Value<'v>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

impl<'v> Value<'v> {
    /// A value of an input. A number is what the API server makes of it: an int where it is written as one and fits.
    pub(super) fn of(json: &'v Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => number.as_i64().map_or_else(
                || Self::Double(number.as_f64().unwrap_or(f64::NAN)),
                Self::Int,
            ),
            Json::String(text) => Self::Text(Text::Borrowed(text)),
            Json::Array(items) => Self::List(List::Borrowed(items)),
            Json::Object(map) => Self::Map(map),
        }
    }

    pub(super) fn made(text: String) -> Self {
        Self::Text(Text::Made(text.into()))
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Uint(_) => Kind::Uint,
            Self::Double(_) => Kind::Double,
            Self::Text(_) => Kind::Text,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
            Self::Optional(_) => Kind::Optional,
        }
    }
}

/// That an operation isn't for these values. Says their kinds only: a value may be a secret.
pub(super) fn no_overload(operation: &'static str, values: &[&Value<'_>]) -> EvaluationError {
    let kinds: Vec<_> = values.iter().map(|value| value.kind().name()).collect();
    EvaluationError::NoOverload {
        operation,
        kinds: kinds.join(", "),
    }
}

/// Whether there is a field. What has no fields hasn't this one.
pub(super) fn has(of: &Value<'_>, field: &str) -> bool {
    match of {
        Value::Map(map) => map.contains_key(field),
        Value::Optional(Some(of)) => has(of, field),
        _ => false,
    }
}

/// A field by its name.
pub(super) fn select<'v>(
    of: &Value<'v>,
    field: &str,
    optional: bool,
) -> Result<Value<'v>, EvaluationError> {
    let found = match of {
        Value::Optional(None) => return Ok(Value::Optional(None)),
        Value::Optional(Some(of)) => return select(of, field, true),
        Value::Map(map) => map.get(field).map(Value::of),
        _ if optional => None,
        other => return Err(no_overload("a field", &[other])),
    };
    if optional {
        return Ok(Value::Optional(found.map(Rc::new)));
    }
    found.ok_or_else(|| EvaluationError::NoSuchKey(field.to_owned()))
}

/// `left == right`. Numbers are equal across their kinds; values of other kinds than each other aren't.
pub(super) fn equal(
    left: &Value<'_>,
    right: &Value<'_>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    budget.step()?;
    Ok(match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Text(left), Value::Text(right)) => {
            // Of different lengths nothing is read.
            left.len() == right.len() && {
                budget.read(left.len())?;
                **left == **right
            }
        }
        (Value::List(left), Value::List(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(right.iter()) {
                if !equal(&left, &right, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Map(left), Value::Map(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (key, left) in *left {
                budget.read(key.len())?;
                let Some(right) = right.get(key) else {
                    return Ok(false);
                };
                if !equal(&Value::of(left), &Value::of(right), budget)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Optional(left), Value::Optional(right)) => match (left, right) {
            (Some(left), Some(right)) => equal(left, right, budget)?,
            (left, right) => left.is_none() && right.is_none(),
        },
        _ => compare_numbers(left, right) == Some(Ordering::Equal),
    })
}

/// The order of two values.
pub(super) fn compare(
    operation: &'static str,
    left: &Value<'_>,
    right: &Value<'_>,
    budget: &mut Budget,
) -> Result<Ordering, EvaluationError> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Ok(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => {
            budget.read(left.len().min(right.len()))?;
            Ok((**left).cmp(&**right))
        }
        _ if is_number(left) && is_number(right) => {
            compare_numbers(left, right).ok_or(EvaluationError::NotANumber)
        }
        _ => Err(no_overload(operation, &[left, right])),
    }
}

fn is_number(value: &Value<'_>) -> bool {
    matches!(value.kind(), Kind::Int | Kind::Uint | Kind::Double)
}

/// The order of two numbers of any kinds; none where one is NaN, or no number.
#[expect(
    clippy::cast_precision_loss,
    reason = "an int and a double are compared as doubles, as the API server does"
)]
fn compare_numbers(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    let wide = |value: &Value<'_>| match *value {
        Value::Int(value) => Some(i128::from(value)),
        Value::Uint(value) => Some(i128::from(value)),
        _ => None,
    };
    let double = |value: &Value<'_>| match *value {
        Value::Double(value) => Some(value),
        _ => wide(value).map(|value| value as f64),
    };
    match (wide(left), wide(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => double(left)?.partial_cmp(&double(right)?),
    }
}
