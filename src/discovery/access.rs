//! What a user may do, asked of the API server and remembered for seconds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};

use crate::api::meta::TRAINER_GROUP;
use crate::api::review::UserInfo;

/// How long an answer is taken for true.
const REMEMBERED: Duration = Duration::from_secs(10);
/// Most answers that are remembered.
const MAX_REMEMBERED: usize = 4096;

/// Asks what users may do.
pub struct Access {
    client: Client,
    remembered: Mutex<HashMap<(UserInfo, String), (bool, Instant)>>,
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

    /// Whether `user` may create TrainingRuntimes in `namespace`.
    ///
    /// # Errors
    /// When the API server can't be reached or refuses to say.
    pub async fn may_create_runtimes(
        &self,
        user: &UserInfo,
        namespace: &str,
    ) -> Result<bool, kube::Error> {
        let key = (user.clone(), namespace.to_owned());
        if let Some(allowed) = self.recall(&key) {
            return Ok(allowed);
        }
        let reviews: Api<SubjectAccessReview> = Api::all(self.client.clone());
        let answer = reviews
            .create(&PostParams::default(), &review(user, namespace))
            .await?;
        let allowed = answer.status.is_some_and(|status| status.allowed);
        self.remember(key, allowed);
        Ok(allowed)
    }

    fn recall(&self, key: &(UserInfo, String)) -> Option<bool> {
        let remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        remembered
            .get(key)
            .filter(|(_, at)| at.elapsed() < REMEMBERED)
            .map(|(allowed, _)| *allowed)
    }

    fn remember(&self, key: (UserInfo, String), allowed: bool) {
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
fn review(user: &UserInfo, namespace: &str) -> SubjectAccessReview {
    SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(user.username.clone()),
            uid: (!user.uid.is_empty()).then(|| user.uid.clone()),
            groups: Some(user.groups.clone()),
            extra: Some(user.extra.clone()),
            resource_attributes: Some(ResourceAttributes {
                group: Some(TRAINER_GROUP.to_owned()),
                resource: Some("trainingruntimes".to_owned()),
                verb: Some("create".to_owned()),
                namespace: Some(namespace.to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    }
}
