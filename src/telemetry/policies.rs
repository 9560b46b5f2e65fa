//! Metrics about policies: how many there are, what ends when, who is excused, and what was written of it to the cluster.
//!
//! Labels hold names here that people choose. Their number is bounded, so that no name, however made up, costs more than a
//! place in [`OTHER`]. Of names that requests bring, the first ones that are seen have a series of their own, and keep it:
//! such a series is exact and only ever grows, which `rate()` needs. Lists of the most frequent, such as space-saving, give
//! a place away and back, and a counter that does so counts nothing. Whoever sends much is seen early.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError, RwLock};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::labels::{Decision, EventFate, Excuse, StatusFate};

/// The value that stands for every name without a series of its own. No object of Kubernetes can have it as its name.
pub const OTHER: &str = "_other";
/// Most exemptions with a series of their own.
pub const MAX_EXEMPTIONS: usize = 50;
/// Most policies with a series of their own.
const MAX_POLICIES: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReady {
    ready: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct ByExemption {
    policy: String,
    exemption: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByExcuse {
    excuse: Excuse,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByPolicy {
    policy: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByNamespace {
    namespace: String,
    decision: Decision,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByEventFate {
    result: EventFate,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByStatusFate {
    result: StatusFate,
}

/// Handles to the metrics about policies.
#[derive(Debug)]
pub struct Policies {
    count: Family<ByReady, Gauge>,
    /// When the policies or namespaces that requests are judged by last changed, in seconds since 1970.
    pub changed: Gauge,
    exemptions: Family<ByExemption, Gauge>,
    shown: Mutex<BTreeSet<ByExemption>>,
    under_deny: Family<ByExcuse, Counter>,
    failures: Family<ByPolicy, Counter>,
    failing: Names,
    requests: Family<ByNamespace, Counter>,
    namespaces: Names,
    events: Family<ByEventFate, Counter>,
    status: Family<ByStatusFate, Counter>,
}

impl Policies {
    /// With series for as many `namespaces`; 0: none at all, and none for the rest.
    pub(super) fn new(namespaces: usize) -> Self {
        Self {
            count: Family::default(),
            changed: Gauge::default(),
            exemptions: Family::default(),
            shown: Mutex::default(),
            under_deny: Family::default(),
            failures: Family::default(),
            failing: Names::new(MAX_POLICIES),
            requests: Family::default(),
            namespaces: Names::new(namespaces),
            events: Family::default(),
            status: Family::default(),
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "policies",
            "MigrationPolicies that requests are judged by, by whether they work as they are written; what is wrong with one is in its status",
            self.count.clone(),
        );
        registry.register(
            "policies_changed_timestamp_seconds",
            "When the policies or namespaces that requests are judged by last changed here, in seconds since 1970",
            self.changed.clone(),
        );
        registry.register(
            "exemption_expiry_timestamp_seconds",
            "When an exemption ends, in seconds since 1970; the 50 that end soonest, none that has ended",
            self.exemptions.clone(),
        );
        registry.register(
            "requests_under_deny",
            "Requests that the mode Deny is for, by what kept them from being refused: an exemption, a bypass or nothing (none)",
            self.under_deny.clone(),
        );
        registry.register(
            "condition_failures",
            "Evaluations of policies' conditions that had no answer and so counted as true; policies after the first 100 are _other",
            self.failures.clone(),
        );
        registry.register(
            "namespace_requests",
            "Requests that were judged, by namespace: the first --metrics-namespaces that were seen, the rest as _other",
            self.requests.clone(),
        );
        registry.register(
            "events",
            "What became of Kubernetes Events: written (created or counted on), failed, or dropped where there were too many",
            self.events.clone(),
        );
        registry.register(
            "policy_status_writes",
            "What became of writes to the status of MigrationPolicies; conflict: another replica was faster",
            self.status.clone(),
        );
    }

    /// Sets how many policies are ready and how many aren't.
    pub fn count(&self, ready: usize, unready: usize) {
        for (word, number) in [("true", ready), ("false", unready)] {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            self.count
                .get_or_create(&ByReady { ready: word })
                .set(number);
        }
    }

    /// Shows when exemptions end, by policy and name, in seconds since 1970: the [`MAX_EXEMPTIONS`] that end soonest.
    pub fn exemptions(&self, ends: impl IntoIterator<Item = (i64, String, String)>) {
        let mut soonest: Vec<_> = ends.into_iter().collect();
        soonest.sort_unstable();
        soonest.truncate(MAX_EXEMPTIONS);
        let now: BTreeMap<_, _> = soonest
            .into_iter()
            .map(|(end, policy, exemption)| (ByExemption { policy, exemption }, end))
            .collect();
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        for gone in shown.iter().filter(|label| !now.contains_key(label)) {
            self.exemptions.remove(gone);
        }
        for (label, end) in &now {
            self.exemptions.get_or_create(label).set(*end);
        }
        *shown = now.into_keys().collect();
    }

    /// Counts a request for which the mode is Deny.
    pub fn under_deny(&self, excuse: Excuse) {
        self.under_deny.get_or_create(&ByExcuse { excuse }).inc();
    }

    /// Counts a condition of `policy` that had no answer.
    pub fn condition_failed(&self, policy: &str) {
        let policy = self.failing.bounded(policy);
        self.failures.get_or_create(&ByPolicy { policy }).inc();
    }

    /// Counts a request that was judged in `namespace`, if namespaces are counted.
    pub fn judged_in(&self, namespace: &str, decision: Decision) {
        if self.namespaces.most == 0 {
            return;
        }
        let namespace = self.namespaces.bounded(namespace);
        let label = ByNamespace {
            namespace,
            decision,
        };
        self.requests.get_or_create(&label).inc();
    }

    /// Counts an Event.
    pub fn event(&self, result: EventFate) {
        self.events.get_or_create(&ByEventFate { result }).inc();
    }

    /// Counts a write of a policy's status.
    pub fn status_written(&self, result: StatusFate) {
        self.status.get_or_create(&ByStatusFate { result }).inc();
    }
}

/// Names that have a series of their own: the first ones that were seen.
#[derive(Debug)]
struct Names {
    most: usize,
    known: RwLock<HashSet<String>>,
}

impl Names {
    fn new(most: usize) -> Self {
        Self {
            most,
            known: RwLock::default(),
        }
    }

    fn bounded(&self, name: &str) -> String {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.contains(name) {
            return name.to_owned();
        }
        if known.len() >= self.most {
            return OTHER.to_owned();
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < self.most {
            known.insert(name.to_owned());
        }
        let name = if known.contains(name) { name } else { OTHER };
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;
    use super::*;

    fn lines<'p>(page: &'p str, metric: &str) -> Vec<&'p str> {
        let begin = format!("trainshift_{metric}");
        page.lines()
            .filter(|line| line.starts_with(&begin))
            .collect()
    }

    #[test]
    fn made_up_names_create_no_series() {
        let metrics = Metrics::counting_namespaces(3);
        for number in 0..10_000 {
            let name = format!("hostile\"}}\n-{number}");
            metrics.policies.judged_in(&name, Decision::Deny);
            metrics.policies.condition_failed(&name);
        }
        metrics
            .policies
            .exemptions((0..10_000).map(|number| (number, "p".to_owned(), format!("e-{number}"))));
        let page = metrics.encode().unwrap();
        assert_eq!(lines(&page, "namespace_requests_total").len(), 4, "{page}");
        assert_eq!(lines(&page, "condition_failures_total").len(), 101);
        assert_eq!(lines(&page, "exemption_expiry").len(), 50);
        assert!(
            page.contains(
                r#"trainshift_namespace_requests_total{namespace="_other",decision="deny"} 9997"#
            ),
            "{page}"
        );
    }

    #[test]
    fn namespaces_are_not_counted_unless_asked_for() {
        let metrics = Metrics::new();
        metrics.policies.judged_in("research", Decision::Deny);
        let page = metrics.encode().unwrap();
        assert_eq!(lines(&page, "namespace_requests_total"), [""; 0]);
    }

    #[test]
    fn an_exemption_is_shown_while_it_is_among_the_soonest() {
        let metrics = Metrics::new();
        let end = |at, name: &str| (at, "research".to_owned(), name.to_owned());
        metrics
            .policies
            .exemptions([end(200, "later"), end(100, "katib")]);
        metrics.policies.exemptions([end(300, "later")]);
        let page = metrics.encode().unwrap();
        assert_eq!(
            lines(&page, "exemption_expiry"),
            [
                r#"trainshift_exemption_expiry_timestamp_seconds{policy="research",exemption="later"} 300"#
            ]
        );
    }
}
