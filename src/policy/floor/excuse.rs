//! Who is excused, in CEL.

use jiff::Timestamp;

use super::text::{all, any, list, quoted};
use crate::api::policy::{Exemption, Owner, SubjectKind};
use crate::policy::Policy;

/// Whether an exemption of the policy covers the requester; none where it has none that isn't over at `at`.
pub(super) fn expression(policy: &Policy, at: Timestamp) -> Option<String> {
    let exemptions = policy.exemptions.all().iter();
    let terms = exemptions
        .filter(|exemption| exemption.until > at)
        .map(covers)
        .collect();
    any(terms)
}

fn covers(exemption: &Exemption) -> String {
    let until = quoted(&exemption.until.to_string());
    let terms = [
        Some(asked_by(exemption)),
        Some(format!("variables.now < timestamp({until})")),
        named(&exemption.names),
        owned(&exemption.owners),
    ];
    format!(
        "({})",
        all(&terms.into_iter().flatten().collect::<Vec<_>>()).unwrap_or_default()
    )
}

fn asked_by(exemption: &Exemption) -> String {
    let mut users = Vec::new();
    let mut groups = Vec::new();
    for subject in &exemption.subjects {
        match subject.kind {
            SubjectKind::User | SubjectKind::ServiceAccount => users.push(subject.known_as()),
            SubjectKind::Group => groups.push(subject.known_as()),
        }
    }
    let users = (!users.is_empty()).then(|| {
        let users = list(users.iter().map(String::as_str));
        format!("request.userInfo.username in {users}")
    });
    let groups = (!groups.is_empty()).then(|| {
        let groups = list(groups.iter().map(String::as_str));
        format!("variables.groups.exists(group, group in {groups})")
    });
    any(users.into_iter().chain(groups).collect()).unwrap_or_else(|| "false".to_owned())
}

fn named(patterns: &[String]) -> Option<String> {
    let whole: Vec<_> = patterns
        .iter()
        .filter(|pattern| !pattern.ends_with('*'))
        .map(String::as_str)
        .collect();
    let whole = (!whole.is_empty()).then(|| format!("request.name in {}", list(whole)));
    let prefixes = patterns
        .iter()
        .filter_map(|pattern| pattern.strip_suffix('*'))
        .map(|prefix| format!("request.name.startsWith({})", quoted(prefix)));
    any(whole.into_iter().chain(prefixes).collect())
}

/// An owner counts where it stands before and after the change, and never where the object can't be seen.
fn owned(owners: &[Owner]) -> Option<String> {
    let owners = owners.iter().map(|owner| {
        let group = if owner.api_group.is_empty() {
            "!owner.apiVersion.contains('/')".to_owned()
        } else {
            format!(
                "owner.apiVersion.startsWith({})",
                quoted(&format!("{}/", owner.api_group))
            )
        };
        let kind = format!("owner.kind == {}", quoted(&owner.kind));
        let name = owner
            .name
            .as_ref()
            .map(|name| format!("owner.name == {}", quoted(name)));
        let terms = [Some(group), Some(kind), name];
        format!(
            "({})",
            all(&terms.into_iter().flatten().collect::<Vec<_>>()).unwrap_or_default()
        )
    });
    let is_one = any(owners.collect())?;
    Some(format!(
        "!variables.scale && variables.versions.all(job, job.metadata.?ownerReferences.orValue([]).exists(owner, {is_one}))"
    ))
}
