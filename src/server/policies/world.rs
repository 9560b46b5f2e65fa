//! What is known of policies and namespaces, and the snapshot that follows from it.

use std::collections::BTreeMap;

use tracing::{info, warn};

use super::Told;
use crate::api::meta::POLICY_CRD;
use crate::api::policy::MigrationPolicy;
use crate::discovery::watch::{Labels, ReadPolicy, Seen};
use crate::policy::{Mode, Policies, Snapshot};
use crate::server::ready::Part;

/// All that was told, put together.
pub(super) struct World {
    /// The last snapshot, or what the first is made from.
    last: Snapshot,
    policies: Side<MigrationPolicy>,
    namespaces: Side<Labels>,
    /// Policies whose newest form can't be read.
    unreadable: BTreeMap<String, String>,
    no_kind: bool,
    file: Option<String>,
}

/// What one source told.
struct Side<T> {
    /// None before all were told.
    known: Option<BTreeMap<String, T>>,
    has_changed: bool,
    /// Why nothing more is heard.
    lost: Option<String>,
}

impl<T> Default for Side<T> {
    fn default() -> Self {
        Self {
            known: None,
            has_changed: false,
            lost: None,
        }
    }
}

impl<T> Side<T> {
    fn all(&mut self, all: BTreeMap<String, T>) {
        self.known = Some(all);
        self.has_changed = true;
        self.lost = None;
    }

    fn change(&mut self, change: impl FnOnce(&mut BTreeMap<String, T>)) {
        change(self.known.get_or_insert_default());
        self.has_changed = true;
        self.lost = None;
    }

    fn lose(&mut self, error: String) {
        if self.lost.is_none() {
            warn!(%error, "policies can't be followed; trying again");
        }
        self.lost = Some(error);
    }
}

impl World {
    /// Nothing but the mode that holds where no policy does; `has_cluster` says whether anybody tells of namespaces.
    pub(super) fn new(default: Mode, has_cluster: bool) -> Self {
        let mut namespaces = Side::default();
        if !has_cluster {
            namespaces.all(BTreeMap::new());
        }
        Self {
            last: Snapshot::new(default),
            policies: Side::default(),
            namespaces,
            unreadable: BTreeMap::new(),
            no_kind: false,
            file: None,
        }
    }

    pub(super) fn take(&mut self, told: Told) {
        match told {
            Told::Namespaces(seen) => self.namespace(seen),
            Told::Policies(seen) => self.policy(seen),
            Told::File(Err(error)) => self.file = Some(error),
            Told::File(Ok(read)) => {
                self.file = None;
                let named = |policy: &MigrationPolicy| {
                    let name = policy.metadata.name.clone().unwrap_or_default();
                    (name, policy.clone())
                };
                self.policies.all(read.iter().map(named).collect());
            }
        }
    }

    fn namespace(&mut self, seen: Seen<Labels>) {
        match seen {
            Seen::All(all) => self.namespaces.all(all),
            Seen::One(name, labels) => {
                let known = self.namespaces.known.as_ref();
                // Annotations and status change more often than labels.
                if known.and_then(|known| known.get(&name)) != Some(&labels) {
                    self.namespaces
                        .change(|known| drop(known.insert(name, labels)));
                }
            }
            Seen::Gone(name) => self.namespaces.change(|known| drop(known.remove(&name))),
            Seen::NoKind => self.namespaces.lose("no namespaces".to_owned()),
            Seen::Lost(error) => self.namespaces.lose(error),
        }
    }

    fn policy(&mut self, seen: Seen<ReadPolicy>) {
        if !matches!(seen, Seen::Lost(_) | Seen::NoKind) {
            self.no_kind = false;
        }
        match seen {
            Seen::All(all) => {
                let before = self.policies.known.take().unwrap_or_default();
                self.unreadable.clear();
                let mut known = BTreeMap::new();
                for (name, read) in all {
                    if let Some(policy) = self.readable(&name, read, before.get(&name)) {
                        known.insert(name, policy);
                    }
                }
                self.policies.all(known);
            }
            Seen::One(name, read) => {
                let known = self.policies.known.as_ref();
                let before = known.and_then(|known| known.get(&name)).cloned();
                if let Some(policy) = self.readable(&name, read, before.as_ref())
                    && before.as_ref().map(|before| &before.spec) != Some(&policy.spec)
                {
                    self.policies
                        .change(|known| drop(known.insert(name, policy)));
                }
            }
            Seen::Gone(name) => {
                self.unreadable.remove(&name);
                self.policies.change(|known| drop(known.remove(&name)));
            }
            Seen::NoKind => {
                if !self.no_kind {
                    info!("the cluster has no {POLICY_CRD}: there are no policies");
                }
                self.no_kind = true;
                self.unreadable.clear();
                self.policies.all(BTreeMap::new());
            }
            Seen::Lost(error) => self.policies.lose(error),
        }
    }

    /// The policy as it was read, or as it was when it last could be.
    fn readable(
        &mut self,
        name: &str,
        read: ReadPolicy,
        before: Option<&MigrationPolicy>,
    ) -> Option<MigrationPolicy> {
        match read {
            Ok(policy) => {
                self.unreadable.remove(name);
                Some(*policy)
            }
            Err(error) => {
                let stays = before.is_some();
                warn!(policy = name, %error, stays, "a policy can't be read; its last good form, if there is one, stays in force");
                self.unreadable.insert(name.to_owned(), error);
                before.cloned()
            }
        }
    }

    /// The snapshot, if there is a new one.
    pub(super) fn snapshot(&mut self) -> Option<Snapshot> {
        let (Some(policies), Some(namespaces)) = (&self.policies.known, &self.namespaces.known)
        else {
            return None;
        };
        if !self.policies.has_changed && !self.namespaces.has_changed {
            return None;
        }
        if self.namespaces.has_changed {
            let labels = |(name, labels): (&String, &Labels)| (name.clone(), labels.clone());
            self.last = self.last.with_namespaces(namespaces.iter().map(labels));
        }
        if self.policies.has_changed {
            let (policies, problems) = Policies::new(policies.values());
            for problem in &problems {
                warn!(%problem, "a policy has a mistake");
            }
            self.last = self.last.with_policies(policies);
        }
        self.policies.has_changed = false;
        self.namespaces.has_changed = false;
        Some(self.last.clone())
    }

    /// Says how it is.
    pub(super) fn report(&self, part: &Part) {
        let lost = self
            .policies
            .lost
            .iter()
            .chain(&self.namespaces.lost)
            .next();
        if self.policies.known.is_none() || self.namespaces.known.is_none() {
            let why = lost.map_or("policies and namespaces are not read yet", String::as_str);
            return part.unready(why);
        }
        if let Some(error) = &self.file {
            part.ready_but(format!(
                "the last good file of policies is in force: {error}"
            ));
        } else if let Some(error) = lost {
            part.ready_but(format!("answers from the last reading: {error}"));
        } else if let Some((name, error)) = self.unreadable.first_key_value() {
            part.ready_but(format!("policy {name} can't be read: {error}"));
        } else if self.no_kind {
            part.ready_but(format!(
                "no policies: the cluster has no {POLICY_CRD} (trainshift generate crd | kubectl apply -f -)"
            ));
        } else {
            part.ready();
        }
    }
}

#[cfg(test)]
mod tests;
