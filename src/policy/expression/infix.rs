//! Operators between two operands: how strongly they bind, and what becomes of them.

use super::names::must_be_bool;
use super::parse::{Mistake, Parsed};
use super::syntax::{Form, Node};
use super::token;
use super::vocabulary::{Arithmetic, Kind, Operator};

/// An operator between two operands.
#[derive(Clone, Copy)]
pub(super) enum Infix {
    Or,
    And,
    Plain(Operator),
}

impl Infix {
    /// The operator that a token is, and how strongly it binds.
    pub(super) fn of(kind: &token::Kind) -> Option<(Self, u8)> {
        let arithmetic = |operator, level| (Self::Plain(Operator::Arithmetic(operator)), level);
        let relation = |operator| (Self::Plain(operator), 2);
        Some(match kind {
            token::Kind::Word(word) if word == "in" => relation(Operator::In),
            token::Kind::Symbol(symbol) => match *symbol {
                "||" => (Self::Or, 0),
                "&&" => (Self::And, 1),
                "==" => relation(Operator::Equal),
                "!=" => relation(Operator::NotEqual),
                "<" => relation(Operator::Less),
                "<=" => relation(Operator::LessOrEqual),
                ">" => relation(Operator::Greater),
                ">=" => relation(Operator::GreaterOrEqual),
                "+" => arithmetic(Arithmetic::Add, 3),
                "-" => arithmetic(Arithmetic::Subtract, 3),
                "*" => arithmetic(Arithmetic::Multiply, 4),
                "/" => arithmetic(Arithmetic::Divide, 4),
                "%" => arithmetic(Arithmetic::Remainder, 4),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Both operands, joined.
    pub(super) fn join(self, at: usize, left: Node, right: Node) -> Parsed {
        let mut nodes = match (self, left) {
            (Self::Plain(operator), left) => {
                if !operator.takes(left.kind(), right.kind()) {
                    let kind = |node: &Node| node.kind().map_or("anything", Kind::name);
                    let (sign, left, right) = (operator.sign(), kind(&left), kind(&right));
                    let problem = format!("`{sign}` has no result for {left} and {right}");
                    return Err(Mistake::new(at, problem));
                }
                return Node::new(at, Form::Binary(operator, Box::new([left, right])));
            }
            // A chain is one node, so that a long one isn't a deep one.
            (
                Self::Or,
                Node {
                    form: Form::Any(nodes),
                    ..
                },
            )
            | (
                Self::And,
                Node {
                    form: Form::All(nodes),
                    ..
                },
            ) => nodes,
            (_, left) => vec![left],
        };
        nodes.push(right);
        for node in &nodes {
            must_be_bool("an operand of `&&` and `||`", node)?;
        }
        Node::new(
            at,
            match self {
                Self::Or => Form::Any(nodes),
                _ => Form::All(nodes),
            },
        )
    }
}
