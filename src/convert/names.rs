//! Names: what v2 calls the pods, how they are reached, and how long a job's name may be.

use std::collections::HashSet;

use crate::api::meta::{NODE, WORKER_JOB};

/// Longest name of a pod, and of everything else that is a DNS label.
const DNS_LABEL: usize = 63;
/// What the API server appends to `generateName`.
const GENERATED_SUFFIX: usize = 5;
/// The variable that holds the `TrainJob`'s name where it isn't known before the pods run.
pub const NAME_VARIABLE: &str = "JOBSET_NAME";
/// Its name where the job has a variable [`NAME_VARIABLE`] of its own.
pub const OTHER_NAME_VARIABLE: &str = "TRAINSHIFT_JOBSET_NAME";

/// The job's name, as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub enum JobName {
    /// `metadata.name`.
    Fixed(String),
    /// `metadata.generateName`: the API server appends five characters.
    Generated(String),
}

/// Names of the v2 objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Names {
    /// The job's.
    pub job: JobName,
    /// The replicated job of the one pod set, or of the Master.
    pub node: &'static str,
    /// The replicated job of the Workers, in two roles.
    pub worker: &'static str,
    /// The variable that holds the job's name, where that isn't known before the pods run.
    pub variable: &'static str,
}

/// A job name that leaves no room for the names of its pods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TooLong {
    /// Characters that the name has, with those that the API server adds.
    pub length: usize,
    /// Characters that it may have.
    pub limit: usize,
}

impl Names {
    /// The usual names where they fit, short ones where only they do. `short_allowed` is whether the replicated job
    /// is ours to name.
    ///
    /// # Errors
    /// When no name is short enough: `JobSet` checks `<job>-<replicated job>-<i>-<j>-abcde` against 63 characters
    /// (jobset v0.12.0 `pkg/webhooks/jobset_webhook.go`), after the `TrainJob` was admitted.
    pub fn choose(
        job: &JobName,
        master: i32,
        workers: Option<i32>,
        short_allowed: bool,
    ) -> Result<Self, TooLong> {
        let length = match job {
            JobName::Fixed(name) => name.len(),
            JobName::Generated(prefix) => prefix.len() + GENERATED_SUFFIX,
        };
        let room = |node: &str, worker: &str| match workers {
            None => longest_job_name(node, 1, master),
            Some(workers) => longest_job_name(node, 1, 1).min(longest_job_name(worker, workers, 1)),
        };
        let names = |node, worker| Self {
            job: job.clone(),
            node,
            worker,
            variable: NAME_VARIABLE,
        };
        if length <= room(NODE, WORKER_JOB) {
            Ok(names(NODE, WORKER_JOB))
        } else if short_allowed && length <= room(NODE, "w") && workers.is_some() {
            Ok(names(NODE, "w"))
        } else if short_allowed && length <= room("n", "w") {
            Ok(names("n", "w"))
        } else {
            let limit = if short_allowed {
                room("n", "w")
            } else {
                room(NODE, WORKER_JOB)
            };
            Err(TooLong { length, limit })
        }
    }

    /// Whether a name was shortened to fit.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.node != NODE || self.worker != WORKER_JOB
    }

    /// Address of the first pod: the Master, or Worker 0 where there is no Master.
    #[must_use]
    pub fn first_host(&self) -> String {
        self.host(self.node, 0, 0)
    }

    /// Address of v1's Worker `i`. `roles` says that Workers have a replicated job of their own, `master` that one
    /// pod comes before them.
    #[must_use]
    pub fn worker_host(&self, index: i32, roles: bool, master: bool) -> String {
        if roles {
            self.host(self.worker, index, 0)
        } else {
            self.host(self.node, 0, index + i32::from(master))
        }
    }

    fn host(&self, replicated_job: &str, job_index: i32, pod_index: i32) -> String {
        let job = match &self.job {
            JobName::Fixed(name) => name.clone(),
            JobName::Generated(_) => format!("$({})", self.variable),
        };
        format!("{job}-{replicated_job}-{job_index}-{pod_index}.{job}")
    }
}

/// Longest job name with which `<job>-<replicated job>-<jobs-1>-<pods-1>-abcde` is a DNS label.
fn longest_job_name(replicated_job: &str, jobs: i32, pods: i32) -> usize {
    let longest_tail = format!(
        "-{replicated_job}-{}-{}-abcde",
        jobs.max(1) - 1,
        pods.max(1) - 1
    );
    DNS_LABEL.saturating_sub(longest_tail.len())
}

/// Whether `name` is a DNS-1035 label, which v1's webhook wants of a job's name.
#[must_use]
pub fn is_dns1035(name: &str) -> bool {
    let bytes = name.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    bytes.len() <= DNS_LABEL
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.last().is_some_and(|byte| *byte != b'-')
        && bytes.iter().all(inner)
}

/// A text in which names of v1's pods were replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct Rewritten {
    /// The new text.
    pub text: String,
    /// Which name became which address: each once, in order.
    pub changes: Vec<(String, String)>,
}

/// Puts the v2 address in place of each v1 pod name (`<job>-master-0`, `<job>-worker-<i>`) in `text`, where it stands as
/// a word of its own and `host` knows the pod. `None` when there is none.
#[must_use]
pub fn rewrite_hosts(
    text: &str,
    job: &str,
    host: impl Fn(V1Pod) -> Option<String>,
) -> Option<Rewritten> {
    if job.is_empty() {
        return None;
    }
    let mut new = Rewritten {
        text: String::new(),
        changes: Vec::new(),
    };
    let mut seen = HashSet::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(found) = text[from..].find(job) {
        let start = from + found;
        let after = start + job.len();
        from = after;
        // After a single slash it is a part of a path, and no address.
        let before = &text[..start];
        let is_path = before.ends_with('/') && !before.ends_with("//");
        let starts_word = !is_path && !before.ends_with(is_name_char);
        let pod = parse_v1_pod(&text[after..]).filter(|_| starts_word);
        if let Some((address, length)) = pod.and_then(|(pod, length)| Some((host(pod)?, length))) {
            new.text.push_str(&text[copied..start]);
            new.text.push_str(&address);
            copied = after + length;
            from = copied;
            let name = &text[start..copied];
            if seen.insert(name) {
                new.changes.push((name.to_owned(), address));
            }
        }
    }
    new.text.push_str(&text[copied..]);
    (!new.changes.is_empty()).then_some(new)
}

/// A pod of v1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum V1Pod {
    /// `<job>-master-0`.
    Master,
    /// `<job>-worker-<i>`.
    Worker(i32),
}

fn is_name_char(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

/// Reads `-master-0` or `-worker-<i>` at the start of `tail`, with the length of what it read.
fn parse_v1_pod(tail: &str) -> Option<(V1Pod, usize)> {
    let (rest, master) = match tail.strip_prefix("-master-") {
        Some(rest) => (rest, true),
        None => (tail.strip_prefix("-worker-")?, false),
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let index: i32 = rest[..digits].parse().ok()?;
    let padded = digits > 1 && rest.starts_with('0');
    if padded || rest[digits..].starts_with(is_name_char) {
        return None;
    }
    let pod = match (master, index) {
        (true, 0) => V1Pod::Master,
        (true, _) => return None,
        (false, index) => V1Pod::Worker(index),
    };
    Some((pod, tail.len() - rest.len() + digits))
}

#[cfg(test)]
mod tests;
