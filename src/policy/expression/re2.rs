//! A pattern as Kubernetes takes it in, the same for the regex crates out.
//!
//! Kubernetes has RE2's syntax (Go `regexp/syntax`). Most of it is the same, and what isn't, mostly means something else
//! without any error: `\d` is of all scripts, `\<` begins a word, and in a class `[` begins another and `&&` intersects two.

/// Classes by name that may stand in a class.
const NAMED: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// The pattern for the regex crate, or what is wrong with it. Most mistakes are left to be found there.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut translator = Translator {
        rest: pattern,
        made: String::new(),
    };
    while let Some(c) = translator.next() {
        match c {
            '\\' => translator.escape()?,
            '[' => translator.class()?,
            '{' if !translator.is_repetition() => translator.made.push_str(r"\{"),
            '(' => translator.group()?,
            c => translator.made.push(c),
        }
    }
    Ok(translator.made)
}

struct Translator<'p> {
    rest: &'p str,
    made: String,
}

/// A place of a class.
enum Item {
    /// A character, as it is written for the regex crate. It may begin or end a range.
    One(String),
    Many(String),
}

impl Translator<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..)?;
        Some(c)
    }

    /// Whether what follows an opening brace is a number of times; else the brace is one.
    fn is_repetition(&self) -> bool {
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let times = self.rest.split_once('}').map(|(times, _)| times);
        times.is_some_and(|times| match times.split_once(',') {
            Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
            None => is_number(times),
        })
    }

    /// An opening bracket, with its flags.
    fn group(&mut self) -> Result<(), String> {
        self.made.push('(');
        let Some(flags) = self.rest.strip_prefix('?') else {
            return Ok(());
        };
        let flags = flags.split([':', ')', 'P', '<']).next().unwrap_or_default();
        match flags.chars().find(|flag| !"imsU-".contains(*flag)) {
            Some(flag) => Err(format!(
                "has the flag `{flag}`, which RE2 doesn't know; there are i, m, s and U"
            )),
            None => Ok(()),
        }
    }

    /// What a backslash and the character after it stand for, out of a class.
    fn escape(&mut self) -> Result<(), String> {
        match self.rest.chars().next() {
            Some('b') => self.made.push_str(r"(?-u:\b)"),
            Some('B') => self.made.push_str(r"(?-u:\B)"),
            Some(anchor @ ('A' | 'z')) => self.made.extend(['\\', anchor]),
            _ => {
                match self.escaped()? {
                    Item::One(text) | Item::Many(text) => self.made.push_str(&text),
                }
                return Ok(());
            }
        }
        self.next();
        Ok(())
    }

    /// The same where it stands for characters.
    fn escaped(&mut self) -> Result<Item, String> {
        let many = |text: &str| Ok(Item::Many(text.to_owned()));
        match self.next() {
            Some('d') => many("[0-9]"),
            Some('D') => many("[^0-9]"),
            Some('s') => many(r"[\t\n\f\r ]"),
            Some('S') => many(r"[^\t\n\f\r ]"),
            Some('w') => many("[0-9A-Za-z_]"),
            Some('W') => many("[^0-9A-Za-z_]"),
            Some(class @ ('p' | 'P')) => Ok(Item::Many(self.named(class, 1))),
            Some('x') => Ok(Item::One(self.named('x', 2))),
            Some(c @ ('a' | 'f' | 'n' | 'r' | 't' | 'v')) => Ok(Item::One(format!("\\{c}"))),
            Some(c) if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(Item::One(literal(c))),
            Some(c) => Err(format!("isn't one: `\\{c}` is nothing here")),
            None => Err("isn't one: it ends in a backslash".to_owned()),
        }
    }

    /// An escape and its name, which is in braces or has this many characters.
    fn named(&mut self, escape: char, length: usize) -> String {
        let end = if self.rest.starts_with('{') {
            self.rest.find('}').map(|brace| brace + 1)
        } else {
            self.rest.char_indices().nth(length).map(|(end, _)| end)
        };
        let (name, rest) = self
            .rest
            .split_at_checked(end.unwrap_or(self.rest.len()))
            .unwrap_or_default();
        self.rest = rest;
        format!("\\{escape}{name}")
    }

    /// A class, after its opening bracket.
    fn class(&mut self) -> Result<(), String> {
        self.made.push('[');
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.rest = rest;
            self.made.push('^');
        }
        let mut is_first = true;
        while is_first || !self.rest.starts_with(']') {
            is_first = false;
            let first = match self.item()? {
                Item::Many(text) => {
                    self.made.push_str(&text);
                    continue;
                }
                Item::One(first) => first,
            };
            self.made.push_str(&first);
            let Some(rest) = self
                .rest
                .strip_prefix('-')
                .filter(|it| !it.starts_with(']'))
            else {
                continue;
            };
            self.rest = rest;
            match self.item()? {
                Item::One(last) => self.made.extend(["-", &last]),
                Item::Many(_) => {
                    return Err("isn't one: a range ends in many characters".to_owned());
                }
            }
        }
        self.next();
        self.made.push(']');
        Ok(())
    }

    /// One place of a class.
    fn item(&mut self) -> Result<Item, String> {
        if let Some(named) = self.rest.strip_prefix("[:")
            && let Some((name, rest)) = named.split_once(":]")
        {
            if !NAMED.contains(&name.trim_start_matches('^')) {
                return Err(format!("isn't one: there is no class `{name}`"));
            }
            self.rest = rest;
            return Ok(Item::Many(format!("[:{name}:]")));
        }
        match self.next() {
            Some('\\') => self.escaped(),
            Some(c) => Ok(Item::One(literal(c))),
            None => Err("isn't one: unclosed character class".to_owned()),
        }
    }
}

/// A character that means itself.
fn literal(c: char) -> String {
    if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
        format!("\\{c}")
    } else {
        c.to_string()
    }
}
