//! Texts and names in CEL.

/// Longest part of a policy's name in an identifier.
const LONGEST: usize = 40;

/// A string literal.
pub(super) fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for c in text.chars() {
        match c {
            '\'' | '\\' => {
                literal.push('\\');
                literal.push(c);
            }
            c if c.is_control() => literal.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            c => literal.push(c),
        }
    }
    literal.push('\'');
    literal
}

/// A list of string literals.
pub(super) fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts: Vec<_> = texts.into_iter().map(quoted).collect();
    format!("[{}]", texts.join(", "))
}

/// What a policy is called in expressions: a name that no other has, and that tells which one is meant.
pub(super) fn identifier(rank: usize, name: &str) -> String {
    let name: String = name
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    format!("p{rank}_{name}")
}

/// All of them; none where there is nothing to ask.
pub(super) fn all(terms: &[String]) -> Option<String> {
    (!terms.is_empty()).then(|| terms.join(" && "))
}

/// One of them, as one term.
pub(super) fn any(terms: Vec<String>) -> Option<String> {
    match terms.len() {
        0 => None,
        1 => terms.into_iter().next(),
        _ => Some(format!("({})", terms.join(" || "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_holds_any_text() {
        assert_eq!(quoted("research"), "'research'");
        assert_eq!(quoted("it's \"a\\b\"\n"), "'it\\'s \"a\\\\b\"\\u000a'");
    }

    #[test]
    fn names_that_look_alike_stay_apart() {
        assert_eq!(identifier(1, "a.b"), "p1_a_b");
        assert_ne!(identifier(1, "a.b"), identifier(2, "a-b"));
    }
}
