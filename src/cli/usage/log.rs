//! Audit logs in, counts out: a line at a time, whatever the size of the file.
//!
//! Only lines with the word `pytorchjobs` are parsed; of the others, it is seen whether they begin and end as an object
//! does. A file whose first line is a `{` by itself was indented by somebody, and is read as a stream of objects.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use memchr::memmem::Finder;

use super::facts::Facts;
use super::progress::Progress;
use super::requests::{self, SECTIONS, Seen};
use super::span::{By, Span};
use super::tally::{Field, Memory, Tally};
use crate::api::audit::{EVENT_LIST, Event};
use crate::api::meta::PYTORCHJOBS;

/// Longest line: an event that holds a whole object has some MiB, a list of events more.
const MAX_LINE: u64 = 64 << 20;
const BUFFER: usize = 1 << 20;
/// What a file that gzip wrote begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads one log after the other.
pub(super) struct Log {
    /// What was counted.
    pub(super) tally: Tally,
    /// What was read.
    pub(super) facts: Facts,
    by: By,
    span: Span,
    known: Memory,
    finder: Finder<'static>,
}

impl Log {
    /// Counts requests in `span`, in steps of time.
    pub(super) fn new(by: By, span: Span) -> Self {
        Self {
            tally: Tally::new(SECTIONS),
            facts: Facts::default(),
            by,
            span,
            known: Memory::default(),
            finder: Finder::new(PYTORCHJOBS),
        }
    }

    /// Reads a file; `-` is stdin. What can't be read is noted, and the rest goes on.
    pub(super) fn file(&mut self, path: &Path, progress: &mut Progress) {
        self.facts.files += 1;
        let (label, opened) = open(path);
        let read = opened.and_then(|file| self.text(&label, file, progress));
        if let Err(error) = read {
            self.facts.problem(&label, None, error.to_string());
        }
    }

    /// What the counts can't tell.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = self.tally.notes();
        if self.known.is_full {
            notes.push("so many requests that not all are remembered: one that two files hold may count twice".to_owned());
        }
        notes
    }

    fn text(&mut self, label: &str, file: impl Read, progress: &mut Progress) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(BUFFER, file);
        if reader.fill_buf()?.starts_with(&GZIP) {
            let hint = "is compressed: zcat FILE | trainshift report --audit-log -";
            self.facts.problem(label, None, hint);
            return Ok(());
        }
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let length = (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line)?;
            if length == 0 {
                break;
            }
            progress.advance(length);
            if length as u64 == MAX_LINE && !line.ends_with(b"\n") {
                let message = format!("line is longer than {} MiB", MAX_LINE >> 20);
                self.facts.problem(label, Some(number), message);
                progress.advance(reader.skip_until(b'\n')?);
                continue;
            }
            let text = line.trim_ascii();
            if number == 1 && text == b"{" {
                self.documents(label, line.chain(reader));
                break;
            }
            if !text.is_empty() {
                self.facts.lines += 1;
                if let Err(message) = self.line(text) {
                    self.facts.problem(label, Some(number), message);
                }
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        if !line.starts_with(b"{") || !line.ends_with(b"}") {
            return Err("no audit event: expected one JSON object on each line".to_owned());
        }
        if self.finder.find(line).is_none() {
            return Ok(());
        }
        let event = serde_json::from_slice(line).map_err(|error| {
            let text = error.to_string();
            let what = text
                .rsplit_once(" at line ")
                .map_or(text.as_str(), |(what, _)| what);
            format!("no audit event: {what} (byte {})", error.column())
        })?;
        self.event(&event)
    }

    /// Objects that are set apart by anything. What follows a broken one can't be found.
    fn documents(&mut self, label: &str, text: impl Read) {
        for event in serde_json::Deserializer::from_reader(text).into_iter::<Event>() {
            self.facts.lines += 1;
            match event {
                Ok(event) => {
                    if let Err(message) = self.event(&event) {
                        self.facts.problem(label, None, message);
                    }
                }
                Err(error) => {
                    let message = format!("no audit event: {error}");
                    self.facts.problem(label, Some(error.line()), message);
                    break;
                }
            }
        }
    }

    fn event(&mut self, event: &Event) -> Result<(), String> {
        if event.kind != EVENT_LIST {
            return self.one(event, false);
        }
        // One that is wrong must not hide those after it.
        let results = event.items.iter().map(|item| self.one(item, true));
        results.fold(Ok(()), Result::and)
    }

    fn one(&mut self, event: &Event, in_list: bool) -> Result<(), String> {
        let facts = &mut self.facts;
        match requests::of(event, in_list, &mut self.known)? {
            Seen::Nothing => {}
            Seen::Again => facts.duplicates += 1,
            Seen::Status | Seen::DryRun | Seen::Request(_)
                if !self.span.holds(event.request_received_timestamp) =>
            {
                facts.outside += 1;
            }
            Seen::Status => facts.status_updates += 1,
            Seen::DryRun => facts.dry_runs += 1,
            Seen::Request(mut entry) => {
                if let Some(at) = entry.at {
                    entry.set(Field::Period, &self.by.period(at));
                }
                self.tally.add(&entry);
            }
        }
        Ok(())
    }
}

/// What messages call the file, and its content.
fn open(path: &Path) -> (String, io::Result<Box<dyn Read>>) {
    if path == Path::new("-") {
        return ("stdin".to_owned(), Ok(Box::new(io::stdin().lock())));
    }
    let file = File::open(path).map(|file| Box::new(file) as Box<dyn Read>);
    (path.display().to_string(), file)
}

/// The bytes of all files; none where one is no file, so that nobody knows.
pub(super) fn size(paths: &[PathBuf]) -> Option<u64> {
    let sizes = paths.iter().map(|path| {
        let metadata = path.metadata().ok().filter(std::fs::Metadata::is_file);
        metadata.map(|metadata| metadata.len())
    });
    sizes.sum()
}

#[cfg(test)]
mod tests;
