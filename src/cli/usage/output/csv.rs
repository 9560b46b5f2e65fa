//! One table with a row for each row of each section, told apart by its first column.
//!
//! Quoted as RFC 4180 has it. What users chose and a spreadsheet would take for a formula gets a `'` before it.

use std::borrow::Cow;
use std::io;

use super::{Report, sorted};
use crate::cli::Io;
use crate::cli::report::plain;
use crate::cli::usage::count::Counts;
use crate::cli::usage::tally::{Field, Section};

/// What a row without a name of its own is called.
const BEYOND: &str = "(other)";

/// Writes the report.
pub(super) fn print(report: &Report, io: &mut Io<'_>) -> io::Result<()> {
    let counts = report.source.counts();
    let heads = ["section"]
        .into_iter()
        .chain(Field::ALL.map(Field::name))
        .chain(counts.iter().map(|count| count.name()))
        .chain(["firstSeen", "lastSeen"]);
    line(heads.map(Cow::Borrowed), io)?;
    let no_names = vec![Cow::Borrowed(""); Field::ALL.len()];
    line(cells("total", no_names, &report.tally.total, report), io)?;
    for section in &report.tally.sections {
        for (key, counts) in sorted(section) {
            let names = names(section, |index| Cow::Owned(text(&key[index])));
            line(cells(section.name, names, counts, report), io)?;
        }
        if !section.beyond.is_empty() {
            let names = names(section, |_| Cow::Borrowed(BEYOND));
            line(cells(section.name, names, &section.beyond, report), io)?;
        }
    }
    Ok(())
}

/// A cell for each field there is: what the section's rows are told apart by, and nothing for the others.
fn names<'a>(section: &Section, name: impl Fn(usize) -> Cow<'a, str>) -> Vec<Cow<'a, str>> {
    let of = |field| section.fields.iter().position(|known| *known == field);
    Field::ALL
        .map(|field| of(field).map_or(Cow::Borrowed(""), &name))
        .to_vec()
}

fn cells<'a>(
    section: &'a str,
    names: Vec<Cow<'a, str>>,
    counts: &'a Counts,
    report: &Report,
) -> impl Iterator<Item = Cow<'a, str>> {
    let numbers = report.source.counts().iter();
    let seen = [counts.first, counts.last]
        .map(|at| Cow::Owned(at.map(|at| at.to_string()).unwrap_or_default()));
    [Cow::Borrowed(section)]
        .into_iter()
        .chain(names)
        .chain(numbers.map(|count| Cow::Owned(counts.get(*count).to_string())))
        .chain(seen)
}

fn line<'a>(cells: impl Iterator<Item = Cow<'a, str>>, io: &mut Io<'_>) -> io::Result<()> {
    let cells: Vec<_> = cells.map(quoted).collect();
    write!(io.out, "{}\r\n", cells.join(","))
}

/// What users chose, so that nothing runs it.
fn text(text: &str) -> String {
    let plain = plain(text);
    if plain.starts_with(['=', '+', '-', '@', '\\']) {
        // `plain` turns a tab or a line end, which some take for nothing before a formula, into a backslash.
        format!("'{plain}")
    } else {
        plain
    }
}

fn quoted(cell: Cow<'_, str>) -> Cow<'_, str> {
    if cell.contains(['"', ',', '\r', '\n']) {
        Cow::Owned(format!("\"{}\"", cell.replace('"', "\"\"")))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_formula_is_text() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert!(text(formula).starts_with('\''), "{formula:?}");
        }
        assert_eq!(
            text("system:serviceaccount:a:b"),
            "system:serviceaccount:a:b"
        );
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(quoted("a,b".into()), "\"a,b\"");
        assert_eq!(quoted("say \"a\"".into()), "\"say \"\"a\"\"\"");
        assert_eq!(quoted("a b".into()), "a b");
    }
}
