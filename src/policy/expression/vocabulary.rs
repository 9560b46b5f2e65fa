//! The names and signs that an expression may use, and the kinds of values that they are for.

/// A kind of value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    List,
    Map,
    Optional,
}

impl Kind {
    /// As CEL calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Text => "string",
            Self::List => "list",
            Self::Map => "map",
            Self::Optional => "optional",
        }
    }
}

/// What an expression sees.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Variable {
    Object,
    OldObject,
    Request,
    NamespaceObject,
}

impl Variable {
    pub(super) const ALL: [(&'static str, Self); 4] = [
        ("object", Self::Object),
        ("oldObject", Self::OldObject),
        ("request", Self::Request),
        ("namespaceObject", Self::NamespaceObject),
    ];

    /// The fields of a variable whose shape is ours, so that a typo in one is told at once.
    pub(super) fn fields(path: &str) -> Option<&'static [(&'static str, Kind)]> {
        Some(match path {
            "request" => &[
                ("operation", Kind::Text),
                ("namespace", Kind::Text),
                ("name", Kind::Text),
                ("dryRun", Kind::Bool),
                ("userInfo", Kind::Map),
            ],
            "request.userInfo" => &[
                ("username", Kind::Text),
                ("uid", Kind::Text),
                ("groups", Kind::List),
                ("extra", Kind::Map),
            ],
            "namespaceObject" => &[("metadata", Kind::Map)],
            "namespaceObject.metadata" => &[("name", Kind::Text), ("labels", Kind::Map)],
            _ => return None,
        })
    }

    /// The kind of what is there under `field`, if it is known: comparing a label with a number would hold for no namespace.
    pub(super) fn kind_of(path: &str, field: &str) -> Option<Kind> {
        if path == "namespaceObject.metadata.labels" {
            return Some(Kind::Text);
        }
        let mut fields = Self::fields(path)?.iter();
        fields
            .find(|(name, _)| *name == field)
            .map(|(_, kind)| *kind)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::OldObject => "oldObject",
            Self::Request => "request",
            Self::NamespaceObject => "namespaceObject",
        }
    }
}

/// An operator with two operands that evaluates both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Arithmetic(Arithmetic),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    /// Whether there can be a result for operands of these kinds, none being one that only evaluation tells.
    pub(super) fn takes(self, left: Option<Kind>, right: Option<Kind>) -> bool {
        use Kind::{Bool, Double, Int, List, Map, Null, Text, Uint};
        let both = |kinds: &[Kind]| {
            let one = |kind: Option<Kind>| kind.is_none_or(|kind| kinds.contains(&kind));
            one(left) && one(right)
        };
        let alike = left.is_none() || right.is_none() || left == right;
        match self {
            Self::Equal | Self::NotEqual => {
                let may_be_null =
                    |kind| !matches!(kind, Some(Bool | Int | Uint | Double | Text | List));
                alike
                    || left == Some(Null) && may_be_null(right)
                    || right == Some(Null) && may_be_null(left)
            }
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => {
                both(&[Int, Uint, Double]) || alike && both(&[Bool, Text])
            }
            Self::In => right.is_none_or(|kind| matches!(kind, List | Map)),
            Self::Arithmetic(Arithmetic::Add) => alike && both(&[Int, Uint, Double, Text, List]),
            Self::Arithmetic(Arithmetic::Remainder) => alike && both(&[Int, Uint]),
            Self::Arithmetic(_) => alike && both(&[Int, Uint, Double]),
        }
    }

    /// As it is written.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Arithmetic(Arithmetic::Add) => "+",
            Self::Arithmetic(Arithmetic::Subtract) => "-",
            Self::Arithmetic(Arithmetic::Multiply) => "*",
            Self::Arithmetic(Arithmetic::Divide) => "/",
            Self::Arithmetic(Arithmetic::Remainder) => "%",
        }
    }
}

/// The macros that evaluate their body for each element.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Loop {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

impl Loop {
    pub(super) const ALL: [(&'static str, Self); 5] = [
        ("all", Self::All),
        ("exists", Self::Exists),
        ("exists_one", Self::ExistsOne),
        ("filter", Self::Filter),
        ("map", Self::Map),
    ];
}

/// The functions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Function {
    Bool,
    Contains,
    Double,
    Dyn,
    EndsWith,
    HasValue,
    Int,
    LowerAscii,
    Matches,
    OrValue,
    Size,
    Split,
    StartsWith,
    String,
    Trim,
    Uint,
    UpperAscii,
    Value,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Call {
    /// `int(x)`.
    Global,
    /// `x.contains(y)`.
    Method,
    /// Either.
    Both,
}

impl Function {
    /// Every function: name, how it is called, and with how many values, the one before the dot included.
    pub(super) const ALL: [(&'static str, Self, Call, usize); 18] = [
        ("bool", Self::Bool, Call::Global, 1),
        ("contains", Self::Contains, Call::Method, 2),
        ("double", Self::Double, Call::Global, 1),
        ("dyn", Self::Dyn, Call::Global, 1),
        ("endsWith", Self::EndsWith, Call::Method, 2),
        ("hasValue", Self::HasValue, Call::Method, 1),
        ("int", Self::Int, Call::Global, 1),
        ("lowerAscii", Self::LowerAscii, Call::Method, 1),
        ("matches", Self::Matches, Call::Both, 2),
        ("orValue", Self::OrValue, Call::Method, 2),
        ("size", Self::Size, Call::Both, 1),
        ("split", Self::Split, Call::Method, 2),
        ("startsWith", Self::StartsWith, Call::Method, 2),
        ("string", Self::String, Call::Global, 1),
        ("trim", Self::Trim, Call::Method, 1),
        ("uint", Self::Uint, Call::Global, 1),
        ("upperAscii", Self::UpperAscii, Call::Method, 1),
        ("value", Self::Value, Call::Method, 1),
    ];

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, function, ..)| *function == self)
            .map_or("", |(name, ..)| name)
    }

    /// The kind of what it gives, where every value gives the same.
    pub(super) fn result(self) -> Option<Kind> {
        Some(match self {
            Self::Bool
            | Self::Contains
            | Self::EndsWith
            | Self::HasValue
            | Self::Matches
            | Self::StartsWith => Kind::Bool,
            Self::Double => Kind::Double,
            Self::Int | Self::Size => Kind::Int,
            Self::LowerAscii | Self::String | Self::Trim | Self::UpperAscii => Kind::Text,
            Self::Split => Kind::List,
            Self::Uint => Kind::Uint,
            Self::Dyn | Self::OrValue | Self::Value => return None,
        })
    }
}
