//! What is counted, of requests and of jobs.

use jiff::Timestamp;

/// One thing that is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Count {
    /// Requests to create, change or delete a job.
    Requests,
    /// Requests to create one.
    Creates,
    /// Requests to change one, its scale too.
    Changes,
    /// Requests to delete one, or all of a kind.
    Deletes,
    /// Jobs: with an audit log, distinct names that were created.
    Jobs,
    /// Requests that trainshift refused.
    Refused,
    /// Requests that trainshift answered with warnings.
    Warned,
    /// Requests that an exemption let through.
    Exempted,
    /// Requests that went past the policy on purpose.
    Bypassed,
    /// Requests that came to nothing for another reason.
    Failed,
    /// Of these, those that failed because trainshift did not answer.
    FailedClosed,
    /// Requests that were carried out without a judgement.
    Unjudged,
    /// Of these, those that went on because trainshift did not answer.
    FailedOpen,
    /// Jobs that run.
    Running,
    /// Jobs that nothing has started yet.
    Waiting,
    /// Jobs that are suspended.
    Suspended,
    /// Jobs that are done.
    Succeeded,
    /// Jobs that failed.
    JobFailed,
    /// Every field is kept.
    Exact,
    /// Nothing is lost.
    Adapted,
    /// Something is lost.
    Lossy,
    /// There is no TrainJob.
    Unconvertible,
    /// The object was no PyTorchJob.
    Unreadable,
    /// A change to which no verdict belongs.
    NoVerdict,
    /// Nobody judged it.
    Unknown,
}

impl Count {
    /// How many there are.
    const NUMBER: usize = Self::Unknown as usize + 1;

    /// What is counted of requests.
    pub(super) const OF_REQUESTS: &'static [Self] = &[
        Self::Requests,
        Self::Creates,
        Self::Changes,
        Self::Deletes,
        Self::Jobs,
        Self::Refused,
        Self::Warned,
        Self::Exempted,
        Self::Bypassed,
        Self::Failed,
        Self::FailedClosed,
        Self::Unjudged,
        Self::FailedOpen,
        Self::Exact,
        Self::Adapted,
        Self::Lossy,
        Self::Unconvertible,
        Self::Unreadable,
        Self::NoVerdict,
        Self::Unknown,
    ];

    /// What is counted of jobs.
    pub(super) const OF_JOBS: &'static [Self] = &[
        Self::Jobs,
        Self::Running,
        Self::Waiting,
        Self::Suspended,
        Self::Succeeded,
        Self::JobFailed,
        Self::Exact,
        Self::Adapted,
        Self::Lossy,
        Self::Unconvertible,
    ];

    /// Its name, which is part of the interface.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Creates => "creates",
            Self::Changes => "changes",
            Self::Deletes => "deletes",
            Self::Jobs => "jobs",
            Self::Refused => "refused",
            Self::Warned => "warned",
            Self::Exempted => "exempted",
            Self::Bypassed => "bypassed",
            Self::Failed => "failed",
            Self::FailedClosed => "failedClosed",
            Self::Unjudged => "unjudged",
            Self::FailedOpen => "failedOpen",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Suspended => "suspended",
            Self::Succeeded => "succeeded",
            Self::JobFailed => "jobFailed",
            Self::Exact => "verdictExact",
            Self::Adapted => "verdictAdapted",
            Self::Lossy => "verdictLossy",
            Self::Unconvertible => "verdictRefused",
            Self::Unreadable => "verdictUnreadable",
            Self::NoVerdict => "verdictNone",
            Self::Unknown => "verdictUnknown",
        }
    }

    /// The same for people, as the head of a column.
    pub(super) fn head(self) -> &'static str {
        match self {
            Self::FailedClosed => "failed closed",
            Self::FailedOpen => "failed open",
            Self::JobFailed => "failed",
            Self::Unconvertible => "no TrainJob",
            Self::NoVerdict => "without",
            Self::Exact => "exact",
            Self::Adapted => "adapted",
            Self::Lossy => "lossy",
            Self::Unreadable => "unreadable",
            Self::Unknown => "unknown",
            other => other.name(),
        }
    }
}

/// Numbers, and from when to when.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Counts {
    numbers: [u64; Count::NUMBER],
    /// When the first was.
    pub(super) first: Option<Timestamp>,
    /// When the last was.
    pub(super) last: Option<Timestamp>,
}

impl Counts {
    /// Adds one to each of these.
    pub(super) fn add(&mut self, counts: &[Count], at: Option<Timestamp>) {
        for count in counts {
            self.numbers[*count as usize] += 1;
        }
        self.widen(at, at);
    }

    /// Adds all of `other`.
    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, others) in self.numbers.iter_mut().zip(other.numbers) {
            *mine += others;
        }
        self.widen(other.first, other.last);
    }

    fn widen(&mut self, first: Option<Timestamp>, last: Option<Timestamp>) {
        self.first = self.first.into_iter().chain(first).min();
        self.last = self.last.max(last);
    }

    /// How many.
    pub(super) fn get(&self, count: Count) -> u64 {
        self.numbers[count as usize]
    }

    /// Whether nothing was counted.
    pub(super) fn is_empty(&self) -> bool {
        self.numbers.iter().all(|number| *number == 0)
    }

    /// By what rows are sorted, the greatest first: who submits most, then who asks most.
    pub(super) fn weight(&self) -> (u64, u64) {
        let requests = self.get(Count::Requests);
        let made = self.get(Count::Creates);
        if requests > 0 {
            (made, requests)
        } else {
            (self.get(Count::Jobs), 0)
        }
    }
}
