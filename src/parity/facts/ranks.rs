//! Sets of ranks, as people write them.

use std::collections::BTreeSet;

/// `rank 0`, `ranks 0-3,5`, `no rank`.
pub fn text(ranks: &BTreeSet<usize>) -> String {
    match ranks.len() {
        0 => "no rank".to_owned(),
        1 => format!("rank {}", spans(ranks)),
        _ => format!("ranks {}", spans(ranks)),
    }
}

/// The ranks that [`text`] wrote; none of any other text.
pub fn of(text: &str) -> BTreeSet<usize> {
    let spans = text
        .strip_prefix("ranks ")
        .or_else(|| text.strip_prefix("rank "));
    spans.map_or_else(BTreeSet::new, |spans| parse(spans, usize::MAX))
}

/// `0-3,5`.
pub fn spans(numbers: &BTreeSet<usize>) -> String {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match spans.last_mut() {
            Some((_, end)) if *end + 1 == *number => *end = *number,
            _ => spans.push((*number, *number)),
        }
    }
    let texts = spans.iter().map(|(start, end)| {
        if start == end {
            start.to_string()
        } else {
            format!("{start}-{end}")
        }
    });
    texts.collect::<Vec<_>>().join(",")
}

/// Reads `0-3,5`; numbers above `most` are left out, and so is what is no number.
pub fn parse(text: &str, most: usize) -> BTreeSet<usize> {
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let span = |part: &str| match part.split_once('-') {
        Some((start, end)) => Some((number(start)?, number(end)?)),
        None => number(part).map(|only| (only, only)),
    };
    text.split(',')
        .filter_map(span)
        .flat_map(|(start, end)| start..=end.min(most))
        .filter(|number| *number <= most)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_a_span() {
        assert_eq!(text(&BTreeSet::from([0, 1, 2, 5])), "ranks 0-2,5");
        assert_eq!(text(&BTreeSet::from([4])), "rank 4");
        assert_eq!(text(&BTreeSet::new()), "no rank");
    }

    #[test]
    fn spans_are_read_back() {
        assert_eq!(parse("0-2,5", 9), BTreeSet::from([0, 1, 2, 5]));
        assert_eq!(parse("7-1000000000", 8), BTreeSet::from([7, 8]));
        assert_eq!(parse("x", 8), BTreeSet::new());
        for ranks in [
            BTreeSet::from([0, 1, 5]),
            BTreeSet::from([4]),
            BTreeSet::new(),
        ] {
            assert_eq!(of(&text(&ranks)), ranks);
        }
    }
}
