//! What is reported of policies, and what people hear of requests: by the status, its columns and Events, on the real API
//! server. Every instance of trainshift that runs reports on all policies, as replicas do.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::control_plane::wait::{Progress, wait_until};
use crate::jobs::{create, editor, mnist, policy};

crate::facts![
    a_status_says_how_a_policy_is,
    columns_and_events_follow_the_schedule,
    replicas_write_a_status_once,
    events_tell_of_refused_jobs_but_not_of_dry_runs,
    an_excused_job_says_so_when_it_is_described,
];

/// Longer than from a policy to the date in its schedule.
const TIMEOUT: Duration = Duration::from_mins(2);

fn a_status_says_how_a_policy_is(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("none")?;
    let name = |what: &str| format!("{namespace}-{what}");
    let matching = |more: Value| {
        let mut spec = json!({"priority": 5, "match": {"namespaces": [namespace]}, "schedule": [{"mode": "Warn"}]});
        json_patch::merge(&mut spec, &more);
        spec
    };
    let exemption = json!({"name": "katib", "reason": "moves", "until": "2020-01-01T00:00:00Z",
        "subjects": [{"kind": "User", "name": "jane"}]});
    let broken = json!({"priority": 9, "match": {"conditions": [{"name": "big", "expression": "object.("}]}});
    for (what, spec) in [
        ("good", matching(json!({"exemptions": [exemption]}))),
        ("broken", matching(broken)),
        (
            "runtime",
            matching(
                json!({"priority": 8, "match": {"objectSelector": {}}, "conversion": {"runtime": "torhc"}}),
            ),
        ),
        ("behind", matching(json!({"priority": 0}))),
        (
            "stray",
            matching(json!({"match": {"namespaces": ["no-such-namespace"]}})),
        ),
    ] {
        put(control_plane, &name(what), &spec)?;
    }
    for (what, ready, reason, says) in [
        ("good", "True", "InForce", "works as it is written"),
        (
            "broken",
            "False",
            "ExpressionFailing",
            "condition big: line 1",
        ),
        (
            "runtime",
            "False",
            "RuntimeUnknown",
            "torhc is not in the cluster",
        ),
        ("behind", "False", "Shadowed", &name("good")),
        (
            "stray",
            "False",
            "MatchesNothing",
            "no namespace has such a name",
        ),
    ] {
        let status = settled(control_plane, &name(what), |status| {
            let is = &status["conditions"][0];
            is["status"] == ready && is["reason"] == reason
        })?;
        let message = status["conditions"][0]["message"].as_str();
        ensure!(message.unwrap_or_default().contains(says), "{status:#}");
        ensure!(
            status["observedGeneration"] == 1 && status["activeMode"] == "Warn",
            "{status:#}"
        );
    }
    let status = settled(control_plane, &name("good"), |_| true)?;
    let expired = status["conditions"]
        .as_array()
        .and_then(|all| all.iter().find(|it| it["type"] == "ExemptionsExpired"))
        .context("a condition of its own")?;
    ensure!(expired["status"] == "True", "{status:#}");

    let broken = name("broken");
    described(control_plane, &broken, &["NotReady", "condition big"])?;

    // Mended, it is ready, and the next generation is what was looked at.
    put(
        control_plane,
        &broken,
        &matching(json!({"priority": 9, "match": {"objectSelector": {}}})),
    )?;
    settled(control_plane, &broken, |status| {
        status["observedGeneration"] == 2 && status["conditions"][0]["status"] == "True"
    })?;
    Ok(())
}

fn columns_and_events_follow_the_schedule(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("none")?;
    let soon = Timestamp::from_second(Timestamp::now().as_second())? + 15.seconds();
    let spec = json!({
        "match": {"namespaces": [namespace]},
        "schedule": [{"mode": "Audit"}, {"mode": "Warn", "from": soon.to_string()}, {"mode": "Deny", "from": "2100-02-01T00:00:00Z"}],
    });
    put(control_plane, &namespace, &spec)?;
    let columns = || -> Result<Vec<String>> {
        let line = control_plane
            .admin()
            .succeed(&["get", "mpol", &namespace, "--no-headers"], None)?;
        Ok(line.split_whitespace().map(str::to_owned).collect())
    };
    let shows = |mode: &str, next: &str, when: &str| {
        wait_until(&format!("mode {mode} is shown"), TIMEOUT, || {
            let seen = columns()?;
            let expected = [namespace.as_str(), mode, next, when, "True"];
            Ok(if seen.get(..5).is_some_and(|seen| seen == expected) {
                Progress::Done(())
            } else {
                Progress::Waiting(seen.join(" "))
            })
        })
    };
    shows("Audit", "Warn", &soon.to_string())?;
    shows("Warn", "Deny", "2100-02-01T00:00:00Z")?;
    let says = ["ModeChanged", "the mode is Warn, and was Audit"];
    described(control_plane, &namespace, &says)
}

fn replicas_write_a_status_once(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("none")?;
    let spec = json!({"match": {"namespaces": [namespace]}, "schedule": [{"mode": "Warn"}]});
    put(control_plane, &namespace, &spec)?;
    settled(control_plane, &namespace, |_| true)?;
    let version = || -> Result<Value> {
        let object = control_plane.admin().json(&["get", "mpol", &namespace])?;
        Ok(object["metadata"]["resourceVersion"].clone())
    };
    let before = version()?;
    // Each of these makes every instance look at all of them again.
    for number in 0..5 {
        let other = format!("{namespace}-other-{number}");
        put(control_plane, &other, &spec)?;
        settled(control_plane, &other, |_| true)?;
    }
    ensure!(version()? == before, "it was written again");
    let writes = status_writes(control_plane, &namespace)?;
    let written = writes.iter().filter(|code| **code == 200).count();
    ensure!(written == 1, "answers to writes: {writes:?}");
    ensure!(
        writes.iter().all(|code| [200, 409].contains(code)),
        "{writes:?}"
    );
    Ok(())
}

