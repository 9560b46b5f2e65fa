use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::api::policy::MigrationPolicy;
use crate::policy::{Policies, Problem};
use exemptions::{as_katib, katib};

mod exemptions;
mod object;

const BEFORE: &str = "2027-01-15T00:00:00Z";
const FEBRUARY: &str = "2027-02-01T00:00:00Z";
const MARCH: &str = "2027-03-01T00:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Policies by name and spec, in namespace research with these labels.
struct World {
    snapshot: Snapshot,
    problems: Vec<Problem>,
    namespace: Namespace,
}

impl World {
    fn new(policies: &[(&str, Value)]) -> Self {
        let policies: Vec<_> = policies
            .iter()
            .map(|(name, spec)| {
                MigrationPolicy::new(name, serde_json::from_value(spec.clone()).unwrap())
            })
            .collect();
        let (policies, problems) = Policies::new(&policies);
        Self {
            snapshot: Snapshot::new(Mode::Audit).with_policies(policies),
            problems,
            namespace: Namespace::named("research"),
        }
    }

    fn labelled(self, key: &str, value: &str) -> Self {
        let mut labels = self.namespace.labels().clone();
        labels.insert(key.to_owned(), value.to_owned());
        Self {
            namespace: Namespace::new("research", labels),
            ..self
        }
    }

    /// What comes of jane's creating `job`.
    fn creates(&self, job: &Value, now: &str) -> Ruling {
        self.asked(
            &json!({"userInfo": {"username": "jane", "groups": ["people"]}}),
            job,
            now,
        )
    }

    /// What comes of a creation by a request with these fields.
    fn asked(&self, fields: &Value, job: &Value, now: &str) -> Ruling {
        let mut review = json!({
            "uid": "1", "operation": "CREATE", "namespace": "research", "object": job,
            "name": job["metadata"]["name"].as_str().unwrap_or_default(),
        });
        json_patch::merge(&mut review, fields);
        let review: review::Request = serde_json::from_str(&review.to_string()).unwrap();
        let job: PyTorchJob = serde_json::from_value(job.clone()).unwrap();
        let mut request = Request::new(&review, &self.namespace, &Change::Created);
        request.object = Some(&job);
        judge(&self.snapshot, &request, time(now))
    }
}

fn job() -> Value {
    json!({"kind": "PyTorchJob", "metadata": {"name": "mnist"}})
}

fn job_with(metadata: &Value) -> Value {
    let mut job = job();
    json_patch::merge(&mut job["metadata"], metadata);
    job
}

fn warn_then_deny() -> Value {
    json!({"schedule": [{"mode": "Warn"}, {"mode": "Deny", "from": FEBRUARY}]})
}

fn with(mut spec: Value, more: &Value) -> Value {
    json_patch::merge(&mut spec, more);
    spec
}

fn mode(mode: &str) -> Value {
    json!({"schedule": [{"mode": mode}]})
}

/// A request of which only what a test sets is known.
fn no_details() -> review::Request {
    serde_json::from_value(json!({"uid": "1"})).unwrap()
}

#[test]
fn without_policies_the_default_holds() {
    let ruling = World::new(&[]).creates(&job(), BEFORE);
    assert_eq!(ruling.decision, Decision::Admit);
    assert_eq!(ruling.rule.name(), "built-in");
}

#[test]
fn a_date_that_has_come_changes_the_mode_and_one_that_is_to_come_is_named() {
    let world = World::new(&[("research", warn_then_deny())]);
    let ruling = world.creates(&job(), BEFORE);
    assert_eq!(ruling.decision, Decision::Warn);
    assert_eq!(ruling.rule.next, Some((Mode::Deny, time(FEBRUARY))));
    let ruling = world.creates(&job(), FEBRUARY);
    assert_eq!(ruling.decision, Decision::Deny);
    assert_eq!(
        (ruling.rule.since, ruling.rule.next),
        (Some(time(FEBRUARY)), None)
    );
}

#[test]
fn the_highest_priority_counts_and_then_the_first_name() {
    let world = World::new(&[
        ("b", mode("Deny")),
        ("a", mode("Warn")),
        ("low", with(mode("Deny"), &json!({"priority": -1}))),
    ]);
    assert_eq!(world.creates(&job(), BEFORE).rule.name(), "a");
    let world = World::new(&[
        ("a", mode("Warn")),
        ("high", with(mode("Audit"), &json!({"priority": 1}))),
    ]);
    assert_eq!(world.creates(&job(), BEFORE).rule.name(), "high");
}

#[rstest]
#[case("deny", "Warn", Decision::Deny)]
#[case("warn", "Audit", Decision::Warn)]
#[case("warn", "Deny", Decision::Deny)]
#[case("audit", "Warn", Decision::Warn)]
#[case("off", "Warn", Decision::Warn)]
fn a_namespaces_label_only_makes_stricter(
    #[case] label: &str,
    #[case] policy: &str,
    #[case] expected: Decision,
) {
    let world = World::new(&[("research", mode(policy))]).labelled("trainshift.dev/mode", label);
    assert_eq!(world.creates(&job(), BEFORE).decision, expected);
}

#[test]
fn a_label_that_makes_stricter_is_named_as_the_authority() {
    let world = World::new(&[]).labelled("trainshift.dev/mode", "deny");
    let ruling = world.creates(&job(), BEFORE);
    assert_eq!(ruling.decision, Decision::Deny);
    assert!(ruling.rule.authority().contains("trainshift.dev/mode"));
    // To whoever is excused from it as well.
    let excusing = World::new(&[("all", katib(&json!({})))]);
    let ruling =
        excusing
            .labelled("trainshift.dev/mode", "deny")
            .asked(&as_katib(), &job(), BEFORE);
    assert_eq!(ruling.decision, Decision::Warn);
    assert!(ruling.rule.authority().contains("trainshift.dev/mode"));
}

#[test]
fn passing_a_denial_takes_a_reason() {
    let world = World::new(&[("research", mode("Deny"))]);
    let ruling = world.creates(&job(), BEFORE).bypassed("the cluster burns");
    assert_eq!(ruling.decision, Decision::Warn);
    assert_eq!(
        ruling.excuse,
        Some(Excuse::Bypass("the cluster burns".to_owned()))
    );
    let review = no_details();
    for (annotation, reason) in [("  ", None), (" fire ", Some("fire"))] {
        let job = job_with(&json!({"annotations": {"trainshift.dev/bypass": annotation}}));
        let job: PyTorchJob = serde_json::from_value(job).unwrap();
        let mut request = Request::new(&review, &world.namespace, &Change::Created);
        request.object = Some(&job);
        assert_eq!(request.bypass(), reason);
    }
}

#[test]
fn a_queue_may_start_a_job_and_nothing_more() {
    let world = World::new(&[("research", mode("Deny"))]);
    let review = no_details();
    let another = Change::AnotherJob(vec!["spec".to_owned()]);
    for (change, expected) in [
        (&Change::Started, Decision::Admit),
        (&Change::Created, Decision::Deny),
        (&another, Decision::Deny),
    ] {
        let mut request = Request::new(&review, &world.namespace, change);
        request.is_queue = true;
        let ruling = judge(&world.snapshot, &request, time(BEFORE));
        assert_eq!(ruling.decision, expected, "{change:?}");
    }
}
