//! What somebody who mistyped a word may have meant.

/// The one of `known` that is most like `typed`, if any is like it: another case, another way to join words, or a few
/// letters.
#[must_use]
pub fn near<'k>(typed: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let wanted = bare(typed);
    known
        .into_iter()
        .map(|name| (distance(&wanted, &bare(name)), name))
        .filter(|(distance, name)| *distance <= (name.len() / 4).max(1))
        .min()
        .map(|(_, name)| name)
}

fn bare(word: &str) -> Vec<char> {
    const LONGEST: usize = 64;
    word.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .take(LONGEST)
        .collect()
}

/// Letters to insert, drop or change (Levenshtein).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.iter().enumerate() {
        let mut left = above + 1;
        let mut corner = above;
        for (index, wanted) in other.iter().enumerate() {
            let change = corner + usize::from(letter != wanted);
            corner = row.get(index + 1).copied().unwrap_or_default();
            let cell = change.min(corner + 1).min(left + 1);
            if let Some(slot) = row.get_mut(index) {
                *slot = left;
            }
            left = cell;
        }
        if let Some(last) = row.last_mut() {
            *last = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_was_meant() {
        let known = [
            "schedule",
            "namespaceSelector",
            "exemptions",
            "Deny",
            "match",
        ];
        for (typed, meant) in [
            ("scedule", Some("schedule")),
            ("namespace_selector", Some("namespaceSelector")),
            ("exemption", Some("exemptions")),
            ("deny", Some("Deny")),
            ("Denny", Some("Deny")),
            ("matches", None),
            ("foo", None),
            ("", None),
        ] {
            assert_eq!(near(typed, known), meant, "{typed}");
        }
    }
}
