//! A tree and the inputs in, a bool out.
//!
//! As in CEL, `&&`, `||`, `all` and `exists` have an answer where one operand decides, whatever errors the others are. Every
//! step is counted; when they are used up the evaluation ends, and no operand absorbs that.

use std::rc::Rc;

use serde_json::Value as Json;

use super::EvaluationError;
use super::budget::Budget;
use super::functions;
use super::inputs::Inputs;
use super::numbers::{arithmetic, index, negate};
use super::syntax::{Form, Node};
use super::value::{List, Text, Value, compare, equal, has, no_overload, select};
use super::vocabulary::{Loop, Operator, Variable};

type Evaluated<'v> = Result<Value<'v>, EvaluationError>;

/// Whether the condition holds, and what it left of the steps that it was allowed.
pub(super) fn holds(
    root: &Node,
    inputs: &Inputs<'_>,
    allowed: u64,
) -> (Result<bool, EvaluationError>, u64) {
    let mut evaluation = Evaluation {
        inputs,
        locals: Vec::new(),
        budget: Budget::of(allowed),
    };
    let held = evaluation.truth("a condition", root);
    (held, evaluation.budget.left())
}

struct Evaluation<'v> {
    inputs: &'v Inputs<'v>,
    locals: Vec<Value<'v>>,
    budget: Budget,
}

