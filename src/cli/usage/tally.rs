//! Entries in, counts out: in all, and by each thing that somebody asks by.
//!
//! Memory is bounded by what is different, never by how much comes in: [`MAX_KEYS`] rows of a section and
//! [`MAX_REMEMBERED`] names; what comes after is counted all the same, but not by name.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, Hash, RandomState};

use jiff::Timestamp;

use super::count::{Count, Counts};

/// Most rows of a section.
const MAX_KEYS: usize = 100_000;
/// Most things that are known again.
const MAX_REMEMBERED: usize = 2_000_000;
/// Longest text by which rows are told apart, in bytes: what clients call themselves has no limit of its own.
const MAX_TEXT: usize = 256;

/// What an entry is about, and rows are told apart by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Field {
    /// The day or the week.
    Period,
    /// The namespace.
    Namespace,
    /// As whom.
    User,
    /// Who it was in truth, where that is somebody else.
    Via,
    /// The kind that made the job, such as `Trial`.
    Owner,
    /// The program.
    Client,
    /// The code of a finding.
    Finding,
}

impl Field {
    /// All, in the order of columns.
    pub(super) const ALL: [Self; 7] = [
        Self::Period,
        Self::Namespace,
        Self::User,
        Self::Via,
        Self::Owner,
        Self::Client,
        Self::Finding,
    ];

    /// Its name, which is part of the interface.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Period => "period",
            Self::Namespace => "namespace",
            Self::User => "user",
            Self::Via => "via",
            Self::Owner => "owner",
            Self::Client => "client",
            Self::Finding => "finding",
        }
    }
}

/// One request, or one job.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry {
    values: [String; Field::ALL.len()],
    /// Codes of its findings.
    pub(super) codes: Vec<String>,
    /// When.
    pub(super) at: Option<Timestamp>,
    /// What it adds one to.
    pub(super) counts: Vec<Count>,
    /// The job that it made, which is counted once however often it is made.
    pub(super) job: Option<String>,
}

impl Entry {
    /// An entry of this time.
    pub(super) fn new(at: Option<Timestamp>) -> Self {
        Self {
            at,
            ..Self::default()
        }
    }

    /// Says what it is about. What is longer than [`MAX_TEXT`] is cut.
    pub(super) fn set(&mut self, field: Field, text: &str) {
        text[..text.floor_char_boundary(MAX_TEXT)].clone_into(&mut self.values[field as usize]);
    }

    /// What it is about.
    pub(super) fn get(&self, field: Field) -> &str {
        &self.values[field as usize]
    }
}

/// Rows that are told apart by the same fields.
#[derive(Debug)]
pub(super) struct Section {
    /// Its name, which is part of the interface.
    pub(super) name: &'static str,
    /// What its rows are told apart by.
    pub(super) fields: &'static [Field],
    /// The rows, by the values of the fields.
    pub(super) rows: HashMap<Vec<String>, Counts>,
    /// What came when there were [`MAX_KEYS`] rows, and belongs to none of them.
    pub(super) beyond: Counts,
}

impl Section {
    fn of(&(name, fields): &(&'static str, &'static [Field])) -> Self {
        Self {
            name,
            fields,
            rows: HashMap::new(),
            beyond: Counts::default(),
        }
    }

    fn counts(&mut self, key: Vec<String>) -> &mut Counts {
        if self.rows.len() >= MAX_KEYS && !self.rows.contains_key(&key) {
            return &mut self.beyond;
        }
        self.rows.entry(key).or_default()
    }
}

/// Tells what was there before.
#[derive(Debug, Default)]
pub(super) struct Memory {
    state: RandomState,
    seen: HashSet<u64>,
    /// Whether something was not remembered.
    pub(super) is_full: bool,
}

impl Memory {
    /// Whether `thing` comes for the first time. When [`MAX_REMEMBERED`] are known, everything else does.
    pub(super) fn is_new(&mut self, thing: impl Hash) -> bool {
        let hash = self.state.hash_one(thing);
        if self.seen.len() < MAX_REMEMBERED {
            return self.seen.insert(hash);
        }
        let is_new = !self.seen.contains(&hash);
        self.is_full |= is_new;
        is_new
    }
}

/// All counts.
#[derive(Debug)]
pub(super) struct Tally {
    /// In all.
    pub(super) total: Counts,
    /// By each thing.
    pub(super) sections: Vec<Section>,
    jobs: Memory,
}

