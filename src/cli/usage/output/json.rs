//! One JSON document. Every row is there: what is cut for people isn't cut for machines.

use serde::ser::{SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};

use super::{Report, Source, sorted};
use crate::cli::Io;
use crate::cli::usage::count::Counts;
use crate::cli::usage::tally::Section;

/// What the document is; another number when a reader of this one would read it wrongly.
const SCHEMA: &str = "trainshift.dev/report/v1";

/// Writes the report.
pub(super) fn print(report: &Report, io: &mut Io<'_>) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *io.out, report)?;
    writeln!(io.out)?;
    Ok(())
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let source = self.source;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("source", source.name())?;
        map.serialize_entry("by", self.by.name())?;
        map.serialize_entry("since", &self.span.since)?;
        map.serialize_entry("until", &self.span.until)?;
        map.serialize_entry("total", &Row::of(source, &[], &[], &self.tally.total))?;
        for section in &self.tally.sections {
            map.serialize_entry(section.name, &Rows { source, section })?;
        }
        map.serialize_entry("beyondLimit", &Beyond(self))?;
        map.serialize_entry("read", &self.facts)?;
        map.serialize_entry("notes", &self.notes)?;
        map.end()
    }
}

/// The rows of a section.
struct Rows<'a> {
    source: Source,
    section: &'a Section,
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = sorted(self.section);
        let names: Vec<_> = self
            .section
            .fields
            .iter()
            .map(|field| field.name())
            .collect();
        let mut list = serializer.serialize_seq(Some(rows.len()))?;
        for (key, counts) in rows {
            list.serialize_element(&Row::of(self.source, &names, key, counts))?;
        }
        list.end()
    }
}

/// Names with their values, then counts.
struct Row<'a> {
    source: Source,
    names: &'a [&'static str],
    values: &'a [String],
    counts: &'a Counts,
}

impl<'a> Row<'a> {
    fn of(
        source: Source,
        names: &'a [&'static str],
        values: &'a [String],
        counts: &'a Counts,
    ) -> Self {
        Self {
            source,
            names,
            values,
            counts,
        }
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.names.iter().zip(self.values) {
            let value = Some(value).filter(|value| !value.is_empty());
            map.serialize_entry(name, &value)?;
        }
        for count in self.source.counts() {
            map.serialize_entry(count.name(), &self.counts.get(*count))?;
        }
        map.serialize_entry("firstSeen", &self.counts.first)?;
        map.serialize_entry("lastSeen", &self.counts.last)?;
        map.end()
    }
}

/// What is in none of the rows, by section.
struct Beyond<'a>(&'a Report);

impl Serialize for Beyond<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for section in &self.0.tally.sections {
            if !section.beyond.is_empty() {
                let row = Row::of(self.0.source, &[], &[], &section.beyond);
                map.serialize_entry(section.name, &row)?;
            }
        }
        map.end()
    }
}
