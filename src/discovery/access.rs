//! What a user may do, asked of the API server and remembered for seconds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};

use crate::api::meta::{MIGRATION_POLICIES, OWN_GROUP, TRAINER_GROUP, VERB_BYPASS};
use crate::api::review::UserInfo;

/// How long an answer is taken for true.
const REMEMBERED: Duration = Duration::from_secs(10);
/// Most answers that are remembered.
const MAX_REMEMBERED: usize = 4096;

/// What a user may or may not do.
#[derive(Clone, Copy, Debug)]
pub enum Right<'a> {
    /// Create TrainingRuntimes in this namespace.
    CreateRuntimes(&'a str),
    /// Pass the denials of this policy.
    Bypass(&'a str),
}

impl Right<'_> {
    fn attributes(self) -> ResourceAttributes {
        let of = |group: &str, resource: &str, verb: &str| ResourceAttributes {
            group: Some(group.to_owned()),
            resource: Some(resource.to_owned()),
            verb: Some(verb.to_owned()),
            ..ResourceAttributes::default()
        };
        match self {
            Self::CreateRuntimes(namespace) => ResourceAttributes {
                namespace: Some(namespace.to_owned()),
                ..of(TRAINER_GROUP, "trainingruntimes", "create")
            },
            Self::Bypass(policy) => ResourceAttributes {
                name: Some(policy.to_owned()),
                ..of(OWN_GROUP, MIGRATION_POLICIES, VERB_BYPASS)
            },
        }
    }
}

/// A user, and what he may or may not do: verb, namespace and name.
type Question = (UserInfo, String);

/// Asks what users may do.
pub struct Access {
    client: Client,
    remembered: Mutex<HashMap<Question, (bool, Instant)>>,
}

impl Access {
    /// Asks `client`'s API server.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            remembered: Mutex::default(),
        }
    }

    /// Whether `user` has `right`.
    ///
    /// # Errors
    /// When the API server can't be reached or refuses to say.
    pub async fn may(&self, user: &UserInfo, right: Right<'_>) -> Result<bool, kube::Error> {
        let key = (user.clone(), format!("{right:?}"));
        if let Some(allowed) = self.recall(&key) {
            return Ok(allowed);
        }
        let reviews: Api<SubjectAccessReview> = Api::all(self.client.clone());
        let answer = reviews
            .create(&PostParams::default(), &review(user, right))
            .await?;
        let allowed = answer.status.is_some_and(|status| status.allowed);
        self.remember(key, allowed);
        Ok(allowed)
    }

    fn recall(&self, key: &Question) -> Option<bool> {
        let remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        remembered
            .get(key)
            .filter(|(_, at)| at.elapsed() < REMEMBERED)
            .map(|(allowed, _)| *allowed)
    }

    fn remember(&self, key: Question, allowed: bool) {
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MAX_REMEMBERED {
            remembered.retain(|_, (_, at)| at.elapsed() < REMEMBERED);
        }
        if remembered.len() < MAX_REMEMBERED {
            remembered.insert(key, (allowed, Instant::now()));
        }
    }
}

/// The whole identity is passed on: authorizers may look at groups and extra as well as at the name.
fn review(user: &UserInfo, right: Right<'_>) -> SubjectAccessReview {
    SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(user.username.clone()),
            uid: (!user.uid.is_empty()).then(|| user.uid.clone()),
            groups: Some(user.groups.clone()),
            extra: Some(user.extra.clone()),
            resource_attributes: Some(right.attributes()),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    }
}