impl Tally {
    /// Nothing yet, to be counted by these sections: names and fields.
    pub(super) fn new(sections: &[(&'static str, &'static [Field])]) -> Self {
        Self {
            total: Counts::default(),
            sections: sections.iter().map(Section::of).collect(),
            jobs: Memory::default(),
        }
    }

    /// Counts one.
    pub(super) fn add(&mut self, entry: &Entry) {
        let jobs = &mut self.jobs;
        let mut add = |counts: &mut Counts, row: (&str, &[String])| {
            counts.add(&entry.counts, entry.at);
            if let Some(job) = &entry.job
                && jobs.is_new((row, entry.get(Field::Namespace), job))
            {
                counts.add(&[Count::Jobs], None);
            }
        };
        add(&mut self.total, ("", &[]));
        for section in &mut self.sections {
            let by_finding = section.fields == [Field::Finding];
            let keys = if by_finding {
                entry.codes.iter().map(|code| vec![code.clone()]).collect()
            } else {
                let values = section.fields.iter().map(|field| entry.get(*field));
                vec![values.map(str::to_owned).collect::<Vec<_>>()]
            };
            for key in keys {
                // Periods that nobody knows and owners that aren't there make no row.
                if key.iter().any(|value| !value.is_empty()) {
                    let row = (section.name, key.clone());
                    add(section.counts(key), (row.0, &row.1));
                }
            }
        }
    }

    /// What the counts can't tell, in sentences.
    pub(super) fn notes(&self) -> Vec<String> {
        let beyond = |section: &&Section| !section.beyond.is_empty();
        let mut notes: Vec<_> = (self.sections.iter().filter(beyond))
            .map(|section| {
                let name = section.name;
                format!(
                    "{name}: there are more than {MAX_KEYS}; what came later is counted together"
                )
            })
            .collect();
        if self.jobs.is_full {
            notes.push(format!(
                "more than {MAX_REMEMBERED} names of jobs were counted; a job created twice may count twice"
            ));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECTIONS: &[(&str, &[Field])] = &[
        ("users", &[Field::User, Field::Via]),
        ("findings", &[Field::Finding]),
    ];

    fn entry(user: &str, job: &str) -> Entry {
        let mut entry = Entry {
            counts: vec![Count::Requests],
            job: Some(job.to_owned()),
            codes: vec!["TS003".to_owned(), "TS014".to_owned()],
            ..Entry::default()
        };
        entry.set(Field::User, user);
        entry
    }

    #[test]
    fn a_job_made_twice_is_one_job_in_each_row_that_made_it() {
        let mut tally = Tally::new(SECTIONS);
        for (user, job) in [("a", "x"), ("a", "x"), ("b", "x"), ("b", "y")] {
            tally.add(&entry(user, job));
        }
        let counts = |counts: &Counts| (counts.get(Count::Requests), counts.get(Count::Jobs));
        assert_eq!(counts(&tally.total), (4, 2));
        let users = &tally.sections[0].rows;
        let row = |user: &str| counts(&users[&vec![user.to_owned(), String::new()]]);
        assert_eq!((row("a"), row("b")), ((2, 1), (2, 2)));
        let findings = &tally.sections[1].rows;
        assert_eq!(counts(&findings[&vec!["TS014".to_owned()]]), (4, 2));
    }

    #[test]
    fn more_rows_than_the_limit_are_counted_together() {
        let mut tally = Tally::new(&SECTIONS[..1]);
        for number in 0..MAX_KEYS + 3 {
            tally.add(&entry(&number.to_string(), "x"));
        }
        tally.add(&entry("0", "x"));
        let users = &tally.sections[0];
        assert_eq!(users.rows.len(), MAX_KEYS);
        assert_eq!(users.beyond.get(Count::Requests), 3);
        assert_eq!(tally.total.get(Count::Requests), MAX_KEYS as u64 + 4);
        assert!(tally.notes()[0].starts_with("users: there are more than"));
    }

    #[test]
    fn long_texts_are_cut_on_a_character() {
        let mut entry = Entry::default();
        entry.set(Field::Client, &"é".repeat(1000));
        assert_eq!(entry.get(Field::Client).chars().count(), MAX_TEXT / 2);
    }
}
