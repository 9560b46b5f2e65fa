//! Findings that change nothing at run time, so that no difference bears them out.

use crate::convert::finding::{Code, Finding, Outcome};

/// Why no difference follows from `finding`; `None` where one must.
#[must_use]
pub fn changes_nothing(finding: &Finding) -> Option<&'static str> {
    let adapted = finding.outcome <= Outcome::Adapted;
    match finding.code {
        Code::ContainerReference => Some("the reference still means the training container"),
        Code::Credentials | Code::SdkDevice => Some("about those who read the manifest or the job"),
        Code::EnvDuplicate => Some("the variable that counts is kept"),
        Code::EnvOverridden if adapted => Some("the variable that counts is v1's"),
        Code::ObjectKind | Code::ServerFields | Code::ObjectLinks => {
            Some("about the object, not its pods")
        }
        Code::ManagedBy | Code::SmallDifference | Code::TemplateRestartPolicy => {
            Some("says the same")
        }
        Code::NodeCount => Some("the number of pods is the same"),
        Code::ReplicaKeyCase | Code::UnknownField => Some("v1 doesn't read it either"),
        Code::BackoffLimit if adapted => Some("says to a Job what unset said to v1"),
        Code::TwoRoles | Code::ShortJobName => {
            Some("shows in the pods' names only, which differ for every job")
        }
        Code::RestartExitCode => Some("the same rules, in other words"),
        Code::RuntimeCannot if adapted => Some("another runtime carries it"),
        Code::HostnameFixed if adapted => {
            Some("shows in the pods' names only, which differ for every job")
        }
        Code::SchedulingPolicy => Some("has an effect only where a gang scheduler runs"),
        Code::TemplateMetadata => {
            Some("the API server may drop the field before it reaches any pod")
        }
        Code::ElasticRange if adapted => Some("about pods that may be added or removed later"),
        _ => None,
    }
}
