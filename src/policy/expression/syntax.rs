//! What a parsed expression is made of.

use super::MAX_HEIGHT;
use super::parse::Mistake;
use super::pattern::Pattern;
use super::vocabulary::{Function, Kind, Loop, Operator, Variable};

/// A place of an expression, and the byte of the source that it is told by.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: usize,
    pub(super) form: Form,
    height: usize,
}

#[derive(Debug)]
pub(super) enum Form {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    Variable(Variable),
    /// The variable of a loop, counted from the outermost.
    Local(usize),
    List(Vec<Node>),
    /// `of.field`, or `of.?field`.
    Select {
        of: Box<Node>,
        field: String,
        optional: bool,
    },
    /// `has(of.field)`.
    Has {
        of: Box<Node>,
        field: String,
    },
    /// `of[key]`, or `of[?key]`.
    Index {
        of: Box<Node>,
        key: Box<Node>,
        optional: bool,
    },
    Not(Box<Node>),
    Negate(Box<Node>),
    /// `a && b && c`.
    All(Vec<Node>),
    /// `a || b || c`.
    Any(Vec<Node>),
    Binary(Operator, Box<[Node; 2]>),
    /// `condition ? yes : no`.
    Choose(Box<[Node; 3]>),
    Call(Function, Vec<Node>),
    /// `of.orValue(other)`, of which the other is evaluated only where it is needed.
    OrValue(Box<[Node; 2]>),
    /// `of.matches("...")`.
    Matches(Box<Node>, Box<Pattern>),
    /// A macro over a list, or over the keys of a map; the body is evaluated for each.
    Loop {
        kind: Loop,
        over: Box<Node>,
        body: Box<Node>,
        /// The condition of `map` with three arguments.
        only: Option<Box<Node>>,
    },
}

impl Form {
    fn children(&self) -> Vec<&Node> {
        match self {
            Self::List(nodes) | Self::All(nodes) | Self::Any(nodes) | Self::Call(_, nodes) => {
                nodes.iter().collect()
            }
            Self::Select { of, .. }
            | Self::Has { of, .. }
            | Self::Not(of)
            | Self::Negate(of)
            | Self::Matches(of, _) => vec![of],
            Self::Index { of, key, .. } => vec![of, key],
            Self::Binary(_, nodes) | Self::OrValue(nodes) => nodes.iter().collect(),
            Self::Choose(nodes) => nodes.iter().collect(),
            Self::Loop {
                over, body, only, ..
            } => {
                let mut nodes: Vec<&Node> = vec![over, body];
                nodes.extend(only.as_deref());
                nodes
            }
            _ => Vec::new(),
        }
    }
}

impl Node {
    /// A node, unless it is too high above its lowest leaf: every walk down recurses.
    pub(super) fn new(at: usize, form: Form) -> Result<Self, Mistake> {
        let children = form.children();
        let height = children.iter().map(|node| node.height).max().unwrap_or(0) + 1;
        if height > MAX_HEIGHT {
            let problem =
                format!("more than {MAX_HEIGHT} operations on one another; split the condition");
            return Err(Mistake::new(at, problem));
        }
        Ok(Self { at, form, height })
    }

    /// The kind of the result, where every object gives the same.
    pub(super) fn kind(&self) -> Option<Kind> {
        match &self.form {
            Form::Null => Some(Kind::Null),
            Form::Int(_) => Some(Kind::Int),
            Form::Uint(_) => Some(Kind::Uint),
            Form::Double(_) => Some(Kind::Double),
            Form::Text(_) => Some(Kind::Text),
            Form::List(_) => Some(Kind::List),
            Form::Bool(_)
            | Form::Has { .. }
            | Form::Not(_)
            | Form::All(_)
            | Form::Any(_)
            | Form::Matches(..) => Some(Kind::Bool),
            Form::Select { optional: true, .. } | Form::Index { optional: true, .. } => {
                Some(Kind::Optional)
            }
            Form::Select { of, .. } | Form::Index { of, .. }
                if of.kind() == Some(Kind::Optional) =>
            {
                Some(Kind::Optional)
            }
            Form::Select { of, field, .. } => Variable::kind_of(&of.path()?, field),
            // What is looked for by a text is a label, or nothing that is known.
            Form::Index { of, .. } => Variable::kind_of(&of.path()?, ""),
            Form::Variable(variable) => (*variable != Variable::OldObject).then_some(Kind::Map),
            Form::Local(_) | Form::OrValue(_) => None,
            Form::Negate(of) => of.kind(),
            Form::Binary(operator, nodes) => match operator {
                Operator::Arithmetic(_) => nodes[0].kind().or_else(|| nodes[1].kind()),
                _ => Some(Kind::Bool),
            },
            Form::Choose(nodes) => nodes[1]
                .kind()
                .filter(|kind| nodes[2].kind() == Some(*kind)),
            Form::Call(function, _) => function.result(),
            Form::Loop { kind, .. } => Some(match kind {
                Loop::Map | Loop::Filter => Kind::List,
                Loop::All | Loop::Exists | Loop::ExistsOne => Kind::Bool,
            }),
        }
    }

    /// `a.b.c`, where it is nothing but a variable and fields.
    pub(super) fn path(&self) -> Option<String> {
        match &self.form {
            Form::Variable(variable) => Some(variable.name().to_owned()),
            Form::Select { of, field, .. } => Some(format!("{}.{field}", of.path()?)),
            _ => None,
        }
    }
}
