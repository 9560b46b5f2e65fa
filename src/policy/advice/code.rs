//! The warnings about policies: a stable code for each, why it is one, and what to do.

use std::fmt;

use serde::{Serialize, Serializer};

/// What there is to say of a code.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// `MP001`
    pub code: &'static str,
    /// What is the matter.
    pub title: &'static str,
    /// What follows from it.
    pub why: &'static str,
    /// What to do.
    pub action: &'static str,
}

macro_rules! catalogue {
    ($($code:literal $name:ident $title:literal $why:literal $action:literal)*) => {
        /// What a warning is about. A code never changes its meaning.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Code {
            $(#[doc = $title] $name),*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// What there is to say of it.
            #[must_use]
            pub fn entry(self) -> &'static Entry {
                match self { $(Code::$name => &Entry { code: $code, title: $title, why: $why, action: $action }),* }
            }
        }
    };
}

catalogue! {
    "MP001" LeftByJob "A Deny that a submitter can leave by writing the job otherwise"
        "objectSelector and conditions look at what the submitter chooses: without that label, field or name, or in two steps instead of one, the next policy holds, and it is looser."
        "Deny by namespace, in a policy without objectSelector and conditions; let this one only come sooner."
    "MP002" LeftByNamespaceLabel "A Deny that can be left by labelling the namespace"
        "Whoever may update the namespace chooses its labels, and with other labels a looser policy holds."
        "Name the namespaces, select on kubernetes.io/metadata.name, or see who may update namespaces: kubectl auth can-i update namespace NAME --as USER."
    "MP003" SharedAccount "An exemption for an account that acts for everybody"
        "A controller submits what others wrote: all who can use it are excused with it."
        "Narrow the exemption by owners or names, or excuse the team's own account."
    "MP004" Everybody "An exemption for a group that everybody is in"
        "Everybody chooses the names and writes the owners of his jobs, so that nothing narrows it: the policy refuses nobody."
        "Name the team's group; if nobody is to be refused yet, move the date of Deny."
    "MP005" AccountAsUser "A ServiceAccount written as a user"
        "It works, but a mistyped namespace or name is noticed by nobody."
        "Write kind: ServiceAccount with namespace and name."
    "MP006" Shadowed "A policy that counts nowhere"
        "Of the policies that match a namespace, the first without objectSelector and conditions counts; one that ranks after it never does. Names and labels that exclude each other match no namespace at all."
        "Give it a higher priority, another place, or delete it."
    "MP007" ExemptionEnded "An exemption that has ended"
        "It excuses nobody any more."
        "Delete it, or give it a new until if its reason still holds."
    "MP008" ExemptionIdle "An exemption that excuses nobody"
        "It ends before Deny begins, or there is no Deny to be excused from."
        "Delete it, or see whether its until or the schedule is wrong."
    "MP009" ExemptionLong "An exemption for longer than half a year of Deny"
        "Nobody will remember why, and the last jobs of v1 will be its."
        "Give it an earlier until; it can be prolonged."
    "MP010" Loosened "A schedule that becomes looser"
        "What is refused today is admitted again later; dates of one entry may be exchanged."
        "See whether the dates are right; to excuse somebody for a time, use an exemption."
    "MP011" NothingPlanned "A schedule that has ended without Deny"
        "All dates lie behind, and nothing follows: PyTorchJobs are admitted for good."
        "Add an entry with mode Deny and a date, or see whether a year is wrong."
    "MP012" NoNotice "A Deny without a week of Warn before it"
        "Nobody reads the date before his jobs are refused."
        "Let an entry with mode Warn begin at least 7 days before."
    "MP013" NoMessage "No message"
        "Whoever is refused isn't told whom to ask."
        "Set spec.message to a page or a channel where there is help."
    "MP014" UnknownRuntime "A runtime that neither trainshift nor Trainer ships"
        "If the cluster has none of that name, the TrainJobs that are handed out are refused."
        "See whether it is there: kubectl get clustertrainingruntime NAME."
    "MP015" ConditionFails "A condition that fails on an ordinary job"
        "A condition that can't be evaluated counts as true, so that the policy is about jobs that it isn't meant for."
        "Ask first whether a field is there: has(object.spec.runPolicy) && ..."
    "MP016" EmptyReason "A reason that says nothing"
        "Whoever reads the policy next year can't tell whether it still holds."
        "Say who needs time, for what, and where that is tracked."
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry().code)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbered_in_order() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert_eq!(code.to_string(), format!("MP{:03}", index + 1));
        }
    }
}
