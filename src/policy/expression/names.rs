//! Whether what an expression names exists, and is used as it must be.

use super::parse::{Mistake, Parsed};
use super::pattern::matches;
use super::syntax::{Form, Node};
use super::vocabulary::{Call, Function, Kind, Loop, Variable};

/// Words of the language, which name nothing.
pub(super) const KEYWORDS: [&str; 4] = ["true", "false", "null", "in"];
/// Words that CEL keeps for later (cel-go v0.26.0 `parser/parser.go`, `reservedIds`), which can't be variables.
pub(super) const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

pub(super) fn must_be_bool(what: &str, node: &Node) -> Result<(), Mistake> {
    match node.kind() {
        None | Some(Kind::Bool) => Ok(()),
        Some(kind) => {
            let problem = format!("{what} must be a bool, and this is of type {}", kind.name());
            Err(Mistake::new(node.at, problem))
        }
    }
}

/// Names for an error, one after the other.
pub(super) fn list<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// The names of the macros that are loops.
pub(super) fn loops() -> [&'static str; Loop::ALL.len()] {
    Loop::ALL.map(|(name, _)| name)
}

/// A field, which must exist where the shape of what it belongs to is known.
pub(super) fn select(at: usize, of: Node, field: String, optional: bool) -> Parsed {
    if KEYWORDS.contains(&field.as_str()) {
        let problem = format!("`{field}` is a word of CEL; write ['{field}']");
        return Err(Mistake::new(at, problem));
    }
    if let Some(fields) = of.path().as_deref().and_then(Variable::fields)
        && !fields.iter().any(|(name, _)| *name == field)
    {
        let fields = list(fields.iter().map(|(name, _)| *name));
        let problem = format!("there is no field `{field}` here; there are {fields}");
        return Err(Mistake::new(at, problem));
    }
    let of = Box::new(of);
    Node::new(
        at,
        Form::Select {
            of,
            field,
            optional,
        },
    )
}

/// A call of a function that must exist, with as many arguments as it takes.
pub(super) fn call(at: usize, name: &str, how: Call, arguments: Vec<Node>) -> Parsed {
    let found = Function::ALL.iter().find(|(known, ..)| *known == name);
    let Some(&(_, function, allowed, count)) = found else {
        let functions = list(Function::ALL.map(|(name, ..)| name));
        let problem = format!(
            "there is no function `{name}`; there are has, {}, {functions}",
            list(loops())
        );
        return Err(Mistake::new(at, problem));
    };
    let how_to = match allowed {
        Call::Global => format!("{name}(...)"),
        Call::Method | Call::Both => format!("x.{name}(...)"),
    };
    if allowed != how && allowed != Call::Both {
        return Err(Mistake::new(at, format!("`{name}` is called as {how_to}")));
    }
    if arguments.len() != count {
        let values = count - usize::from(how == Call::Method);
        let problem = format!("`{name}` takes {values} between its brackets");
        return Err(Mistake::new(at, problem));
    }
    if function == Function::Matches {
        return matches(at, arguments);
    }
    let form = match (function, <[Node; 2]>::try_from(arguments)) {
        (Function::OrValue, Ok(both)) => Form::OrValue(Box::new(both)),
        (_, Ok(both)) => Form::Call(function, both.into()),
        (_, Err(arguments)) => Form::Call(function, arguments),
    };
    Node::new(at, form)
}
