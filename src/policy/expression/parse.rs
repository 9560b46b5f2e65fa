//! Tokens in, a checked tree out: names that don't exist, more levels and loops than allowed, and results that can't be what
//! their place needs are found here, so that a typo shows when the policy is loaded and not at the first job.

mod calls;

use super::MAX_NESTING;
use super::infix::Infix;
use super::names::{list, must_be_bool, select};
use super::syntax::{Form, Node};
use super::token::{self, Token, tokens};
use super::vocabulary::{Kind, Variable};

/// What is wrong, and the byte of the source where.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) at: usize,
    pub(super) problem: String,
}

impl Mistake {
    pub(super) fn new(at: usize, problem: impl Into<String>) -> Self {
        Self {
            at,
            problem: problem.into(),
        }
    }
}

pub(super) type Parsed = Result<Node, Mistake>;

/// The tree of an expression that yields a bool, as far as one can tell without an object.
pub(super) fn parse(source: &str) -> Parsed {
    let mut parser = Parser {
        tokens: tokens(source)?,
        next: 0,
        depth: 0,
        locals: Vec::new(),
    };
    let root = parser.expression()?;
    if *parser.peek() != token::Kind::End {
        return Err(parser.unexpected("an operator or the end"));
    }
    must_be_bool("a condition", &root)?;
    Ok(root)
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    /// Variables of the loops around this place.
    locals: Vec<String>,
}

impl Parser {
    fn peek(&self) -> &token::Kind {
        self.tokens
            .get(self.next)
            .map_or(&token::Kind::End, |token| &token.kind)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(0, |token| token.at)
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), token::Kind::Symbol(found) if *found == symbol);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), Mistake> {
        if self.eat(symbol) {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{symbol}`")))
    }

    fn unexpected(&self, wanted: &str) -> Mistake {
        let found = match self.peek() {
            token::Kind::End => "the end".to_owned(),
            token::Kind::Word(word) => format!("`{word}`"),
            token::Kind::Symbol(symbol) => format!("`{symbol}`"),
            token::Kind::Text(_) => "a string".to_owned(),
            token::Kind::Int(_) | token::Kind::Uint(_) | token::Kind::Double(_) => {
                "a number".to_owned()
            }
        };
        Mistake::new(self.at(), format!("expected {wanted}, found {found}"))
    }

    /// `parse`, one level further down.
    fn deeper(&mut self, parse: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.depth == MAX_NESTING {
            let problem =
                format!("nested more than {MAX_NESTING} levels deep; split the condition");
            return Err(Mistake::new(self.at(), problem));
        }
        self.depth += 1;
        let node = parse(self);
        self.depth -= 1;
        node
    }

    fn expression(&mut self) -> Parsed {
        self.deeper(|parser| {
            let condition = parser.operators(0)?;
            let at = parser.at();
            if !parser.eat("?") {
                return Ok(condition);
            }
            must_be_bool("what is before `?`", &condition)?;
            let yes = parser.operators(0)?;
            parser.expect(":")?;
            let no = parser.expression()?;
            Node::new(at, Form::Choose(Box::new([condition, yes, no])))
        })
    }

    /// Operands and the operators between them that bind at least as strongly as `weakest`.
    fn operators(&mut self, weakest: u8) -> Parsed {
        let mut left = self.unary()?;
        while let Some((infix, level)) = Infix::of(self.peek()).filter(|(_, l)| *l >= weakest) {
            let at = self.at();
            self.next += 1;
            let right = self.operators(level + 1)?;
            left = infix.join(at, left, right)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let at = self.at();
        if self.eat("!") {
            let of = self.deeper(Self::unary)?;
            must_be_bool("what is after `!`", &of)?;
            return Node::new(at, Form::Not(Box::new(of)));
        }
        if self.eat("-") {
            if matches!(self.peek(), token::Kind::Int(_) | token::Kind::Double(_)) {
                return self.member(true);
            }
            let of = self.deeper(Self::unary)?;
            if let Some(kind) = of.kind()
                && !matches!(kind, Kind::Int | Kind::Double)
            {
                let problem = format!("`-` has no result for {}", kind.name());
                return Err(Mistake::new(at, problem));
            }
            return Node::new(at, Form::Negate(Box::new(of)));
        }
        self.member(false)
    }

    /// A value and the fields, indices and methods that follow it.
    fn member(&mut self, negative: bool) -> Parsed {
        let mut node = self.primary(negative)?;
        loop {
            let at = self.at();
            if self.eat(".") {
                let optional = self.eat("?");
                let at = self.at();
                let token::Kind::Word(name) = self.peek().clone() else {
                    return Err(self.unexpected("a field"));
                };
                self.next += 1;
                node = if !optional && self.eat("(") {
                    self.method(at, node, &name)?
                } else {
                    select(at, node, name, optional)?
                };
            } else if self.eat("[") {
                let optional = self.eat("?");
                let of = Box::new(node);
                let key = Box::new(self.expression()?);
                self.expect("]")?;
                node = Node::new(at, Form::Index { of, key, optional })?;
            } else if matches!(self.peek(), token::Kind::Symbol("{")) {
                return Err(Mistake::new(at, "messages can't be made in a condition"));
            } else {
                return Ok(node);
            }
        }
    }

    fn primary(&mut self, negative: bool) -> Parsed {
        let at = self.at();
        let kind = self.peek().clone();
        self.next += usize::from(kind != token::Kind::End);
        let form = match kind {
            token::Kind::Int(value) => {
                let sign = if negative { -1 } else { 1 };
                let value = i64::try_from(i128::from(value) * sign)
                    .map_err(|_| Mistake::new(at, "the number is too large for an int"))?;
                Form::Int(value)
            }
            token::Kind::Uint(value) => Form::Uint(value),
            token::Kind::Double(value) => Form::Double(if negative { -value } else { value }),
            token::Kind::Text(text) => Form::Text(text),
            token::Kind::Word(word) if self.eat("(") => return self.global(at, &word),
            token::Kind::Word(word) => self.name(at, &word)?,
            token::Kind::Symbol("(") => {
                let node = self.expression()?;
                self.expect(")")?;
                return Ok(node);
            }
            token::Kind::Symbol("[") => self.list(at)?,
            token::Kind::Symbol("{") => {
                return Err(Mistake::new(at, "maps can't be made in a condition"));
            }
            token::Kind::Symbol(_) | token::Kind::End => {
                self.next = self
                    .next
                    .saturating_sub(usize::from(kind != token::Kind::End));
                return Err(self.unexpected("a value"));
            }
        };
        Node::new(at, form)
    }

    fn name(&self, at: usize, word: &str) -> Result<Form, Mistake> {
        match word {
            "true" => return Ok(Form::Bool(true)),
            "false" => return Ok(Form::Bool(false)),
            "null" => return Ok(Form::Null),
            _ => {}
        }
        if let Some(local) = self.locals.iter().rposition(|local| local == word) {
            return Ok(Form::Local(local));
        }
        let known = Variable::ALL.iter().find(|(name, _)| *name == word);
        known.map_or_else(
            || {
                let mut names = list(Variable::ALL.map(|(name, _)| name));
                for local in &self.locals {
                    names = format!("{names}, {local}");
                }
                let problem = format!("there is no variable `{word}`; there are {names}");
                Err(Mistake::new(at, problem))
            },
            |(_, variable)| Ok(Form::Variable(*variable)),
        )
    }
}
