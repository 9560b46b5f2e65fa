//! The pods' names and addresses, in terms of ranks: the only way to see whether v2's address is that of the pod that v1's
//! was.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::Shape;
use super::facts::{HOSTNAME, NAME, SUBDOMAIN};

/// Names of a job's pods under v1, and addresses under v2.
#[derive(Debug, Default)]
pub struct Addresses<'s> {
    /// v1 gives each pod a Service of the same name: name, rank.
    v1: HashMap<&'s str, usize>,
    /// v2 gives all pods one headless Service: hostname, rank.
    v2: HashMap<&'s str, usize>,
    /// The name of that Service.
    service: Option<&'s str>,
}

/// What a word is that follows a single slash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AfterSlash {
    /// A part of a path, whatever it is called.
    Path,
    /// An address, if it looks like one.
    Address,
}

impl<'s> Addresses<'s> {
    /// Reads the names off the pods.
    pub fn new(v1: &'s Shape, v2: &'s Shape) -> Self {
        let by_rank = |shape: &'s Shape, fact: &str| {
            let named = shape.pods.iter().enumerate();
            named
                .filter_map(|(rank, pod)| Some((pod.get(fact)?.as_str()?, rank)))
                .collect()
        };
        let first = v2.pods.first().and_then(|pod| pod.get(SUBDOMAIN));
        Self {
            v1: by_rank(v1, NAME),
            v2: by_rank(v2, HOSTNAME),
            service: first.and_then(Value::as_str),
        }
    }

    /// Whether `v1` and `v2` are the same but for addresses, and those are of the same ranks.
    pub fn are_same(&self, v1: &Value, v2: &Value, after: AfterSlash) -> bool {
        self.in_ranks_v1(v1, after) == self.in_ranks_v2(v2, after)
    }

    /// `value` with each address of v1 in terms of its rank.
    fn in_ranks_v1(&self, value: &Value, after: AfterSlash) -> Value {
        let rank = |word: &str, _: &str| Some((*self.v1.get(word)?, 0));
        in_ranks(value, after, &rank)
    }

    /// `value` with each address of v2 in terms of its rank.
    pub fn in_ranks_v2(&self, value: &Value, after: AfterSlash) -> Value {
        let rank = |word: &str, after: &str| {
            let rank = *self.v2.get(word)?;
            let tail = after.strip_prefix('.')?.strip_prefix(self.service?)?;
            let ends = !tail.starts_with(is_name_char);
            ends.then_some((rank, after.len() - tail.len()))
        };
        in_ranks(value, after, &rank)
    }

    /// Whether an address of v1 stands in `value`.
    pub fn has_v1(&self, value: &Value) -> bool {
        self.in_ranks_v1(value, AfterSlash::Path) != *value
    }
}

fn is_name_char(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

/// Whose rank a word stands for, given what follows it, and how much of that belongs to it.
type Rank<'f> = dyn Fn(&str, &str) -> Option<(usize, usize)> + 'f;

fn in_ranks(value: &Value, after: AfterSlash, rank: &Rank) -> Value {
    match value {
        Value::String(text) => Value::from(text_in_ranks(text, after, rank)),
        Value::Array(items) => items
            .iter()
            .map(|item| in_ranks(item, after, rank))
            .collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(key, field)| (key.clone(), in_ranks(field, after, rank)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

fn text_in_ranks(text: &str, after_slash: AfterSlash, rank: &Rank) -> String {
    let mut new = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_name_char) {
        let (between, from) = rest.split_at(start);
        new.push_str(between);
        let end = from.find(|next| !is_name_char(next)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        let in_path =
            after_slash == AfterSlash::Path && between.ends_with('/') && !new.ends_with("//");
        let found = rank(word, after).filter(|_| !in_path);
        rest = if let Some((rank, length)) = found {
            let _ = write!(new, "<address of rank {rank}>");
            &after[length..]
        } else {
            new.push_str(word);
            after
        };
    }
    new.push_str(rest);
    new
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::parity::Facts;

    fn shape(pods: &[(&str, &str)]) -> Shape {
        let pod = |(name, hostname): &(&str, &str)| {
            Facts::from([
                (NAME.to_owned(), json!(name)),
                (HOSTNAME.to_owned(), json!(hostname)),
                (SUBDOMAIN.to_owned(), json!("job")),
            ])
        };
        Shape {
            pods: pods.iter().map(pod).collect(),
            ..Shape::default()
        }
    }

    fn same(v1: &str, v2: &str) -> bool {
        let old = shape(&[
            ("job-master-0", "job-master-0"),
            ("job-worker-0", "job-worker-0"),
        ]);
        let new = shape(&[
            ("job-node-0-0-abcde", "job-node-0-0"),
            ("job-node-0-1-fghij", "job-node-0-1"),
        ]);
        let addresses = Addresses::new(&old, &new);
        let (v1, v2) = (json!([v1]), json!([v2]));
        let after = AfterSlash::Path;
        addresses.are_same(&v1, &v2, after)
    }

    #[rstest]
    #[case("job-master-0", "job-node-0-0.job", true)]
    #[case("job-worker-0:23456", "job-node-0-1.job:23456", true)]
    #[case("http://job-worker-0/x", "http://job-node-0-1.job/x", true)]
    #[case("job-worker-0.ns.svc", "job-node-0-1.job.ns.svc", true)]
    #[case("/out/job-worker-0", "/out/job-worker-0", false)]
    #[case("/out/job-worker-0", "/out/job-node-0-1.job", false)]
    #[case("job-master-0", "job-node-0-1.job", false)]
    #[case("job-master-0", "job-node-0-0", false)]
    #[case("job-master-0", "job-node-0-0.job2", false)]
    #[case("my-job-master-0", "my-job-node-0-0.job", false)]
    #[case("job-master-0 job-worker-0", "job-node-0-0.job job-worker-0", false)]
    fn addresses_are_the_same_for_the_same_rank(
        #[case] v1: &str,
        #[case] v2: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(same(v1, v2), expected || v1 == v2);
    }

    #[test]
    fn an_address_of_v1_is_seen_where_it_is_one() {
        let old = shape(&[("job-master-0", "job-master-0")]);
        let addresses = Addresses::new(&old, &old);
        assert!(addresses.has_v1(&json!(["python", "--at=job-master-0"])));
        assert!(!addresses.has_v1(&json!(["ls", "/job-master-0"])));
    }
}
