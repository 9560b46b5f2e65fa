//! What stands in brackets: elements, arguments, and the bodies of macros.

use super::{Mistake, Parsed, Parser};
use crate::policy::expression::MAX_LOOPS;
use crate::policy::expression::names::{KEYWORDS, RESERVED, call, list, loops, must_be_bool};
use crate::policy::expression::syntax::{Form, Node};
use crate::policy::expression::token;
use crate::policy::expression::vocabulary::{Call, Kind, Loop};

impl Parser {
    /// The elements of a list, after its opening bracket. As in Kubernetes they are of one kind.
    pub(super) fn list(&mut self, at: usize) -> Result<Form, Mistake> {
        let nodes = self.arguments("]")?;
        let mut kinds = nodes.iter().filter_map(Node::kind);
        let first = kinds.next();
        if let Some(other) = kinds.find(|kind| Some(*kind) != first) {
            let first = first.map_or("", Kind::name);
            let problem = format!(
                "the list has elements of types {first} and {}",
                other.name()
            );
            return Err(Mistake::new(at, problem));
        }
        Ok(Form::List(nodes))
    }

    /// Expressions up to the closing bracket; a comma may be last in a list.
    fn arguments(&mut self, close: &str) -> Result<Vec<Node>, Mistake> {
        let mut nodes = Vec::new();
        while !self.eat(close) {
            nodes.push(self.expression()?);
            if !self.eat(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(nodes)
    }

    /// `has(...)`, or a function, after its opening bracket.
    pub(super) fn global(&mut self, at: usize, name: &str) -> Parsed {
        let arguments = self.arguments(")")?;
        if name != "has" {
            return call(at, name, Call::Global, arguments);
        }
        let only = <[Node; 1]>::try_from(arguments).ok();
        match only.map(|[node]| node.form) {
            Some(Form::Select {
                of,
                field,
                optional: false,
            }) => Node::new(at, Form::Has { of, field }),
            _ => Err(Mistake::new(
                at,
                "has() takes one field, such as has(object.spec)",
            )),
        }
    }

    /// A macro or a function on `of`, after its opening bracket.
    pub(super) fn method(&mut self, at: usize, of: Node, name: &str) -> Parsed {
        let Some((_, kind)) = Loop::ALL.into_iter().find(|(macro_, _)| *macro_ == name) else {
            let mut arguments = vec![of];
            arguments.extend(self.arguments(")")?);
            return call(at, name, Call::Method, arguments);
        };
        if self.locals.len() == MAX_LOOPS {
            let problem = format!("`{name}` can't be inside another loop ({})", list(loops()));
            return Err(Mistake::new(at, problem));
        }
        match self.peek().clone() {
            token::Kind::Word(local) if RESERVED.contains(&local.as_str()) => {
                let problem = format!("`{local}` is a word of CEL; choose another name");
                return Err(Mistake::new(self.at(), problem));
            }
            token::Kind::Word(local) if !KEYWORDS.contains(&local.as_str()) => {
                self.next += 1;
                self.locals.push(local);
            }
            _ => return Err(self.unexpected("the name of the loop's variable")),
        }
        self.expect(",")?;
        let first = self.expression()?;
        let second = match kind {
            Loop::Map if self.eat(",") => Some(self.expression()?),
            _ => None,
        };
        self.expect(")")?;
        self.locals.pop();
        let (only, body) = match second {
            Some(second) => (Some(Box::new(first)), second),
            None => (None, first),
        };
        if kind != Loop::Map {
            must_be_bool(&format!("the condition of {name}"), &body)?;
        }
        let (over, body) = (Box::new(of), Box::new(body));
        let form = Form::Loop {
            kind,
            over,
            body,
            only,
        };
        Node::new(at, form)
    }
}