fn events_tell_of_refused_jobs_but_not_of_dry_runs(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("deny")?;
    let user = editor(control_plane, &namespace)?;
    let dry = create(&user, &mnist("dry", &namespace, 1), &["--dry-run=server"])?;
    ensure!(
        dry.status == 1 && dry.stderr.contains("PyTorchJob is refused"),
        "{dry:?}"
    );
    for name in ["one", "two"] {
        let answer = create(&user, &mnist(name, &namespace, 1), &[])?;
        ensure!(answer.status == 1, "{answer:?}");
    }
    let event = event(control_plane, &namespace, "PyTorchJobRefused")?;
    let note = event["note"].as_str().unwrap_or_default();
    let who = format!("PyTorchJob one of editor-of-{namespace} is refused");
    ensure!(note.starts_with(&who), "{event:#}");
    ensure!(event["regarding"]["kind"] == "Namespace", "{event:#}");
    let shown = control_plane
        .admin()
        .succeed(&["get", "events", "--namespace", &namespace], None)?;
    let lines: Vec<_> = shown
        .lines()
        .filter(|line| line.contains("PyTorchJobRefused"))
        .collect();
    ensure!(
        lines.len() == 1 && lines[0].contains(&format!("namespace/{namespace}")),
        "{shown}"
    );
    Ok(())
}

fn an_excused_job_says_so_when_it_is_described(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("audit")?;
    let user = editor(control_plane, &namespace)?;
    let spec = json!({
        "match": {"namespaces": [namespace]},
        "schedule": [{"mode": "Deny"}],
        "exemptions": [{
            "name": "moving", "reason": "moves with the team", "until": "2100-01-01T00:00:00Z",
            "subjects": [{"kind": "User", "name": format!("editor-of-{namespace}")}],
        }],
    });
    put(control_plane, &namespace, &spec)?;
    // Until the policy counts, nothing is said.
    wait_until("the policy counts", TIMEOUT, || {
        let job = mnist("probe", &namespace, 1);
        let seen = create(control_plane.admin(), &job, &["--dry-run=server"])?;
        Ok(if seen.status == 1 {
            Progress::Done(())
        } else {
            Progress::Waiting(seen.stderr)
        })
    })?;
    let mut job = mnist("", &namespace, 1);
    job["metadata"] = json!({"generateName": "run-", "namespace": namespace});
    let answer = create(&user, &job, &["--output=name"])?;
    ensure!(answer.status == 0, "{answer:?}");
    let job = answer.stdout.trim().to_owned();
    event(control_plane, &namespace, "PyTorchJobExempted")?;
    let seen = control_plane
        .admin()
        .succeed(&["describe", &job, "--namespace", &namespace], None)?;
    ensure!(
        seen.contains("PyTorchJobExempted") && seen.contains("but for exemption moving"),
        "{seen}"
    );
    Ok(())
}

/// Creates or changes a policy.
fn put(control_plane: &ControlPlane, name: &str, spec: &Value) -> Result<()> {
    let policy = policy(name, spec).to_string();
    control_plane
        .admin()
        .succeed(&["apply", "--filename=-"], Some(&policy))?;
    Ok(())
}

/// Waits until `kubectl describe` of the policy says all that, which Events do.
fn described(control_plane: &ControlPlane, name: &str, says: &[&str]) -> Result<()> {
    wait_until("an Event says so", TIMEOUT, || {
        let seen = control_plane
            .admin()
            .succeed(&["describe", "mpol", name], None)?;
        let (_, events) = seen.split_once("\nEvents:").unwrap_or_default();
        Ok(if says.iter().all(|word| events.contains(word)) {
            Progress::Done(())
        } else {
            Progress::Waiting(seen)
        })
    })
}

/// The policy's status once it is as expected.
fn settled(
    control_plane: &ControlPlane,
    name: &str,
    is_expected: impl Fn(&Value) -> bool,
) -> Result<Value> {
    wait_until(&format!("policy {name} is reported on"), TIMEOUT, || {
        let policy = control_plane.admin().json(&["get", "mpol", name])?;
        let status = policy["status"].clone();
        Ok(if !status.is_null() && is_expected(&status) {
            Progress::Done(status)
        } else {
            Progress::Waiting(status.to_string())
        })
    })
}

/// The namespace's one Event with that reason.
fn event(control_plane: &ControlPlane, namespace: &str, reason: &str) -> Result<Value> {
    let resource = "events.events.k8s.io";
    wait_until(&format!("an Event {reason}"), TIMEOUT, || {
        let list = control_plane
            .admin()
            .json(&["get", resource, "--namespace", namespace])?;
        let events = list["items"].as_array().cloned().unwrap_or_default();
        let reasons: BTreeSet<_> = events.iter().map(|it| it["reason"].to_string()).collect();
        let found = events.into_iter().find(|event| event["reason"] == reason);
        Ok(found.map_or(Progress::Waiting(format!("{reasons:?}")), Progress::Done))
    })
}

/// What the API server answered to those who wrote the status of the policy.
fn status_writes(control_plane: &ControlPlane, name: &str) -> Result<Vec<i64>> {
    let log = control_plane.directory().join("audit.log");
    let text = fs::read_to_string(&log).with_context(|| format!("reading {}", log.display()))?;
    let events = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(events
        .filter(|event| {
            let object = &event["objectRef"];
            event["verb"] == "patch"
                && object["resource"] == "migrationpolicies"
                && object["subresource"] == "status"
                && object["name"] == name
        })
        .filter_map(|event| event["responseStatus"]["code"].as_i64())
        .collect())
}
