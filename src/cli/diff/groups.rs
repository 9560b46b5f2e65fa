//! Differences in, groups of ranks that differ in the same way out, so that a thousand workers read as one.
//!
//! A number that grows with the rank is written as `<rank>`, `<rank-1>` and the like: `"mnist-worker-<rank-1>"`.

mod secrets;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use crate::parity::compare::Difference;
use crate::parity::declared::Declared;

pub(super) use secrets::without_secrets;

/// A group that would fall into more parts than this is told by an example.
const MOST_PARTS: usize = 8;

/// One field that differs in the same way on some ranks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    /// The ranks; none for a fact of the job as a whole.
    pub ranks: Option<BTreeSet<usize>>,
    /// The fact's name.
    pub field: String,
    /// What it is under v1, as JSON.
    pub v1: Option<String>,
    /// What it is under v2, as JSON.
    pub v2: Option<String>,
    /// Whether `<rank>` stands for numbers in the values.
    pub is_pattern: bool,
    /// Whether each rank has values of its own, and these are the first one's.
    pub is_example: bool,
    /// Why it may differ.
    pub declared: Option<&'static Declared>,
}

/// Values of one rank: their texts, and the numbers in them.
struct Entry {
    rank: usize,
    texts: [Option<String>; 2],
    numbers: Vec<u64>,
}

/// Groups differences: first what nothing explains, then by ranks and fields.
pub(super) fn of(differences: &[Difference]) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut alike: BTreeMap<_, Vec<Entry>> = BTreeMap::new();
    for difference in differences {
        let texts =
            [&difference.v1, &difference.v2].map(|value| value.as_ref().map(Value::to_string));
        let declared = difference.declared;
        let Some(rank) = difference.rank else {
            groups.push(Group {
                ranks: None,
                field: difference.field.clone(),
                v1: texts[0].clone(),
                v2: texts[1].clone(),
                is_pattern: false,
                is_example: false,
                declared,
            });
            continue;
        };
        let mut numbers = Vec::new();
        let skeletons = texts
            .each_ref()
            .map(|text| text.as_ref().map(|text| skeleton(text, &mut numbers)));
        let name = declared.map(|declared| declared.name);
        let key = (difference.field.as_str(), name, skeletons);
        alike.entry(key).or_default().push(Entry {
            rank,
            texts,
            numbers,
        });
    }
    let reasons: BTreeMap<_, _> = differences
        .iter()
        .filter_map(|difference| difference.declared)
        .map(|declared| (declared.name, declared))
        .collect();
    for ((field, name, _), entries) in alike {
        let declared = name.and_then(|name| reasons.get(name).copied());
        groups.extend(parts(field, declared, entries));
    }
    groups.sort_by(|a, b| {
        let key = |group: &Group| {
            (
                group.declared.is_some(),
                group.ranks.clone(),
                group.field.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    groups
}

/// The text with a mark for every number, which goes to `numbers`.
fn skeleton(text: &str, numbers: &mut Vec<u64>) -> String {
    let mut skeleton = String::with_capacity(text.len());
    for piece in pieces(text) {
        match number(piece) {
            Some(number) => {
                numbers.push(number);
                skeleton.push('\u{0}');
            }
            None => skeleton.push_str(piece),
        }
    }
    skeleton
}

/// Runs of digits, and what is between them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.as_bytes()
        .chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit())
        .scan(0, |start, piece| {
            let from = *start;
            *start += piece.len();
            text.get(from..*start)
        })
}

/// A number that reads the same when it is written again.
fn number(piece: &str) -> Option<u64> {
    let number: u64 = piece.parse().ok()?;
    (number.to_string() == piece).then_some(number)
}

/// What a number does from rank to rank.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Same,
    WithRank(i64),
}

/// Entries that are alike but for numbers, as few groups as they fit in.
fn parts(field: &str, declared: Option<&'static Declared>, entries: Vec<Entry>) -> Vec<Group> {
    let group = |entries: &[Entry], texts: [Option<String>; 2], is_pattern, is_example| {
        let [v1, v2] = texts;
        Group {
            ranks: Some(entries.iter().map(|entry| entry.rank).collect()),
            field: field.to_owned(),
            v1,
            v2,
            is_pattern,
            is_example,
            declared,
        }
    };
    // The Master may differ from what all Workers have alike.
    for rest in [&entries[..], entries.get(1..).unwrap_or_default()] {
        let first = &entries[..entries.len() - rest.len()];
        if let Some(steps) = steps(rest) {
            let own = first
                .iter()
                .map(|entry| group(first, entry.texts.clone(), false, false));
            let texts = pattern(&rest[0], &steps);
            let is_pattern = steps.iter().any(|step| *step != Step::Same);
            return own.chain([group(rest, texts, is_pattern, false)]).collect();
        }
    }
    let mut by_value: BTreeMap<[Option<String>; 2], Vec<Entry>> = BTreeMap::new();
    let example = entries[0].texts.clone();
    let everyone = group(&entries, example, false, true);
    for entry in entries {
        by_value.entry(entry.texts.clone()).or_default().push(entry);
    }
    if by_value.len() > MOST_PARTS {
        return vec![everyone];
    }
    by_value
        .into_iter()
        .map(|(texts, entries)| group(&entries, texts, false, false))
        .collect()
}

/// What each number does over all of `entries`; none if one does neither.
fn steps(entries: &[Entry]) -> Option<Vec<Step>> {
    let first = entries.first()?;
    let distance = |entry: &Entry, index: usize| {
        let number = i64::try_from(entry.numbers[index]).ok()?;
        Some(number - i64::try_from(entry.rank).ok()?)
    };
    let step = |index: usize| {
        if entries
            .iter()
            .all(|entry| entry.numbers[index] == first.numbers[index])
        {
            return Some(Step::Same);
        }
        let offset = distance(first, index)?;
        let same = entries
            .iter()
            .all(|entry| distance(entry, index) == Some(offset));
        same.then_some(Step::WithRank(offset))
    };
    (0..first.numbers.len()).map(step).collect()
}

/// The texts of an entry with the rank in place of the numbers that grow with it.
fn pattern(entry: &Entry, steps: &[Step]) -> [Option<String>; 2] {
    let mut steps = steps.iter();
    entry.texts.each_ref().map(|text| {
        let text = text.as_ref()?;
        let mut pattern = String::with_capacity(text.len());
        for piece in pieces(text) {
            match number(piece).and_then(|_| steps.next()) {
                None | Some(Step::Same) => pattern.push_str(piece),
                Some(Step::WithRank(0)) => pattern.push_str("<rank>"),
                Some(Step::WithRank(offset)) => {
                    let _ = write!(pattern, "<rank{offset:+}>");
                }
            }
        }
        Some(pattern)
    })
}

#[cfg(test)]
mod tests;
