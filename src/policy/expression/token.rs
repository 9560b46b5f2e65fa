//! An expression's characters, as tokens.

use super::parse::Mistake;

/// Operators and brackets; of two that begin alike the longer is first.
const SYMBOLS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",",
    "(", ")", "[", "]", "{", "}",
];

/// A token, and the byte at which it begins.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A name or a word of the language.
    Word(String),
    /// A whole number without its sign.
    Int(u64),
    Uint(u64),
    Double(f64),
    Text(String),
    Symbol(&'static str),
    End,
}

/// The tokens of an expression, the last being [`Kind::End`].
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, Mistake> {
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_space();
        let at = lexer.at;
        let kind = lexer.token()?;
        let last = kind == Kind::End;
        tokens.push(Token { at, kind });
        if last {
            return Ok(tokens);
        }
    }
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn eat(&mut self, start: &str) -> bool {
        let found = self.rest().starts_with(start);
        if found {
            self.at += start.len();
        }
        found
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest().chars().next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// What follows as long as it is `wanted`.
    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        loop {
            self.take(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c'));
            if !self.eat("//") {
                return;
            }
            self.take(|c| c != '\n');
        }
    }

    fn token(&mut self) -> Result<Kind, Mistake> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(Kind::End);
        };
        let second = rest.chars().nth(1);
        let quote = |c: Option<char>| matches!(c, Some('"' | '\''));
        match first {
            '"' | '\'' => self.text(false),
            'r' | 'R' if quote(second) => {
                self.at += 1;
                self.text(true)
            }
            'b' | 'B' if quote(second) => Err(Mistake::new(
                self.at,
                "bytes aren't supported; write a string",
            )),
            '0'..='9' => self.number(),
            '.' if second.is_some_and(|c| c.is_ascii_digit()) => self.number(),
            '_' | 'a'..='z' | 'A'..='Z' => Ok(Kind::Word(
                self.take(|c| c == '_' || c.is_ascii_alphanumeric())
                    .to_owned(),
            )),
            _ => match SYMBOLS.into_iter().find(|symbol| self.eat(symbol)) {
                Some(symbol) => Ok(Kind::Symbol(symbol)),
                None => Err(Mistake::new(
                    self.at,
                    format!("{first:?} isn't part of CEL"),
                )),
            },
        }
    }

    fn number(&mut self) -> Result<Kind, Mistake> {
        let at = self.at;
        let too_large = || Mistake::new(at, "the number is too large");
        if self.eat("0x") || self.eat("0X") {
            let digits = self.take(|c| c.is_ascii_hexdigit());
            let value = u64::from_str_radix(digits, 16).map_err(|_| too_large())?;
            return Ok(self.whole(value));
        }
        let digits = |c: char| c.is_ascii_digit();
        self.take(digits);
        let mut whole = true;
        let mut after = self.rest().chars();
        if after.next() == Some('.') && after.next().is_some_and(digits) {
            whole = false;
            self.at += 1;
            self.take(digits);
        }
        let mut after = self.rest().chars();
        if matches!(after.next(), Some('e' | 'E')) {
            let sign = usize::from(matches!(after.clone().next(), Some('+' | '-')));
            if after.nth(sign).is_some_and(digits) {
                whole = false;
                self.at += 1 + sign;
                self.take(digits);
            }
        }
        let text = self.source.get(at..self.at).unwrap_or_default();
        if whole {
            let value = text.parse().map_err(|_| too_large())?;
            return Ok(self.whole(value));
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Kind::Double(value)),
            _ => Err(too_large()),
        }
    }

    fn whole(&mut self, value: u64) -> Kind {
        if self.eat("u") || self.eat("U") {
            Kind::Uint(value)
        } else {
            Kind::Int(value)
        }
    }

    /// A string from its opening quote: one or three quotes of either sort, and escapes unless it is raw.
    fn text(&mut self, raw: bool) -> Result<Kind, Mistake> {
        let at = self.at;
        let quote = ["\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find(|quote| self.eat(quote))
            .unwrap_or_default();
        let mut text = String::new();
        while !self.eat(quote) {
            match self.next() {
                None => return Err(Mistake::new(at, "the string has no end")),
                Some('\n' | '\r') if quote.len() == 1 => {
                    return Err(Mistake::new(at, "the string goes past the end of its line"));
                }
                Some('\\') if !raw => text.push(self.escape()?),
                Some(c) => text.push(c),
            }
        }
        Ok(Kind::Text(text))
    }

    /// What stands for one character, after its backslash.
    fn escape(&mut self) -> Result<char, Mistake> {
        let at = self.at;
        let unknown = || Mistake::new(at, "the string has an escape that CEL doesn't know");
        let digits = match self.next() {
            Some(c @ ('\\' | '?' | '"' | '\'' | '`')) => return Ok(c),
            Some('a') => return Ok('\x07'),
            Some('b') => return Ok('\x08'),
            Some('f') => return Ok('\x0c'),
            Some('n') => return Ok('\n'),
            Some('r') => return Ok('\r'),
            Some('t') => return Ok('\t'),
            Some('v') => return Ok('\x0b'),
            Some('x' | 'X') => (2, 16),
            Some('u') => (4, 16),
            Some('U') => (8, 16),
            Some('0'..='3') => {
                self.at = at;
                (3, 8)
            }
            _ => return Err(unknown()),
        };
        let (length, radix) = digits;
        let code = self.rest().get(..length).unwrap_or_default();
        let is_digits = !code.is_empty() && code.chars().all(|c| c.is_digit(radix));
        self.at += length;
        u32::from_str_radix(code, radix)
            .ok()
            .filter(|_| is_digits)
            .and_then(char::from_u32)
            .ok_or_else(unknown)
    }
}