impl<'v> Evaluation<'v> {
    fn value(&mut self, node: &'v Node) -> Evaluated<'v> {
        self.budget.step()?;
        Ok(match &node.form {
            Form::Null => Value::Null,
            Form::Bool(value) => Value::Bool(*value),
            Form::Int(value) => Value::Int(*value),
            Form::Uint(value) => Value::Uint(*value),
            Form::Double(value) => Value::Double(*value),
            Form::Text(text) => Value::Text(Text::Borrowed(text)),
            Form::Variable(variable) => Value::of(self.variable(*variable)),
            Form::Local(local) => self.locals.get(*local).cloned().unwrap_or(Value::Null),
            Form::List(nodes) => {
                self.budget.make()?;
                Value::List(List::Made(self.values(nodes)?.into()))
            }
            Form::Select {
                of,
                field,
                optional,
            } => {
                let of = self.value(of)?;
                select(&of, field, *optional)?
            }
            Form::Has { of, field } => {
                let of = self.value(of)?;
                Value::Bool(has(&of, field))
            }
            Form::Index { of, key, optional } => {
                let of = self.value(of)?;
                let key = self.value(key)?;
                self.index(&of, &key, *optional)?
            }
            Form::Not(of) => Value::Bool(!self.truth("!", of)?),
            Form::Negate(of) => negate(&self.value(of)?)?,
            Form::All(nodes) => Value::Bool(self.decide("&&", nodes.iter(), false)?),
            Form::Any(nodes) => Value::Bool(self.decide("||", nodes.iter(), true)?),
            Form::Binary(operator, nodes) => {
                let left = self.value(&nodes[0])?;
                let right = self.value(&nodes[1])?;
                self.binary(*operator, &left, &right)?
            }
            Form::Choose(nodes) => {
                let yes = self.truth("?:", &nodes[0])?;
                self.value(&nodes[if yes { 1 } else { 2 }])?
            }
            Form::OrValue(nodes) => match self.value(&nodes[0])? {
                Value::Optional(None) => self.value(&nodes[1])?,
                Value::Optional(Some(value)) => (*value).clone(),
                // What isn't optional is there, as the API server has it.
                value => value,
            },
            Form::Call(function, nodes) => {
                let arguments = self.values(nodes)?;
                functions::call(*function, &arguments, &mut self.budget)?
            }
            Form::Matches(of, pattern) => match self.value(of)? {
                Value::Text(text) => Value::Bool(pattern.is_in(&text, &mut self.budget)?),
                other => return Err(no_overload("matches", &[&other])),
            },
            Form::Loop {
                kind,
                over,
                body,
                only,
            } => {
                let over = self.value(over)?;
                self.each(*kind, over, body, only.as_deref())?
            }
        })
    }

    fn values(&mut self, nodes: &'v [Node]) -> Result<Vec<Value<'v>>, EvaluationError> {
        nodes.iter().map(|node| self.value(node)).collect()
    }

    fn variable(&self, variable: Variable) -> &'v Json {
        match variable {
            Variable::Object => self.inputs.object,
            Variable::OldObject => self.inputs.old_object,
            Variable::Request => self.inputs.request,
            Variable::NamespaceObject => self.inputs.namespace_object,
        }
    }

    /// A value that must be a bool.
    fn truth(&mut self, what: &'static str, node: &'v Node) -> Result<bool, EvaluationError> {
        match self.value(node)? {
            Value::Bool(value) => Ok(value),
            other => Err(no_overload(what, &[&other])),
        }
    }

    /// Whether one of `nodes` is `decisive`, which settles the result; else the first error, else the opposite.
    fn decide(
        &mut self,
        what: &'static str,
        nodes: impl Iterator<Item = &'v Node>,
        decisive: bool,
    ) -> Result<bool, EvaluationError> {
        let mut first = Ok(!decisive);
        for node in nodes {
            match self.truth(what, node) {
                Ok(value) if value == decisive => return Ok(decisive),
                Err(EvaluationError::TooLarge) => return Err(EvaluationError::TooLarge),
                Err(error) if first.is_ok() => first = Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        first
    }

    fn index(&mut self, of: &Value<'v>, key: &Value<'v>, optional: bool) -> Evaluated<'v> {
        let found = match (of, key) {
            (Value::Optional(None), _) => return Ok(Value::Optional(None)),
            (Value::Optional(Some(of)), key) => return self.index(of, key, true),
            (Value::Map(map), Value::Text(key)) => {
                self.budget.read(key.len())?;
                map.get(&**key).map(Value::of).ok_or_else(|| {
                    let key = if key.len() <= 63 {
                        key
                    } else {
                        "the one computed"
                    };
                    EvaluationError::NoSuchKey(key.to_owned())
                })
            }
            (Value::List(list), key) => {
                let index = index(key).ok_or_else(|| no_overload("[]", &[of, key]))?;
                let index = usize::try_from(index).ok();
                index
                    .and_then(|index| list.get(index))
                    .ok_or(EvaluationError::OutOfRange)
            }
            (Value::Map(_), _) => return Err(no_overload("[]", &[of, key])),
            _ => Err(no_overload("[]", &[of, key])),
        };
        if optional {
            return Ok(Value::Optional(found.ok().map(Rc::new)));
        }
        found
    }

    fn binary(&mut self, operator: Operator, left: &Value<'v>, right: &Value<'v>) -> Evaluated<'v> {
        let budget = &mut self.budget;
        let sign = operator.sign();
        let holds = match operator {
            Operator::Equal => equal(left, right, budget)?,
            Operator::NotEqual => !equal(left, right, budget)?,
            Operator::Less => compare(sign, left, right, budget)?.is_lt(),
            Operator::LessOrEqual => compare(sign, left, right, budget)?.is_le(),
            Operator::Greater => compare(sign, left, right, budget)?.is_gt(),
            Operator::GreaterOrEqual => compare(sign, left, right, budget)?.is_ge(),
            Operator::In => match right {
                Value::List(list) => {
                    let mut found = false;
                    for item in list.iter() {
                        found = equal(left, &item, budget)?;
                        if found {
                            break;
                        }
                    }
                    found
                }
                Value::Map(map) => match left {
                    Value::Text(key) => {
                        budget.read(key.len())?;
                        map.contains_key(&**key)
                    }
                    _ => false,
                },
                _ => return Err(no_overload(sign, &[left, right])),
            },
            Operator::Arithmetic(kind) => return arithmetic(kind, left, right, budget),
        };
        Ok(Value::Bool(holds))
    }

    /// A macro over what it is called on.
    fn each(
        &mut self,
        kind: Loop,
        over: Value<'v>,
        body: &'v Node,
        only: Option<&'v Node>,
    ) -> Evaluated<'v> {
        let items = match over {
            Value::List(list) => list,
            Value::Map(map) => {
                self.budget.spend(map.len())?;
                let keys = map.keys().map(|key| Value::Text(Text::Borrowed(key)));
                List::Made(keys.collect())
            }
            other => return Err(no_overload("a loop", &[&other])),
        };
        let mut made = Vec::new();
        let mut count = 0;
        // For `all` and `exists`, what `decide` does for `&&` and `||`.
        let decisive = kind == Loop::Exists;
        let mut first = Ok(Value::Bool(!decisive));
        for item in items.iter() {
            self.locals.push(item.clone());
            let result = self.round(kind, body, only);
            self.locals.pop();
            match (kind, result) {
                (_, Err(EvaluationError::TooLarge)) => return Err(EvaluationError::TooLarge),
                (Loop::All | Loop::Exists, Ok(Some(Value::Bool(value)))) if value == decisive => {
                    return Ok(Value::Bool(decisive));
                }
                (Loop::All | Loop::Exists, Err(error)) if first.is_ok() => first = Err(error),
                (Loop::All | Loop::Exists, _) => {}
                (Loop::ExistsOne, result) => {
                    count += u64::from(matches!(result?, Some(Value::Bool(true))));
                }
                (Loop::Filter, result) => {
                    if matches!(result?, Some(Value::Bool(true))) {
                        made.push(item);
                    }
                }
                (Loop::Map, result) => made.extend(result?),
            }
        }
        match kind {
            Loop::All | Loop::Exists => first,
            Loop::ExistsOne => Ok(Value::Bool(count == 1)),
            Loop::Filter | Loop::Map => Ok(Value::List(List::Made(made.into()))),
        }
    }

    /// The body for one element; none where `map` leaves it out.
    fn round(
        &mut self,
        kind: Loop,
        body: &'v Node,
        only: Option<&'v Node>,
    ) -> Result<Option<Value<'v>>, EvaluationError> {
        if let Some(only) = only
            && !self.truth("the condition of map", only)?
        {
            return Ok(None);
        }
        if kind == Loop::Map {
            return self.value(body).map(Some);
        }
        Ok(Some(Value::Bool(
            self.truth("the condition of a loop", body)?,
        )))
    }
}
