//! Who is excused from Deny.
//!
//! An exemption begins with its subjects: they are what the API server vouches for. Owners and names narrow it.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use super::judge::Request;
use crate::api::policy::{Exemption, Owner, SubjectKind};
use crate::api::pytorchjob::PyTorchJob;

/// The exemptions of a policy, found by who asks.
#[derive(Clone, Debug, Default)]
pub struct Exemptions {
    all: Vec<Exemption>,
    by_user: HashMap<String, Vec<usize>>,
    by_group: HashMap<String, Vec<usize>>,
}

impl Exemptions {
    /// Of a policy.
    #[must_use]
    pub fn new(exemptions: &[Exemption]) -> Self {
        let mut index = Self {
            all: exemptions.to_vec(),
            ..Self::default()
        };
        for (number, exemption) in exemptions.iter().enumerate() {
            for subject in &exemption.subjects {
                let map = match subject.kind {
                    SubjectKind::User | SubjectKind::ServiceAccount => &mut index.by_user,
                    SubjectKind::Group => &mut index.by_group,
                };
                map.entry(subject.known_as()).or_default().push(number);
            }
        }
        index
    }

    /// The exemption that covers `request` longest, whether or not it has ended.
    #[must_use]
    pub fn covering(&self, request: &Request<'_>) -> Option<&Exemption> {
        if self.all.is_empty() {
            return None;
        }
        let asks = &request.review.user_info;
        let user = self.by_user.get(&asks.username);
        let groups = asks
            .groups
            .iter()
            .filter_map(|group| self.by_group.get(group));
        user.into_iter()
            .chain(groups)
            .flatten()
            .filter_map(|number| self.all.get(*number))
            .filter(|exemption| is_about(exemption, request))
            .max_by_key(|exemption| exemption.until)
    }

    /// All of them, in the policy's order.
    #[must_use]
    pub fn all(&self) -> &[Exemption] {
        &self.all
    }
}

/// Whether `exemption` holds at `now`.
#[must_use]
pub fn is_in_force(exemption: &Exemption, now: Timestamp) -> bool {
    now < exemption.until
}

/// Whether owners and names narrow the exemption to this job. An owner counts where it stands before and after the change,
/// and never where the object can't be seen, as by the scale subresource.
fn is_about(exemption: &Exemption, request: &Request<'_>) -> bool {
    let named = exemption.names.is_empty()
        || exemption
            .names
            .iter()
            .any(|pattern| is_named(pattern, request));
    let owned = || {
        let has_owner =
            |job: &PyTorchJob| exemption.owners.iter().any(|owner| is_owned_by(job, owner));
        request.object.is_some_and(has_owner) && request.old_object.is_none_or(has_owner)
    };
    named && (exemption.owners.is_empty() || owned())
}

/// A name that the API server has yet to make up begins with `generateName`, and that is all that is known of it.
fn is_named(pattern: &str, request: &Request<'_>) -> bool {
    let name = request.name();
    match pattern.strip_suffix('*') {
        Some(prefix) if name.is_empty() => request.generate_name().starts_with(prefix),
        Some(prefix) => name.starts_with(prefix),
        None => !name.is_empty() && name == pattern,
    }
}

fn is_owned_by(job: &PyTorchJob, owner: &Owner) -> bool {
    let references = job.metadata.rest.get("ownerReferences");
    references
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .any(|reference| {
            let text = |field: &str| reference[field].as_str().unwrap_or_default();
            let group = text("apiVersion")
                .rsplit_once('/')
                .map_or("", |(group, _)| group);
            group == owner.api_group
                && text("kind") == owner.kind
                && owner
                    .name
                    .as_deref()
                    .is_none_or(|name| name == text("name"))
        })
}
