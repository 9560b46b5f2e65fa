//! All that policies say, for namespaces as they are: one value that a request is judged by from beginning to end.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::matching::Labels;
use super::{Mode, Policies, Policy};
use crate::api::meta::{LABEL_MODE, LABEL_NAMESPACE_NAME};

/// Policies and namespaces at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The mode where no policy matches.
    pub default: Mode,
    policies: Arc<Policies>,
    namespaces: HashMap<String, Arc<Namespace>>,
}

/// A namespace, with the policies that hold in it once somebody asked.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    labels: Labels,
    scope: OnceLock<Scope>,
}

/// The policies that hold in a namespace.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Those that look at the object and rank before `base`, in order.
    pub narrow: Vec<Arc<Policy>>,
    /// The first that doesn't.
    pub base: Option<Arc<Policy>>,
}

impl Namespace {
    /// A namespace with these labels.
    #[must_use]
    pub fn new(name: &str, labels: Labels) -> Self {
        Self {
            name: name.to_owned(),
            labels,
            scope: OnceLock::new(),
        }
    }

    /// A namespace of which only the name is known, where there is no cluster to ask.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let label = (LABEL_NAMESPACE_NAME.to_owned(), name.to_owned());
        Self::new(name, Labels::from([label]))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its labels.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The mode that its own label asks for; none for what is no mode.
    #[must_use]
    pub fn wish(&self) -> Option<Mode> {
        self.labels.get(LABEL_MODE)?.parse().ok()
    }
}

impl Snapshot {
    /// No policies and no namespaces: `default` everywhere.
    #[must_use]
    pub fn new(default: Mode) -> Self {
        Self {
            default,
            ..Self::default()
        }
    }

    /// The same with other policies.
    #[must_use]
    pub fn with_policies(&self, policies: Policies) -> Self {
        let forgotten = |namespace: &Arc<Namespace>| {
            Arc::new(Namespace::new(&namespace.name, namespace.labels.clone()))
        };
        Self {
            default: self.default,
            policies: Arc::new(policies),
            namespaces: self
                .namespaces
                .iter()
                .map(|(name, namespace)| (name.clone(), forgotten(namespace)))
                .collect(),
        }
    }

    /// The same with these namespaces and no others. Those whose labels are the same keep what is known of them.
    #[must_use]
    pub fn with_namespaces(&self, namespaces: impl IntoIterator<Item = (String, Labels)>) -> Self {
        let kept = |name: &str, labels: Labels| match self.namespaces.get(name) {
            Some(known) if known.labels == labels => Arc::clone(known),
            _ => Arc::new(Namespace::new(name, labels)),
        };
        Self {
            namespaces: namespaces
                .into_iter()
                .map(|(name, labels)| {
                    let namespace = kept(&name, labels);
                    (name, namespace)
                })
                .collect(),
            ..self.clone()
        }
    }

    /// The policies.
    #[must_use]
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// The namespace of that name, if it is known.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<&Arc<Namespace>> {
        self.namespaces.get(name)
    }

    /// Every namespace that is known, in no order.
    pub fn namespaces(&self) -> impl Iterator<Item = &Arc<Namespace>> {
        self.namespaces.values()
    }

    /// The policies that hold in `namespace`, which is this snapshot's or one that it doesn't know.
    #[must_use]
    pub fn scope<'n>(&self, namespace: &'n Namespace) -> &'n Scope {
        namespace.scope.get_or_init(|| {
            let mut scope = Scope::default();
            for policy in self.policies.iter() {
                if !policy.holds_in(&namespace.name, &namespace.labels) {
                    continue;
                }
                if policy.looks_at_object() {
                    scope.narrow.push(Arc::clone(policy));
                } else {
                    scope.base = Some(Arc::clone(policy));
                    break;
                }
            }
            scope
        })
    }
}
