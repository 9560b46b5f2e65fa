//! The functions of the table in `syntax`, on values.

use super::EvaluationError;
use super::budget::Budget;
use super::numbers;
use super::value::{List, Value, no_overload};
use super::vocabulary::Function;

/// What a function gives for its arguments, the one before the dot being the first.
pub(super) fn call<'v>(
    function: Function,
    arguments: &[Value<'v>],
    budget: &mut Budget,
) -> Result<Value<'v>, EvaluationError> {
    budget.make()?;
    for argument in arguments {
        if let Value::Text(text) = argument {
            budget.read(text.len())?;
        }
    }
    match (function, arguments) {
        (Function::Bool, [value]) => boolean(value),
        (Function::Double, [value]) => numbers::double(value),
        (Function::Int, [value]) => numbers::int(value),
        (Function::Uint, [value]) => numbers::uint(value),
        (Function::String, [value]) => string(value),
        (Function::Size, [value]) => size(value),
        (Function::Contains, [Value::Text(text), Value::Text(part)]) => {
            Ok(Value::Bool(text.contains(&**part)))
        }
        (Function::StartsWith, [Value::Text(text), Value::Text(part)]) => {
            Ok(Value::Bool(text.starts_with(&**part)))
        }
        (Function::EndsWith, [Value::Text(text), Value::Text(part)]) => {
            Ok(Value::Bool(text.ends_with(&**part)))
        }
        (Function::LowerAscii, [Value::Text(text)]) => Ok(Value::made(text.to_ascii_lowercase())),
        (Function::UpperAscii, [Value::Text(text)]) => Ok(Value::made(text.to_ascii_uppercase())),
        (Function::Trim, [Value::Text(text)]) => Ok(Value::made(text.trim().to_owned())),
        (Function::Split, [Value::Text(text), Value::Text(separator)]) => {
            split(text, separator, budget)
        }
        (Function::HasValue, [Value::Optional(of)]) => Ok(Value::Bool(of.is_some())),
        (Function::Dyn, [value]) => Ok(value.clone()),
        (Function::Value, [Value::Optional(of)]) => {
            of.as_deref().cloned().ok_or(EvaluationError::Empty)
        }
        _ => {
            let arguments: Vec<_> = arguments.iter().collect();
            Err(no_overload(function.name(), &arguments))
        }
    }
}

fn boolean<'v>(value: &Value<'v>) -> Result<Value<'v>, EvaluationError> {
    match value {
        Value::Bool(value) => Ok(Value::Bool(*value)),
        // strconv.ParseBool, by which the API server goes.
        Value::Text(text) => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => Err(EvaluationError::NotConvertible {
                from: "string",
                to: "bool",
            }),
        },
        other => Err(no_overload("bool()", &[other])),
    }
}

fn string<'v>(value: &Value<'v>) -> Result<Value<'v>, EvaluationError> {
    match value {
        Value::Text(text) => Ok(Value::Text(text.clone())),
        Value::Bool(value) => Ok(Value::made(value.to_string())),
        Value::Int(value) => Ok(Value::made(value.to_string())),
        Value::Uint(value) => Ok(Value::made(value.to_string())),
        Value::Double(value) => Ok(Value::made(shortest(*value))),
        other => Err(no_overload("string()", &[other])),
    }
}

/// A double as strconv.FormatFloat(value, 'g', -1, 64) writes it, by which the API server goes.
fn shortest(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => value.to_string(),
    }
}

/// Characters of a text, or elements.
fn size<'v>(value: &Value<'v>) -> Result<Value<'v>, EvaluationError> {
    let size = match value {
        Value::Text(text) => text.chars().count(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        other => return Err(no_overload("size()", &[other])),
    };
    i64::try_from(size)
        .map(Value::Int)
        .map_err(|_| EvaluationError::Overflow)
}

/// The parts between the separators; between all characters for an empty one.
fn split<'v>(
    text: &str,
    separator: &str,
    budget: &mut Budget,
) -> Result<Value<'v>, EvaluationError> {
    let mut parts = Vec::new();
    let mut add = |part: &str| {
        budget.make()?;
        parts.push(Value::made(part.to_owned()));
        Ok(())
    };
    if separator.is_empty() {
        let mut buffer = [0; 4];
        text.chars()
            .try_for_each(|c| add(c.encode_utf8(&mut buffer)))?;
    } else {
        text.split(separator).try_for_each(&mut add)?;
    }
    Ok(Value::List(List::Made(parts.into())))
}
