//! Policies from the cluster: what the API server takes for one, and how soon and how whole it counts.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::control_plane::kubectl::{Output, output};
use crate::control_plane::trainshift::program;
use crate::control_plane::wait::{Progress, wait_until};
use crate::control_plane::{ControlPlane, MODE_LABEL};
use crate::jobs::{create, mnist, policy};

crate::facts![
    the_definition_and_a_file_refuse_the_same,
    a_policy_counts_from_the_next_moment_on,
    a_policy_that_is_edited_is_never_half_in_force,
    kubectl_shows_policies_by_their_short_name,
    a_namespace_that_is_made_again_is_judged_by_its_new_labels,
];

const PATIENCE: Duration = Duration::from_secs(30);

/// Fields of a sound policy, with a JSON merge patch applied.
fn spec(patch: &Value) -> Value {
    let mut spec =
        json!({"schedule": [{"mode": "Warn"}, {"mode": "Deny", "from": "2027-02-01T00:00:00Z"}]});
    json_patch::merge(&mut spec, patch);
    spec
}

fn exemption(patch: &Value) -> Value {
    let mut exemption = json!({
        "name": "katib", "reason": "moves later", "until": "2027-03-01T00:00:00Z",
        "subjects": [{"kind": "ServiceAccount", "namespace": "kubeflow", "name": "katib-controller"}],
    });
    json_patch::merge(&mut exemption, patch);
    spec(&json!({"exemptions": [exemption]}))
}

fn selector(key: &str, values: &Value) -> Value {
    let requirement = json!({"key": "tier", "operator": key, "values": values});
    spec(&json!({"match": {"namespaceSelector": {"matchExpressions": [requirement]}}}))
}

/// What is no policy, and words of what the API server says of it.
#[allow(clippy::too_many_lines, reason = "a table is as long as what it lists")]
fn wrong() -> Vec<(Value, &'static str)> {
    let condition = |expression: &str| json!({"match": {"conditions": [{"name": "it", "expression": expression}]}});
    let entries = |count: usize| {
        let dated = (1..count).map(
            |year| json!({"mode": "Warn", "from": format!("{}-01-01T00:00:00Z", 2000 + year)}),
        );
        let all: Vec<_> = [json!({"mode": "Warn"})].into_iter().chain(dated).collect();
        json!({"schedule": all})
    };
    vec![
        (json!({}), "spec.schedule: Required value"),
        (
            spec(&json!({"schedule": []})),
            "should have at least 1 items",
        ),
        (spec(&entries(17)), "must have at most 16 items"),
        (
            spec(&json!({"schedule": [{"mode": "deny"}]})),
            "supported values: \"Audit\", \"Warn\", \"Deny\"",
        ),
        (
            spec(&json!({"schedule": [{"mode": "Deny", "from": "2027-02-01T00:00:00Z"}]})),
            "exactly one entry has no from",
        ),
        (
            spec(&json!({"schedule": [{"mode": "Audit"}, {"mode": "Warn"}]})),
            "exactly one entry has no from",
        ),
        (
            spec(&json!({"schedule": [
                {"mode": "Audit"},
                {"mode": "Warn", "from": "2027-02-01T00:00:00Z"},
                {"mode": "Deny", "from": "2027-02-01T00:00:00Z"},
            ]})),
            "two entries begin at the same time",
        ),
        (
            spec(&json!({"schedule": [{"mode": "Warn"}, {"mode": "Deny", "from": "2027-02-01"}]})),
            "date-time",
        ),
        (
            spec(
                &json!({"schedule": [{"mode": "Warn"}, {"mode": "Deny", "from": "9999-12-31T23:59:59Z"}]}),
            ),
            "a date lies before the year 9999",
        ),
        (
            exemption(&json!({"until": "9999-12-31T23:59:59Z"})),
            "a date lies before the year 9999",
        ),
        (exemption(&json!({"until": null})), "until: Required value"),
        (
            exemption(&json!({"reason": null})),
            "reason: Required value",
        ),
        (
            exemption(&json!({"reason": ""})),
            "should be at least 1 chars long",
        ),
        (
            exemption(&json!({"subjects": null})),
            "subjects: Required value",
        ),
        (
            exemption(&json!({"subjects": []})),
            "should have at least 1 items",
        ),
        (
            exemption(&json!({"subjects": [{"kind": "ServiceAccount", "name": "katib"}]})),
            "a ServiceAccount needs a namespace",
        ),
        (
            exemption(
                &json!({"subjects": [{"kind": "User", "namespace": "kubeflow", "name": "jane"}]}),
            ),
            "a ServiceAccount needs a namespace",
        ),
        (
            exemption(&json!({"subjects": [{"kind": "Robot", "name": "jane"}]})),
            "supported values: \"User\", \"Group\", \"ServiceAccount\"",
        ),
        (selector("In", &json!([])), "In and NotIn need values"),
        (
            selector("Exists", &json!(["gold"])),
            "In and NotIn need values",
        ),
        (spec(&condition("")), "should be at least 1 chars long"),
        (
            spec(&condition(&"x".repeat(10 << 10))),
            "may not be more than 1024",
        ),
        (
            spec(&json!({"priority": 1_000_001})),
            "should be less than or equal to 1000000",
        ),
        (
            spec(&json!({"message": ""})),
            "should be at least 1 chars long",
        ),
        (
            spec(&json!({"denial": "Short"})),
            "supported values: \"Full\", \"Summary\"",
        ),
    ]
}

fn apply(control_plane: &ControlPlane, object: &Value, dry_run: bool) -> Result<Output> {
    let mut arguments = vec!["apply", "--filename=-", "--validate=strict"];
    arguments.extend(dry_run.then_some("--dry-run=server"));
    control_plane
        .admin()
        .run(&arguments, Some(&object.to_string()))
}

fn check(object: &Value) -> Result<Output> {
    let mut command = Command::new(program()?);
    command.args(["policy", "check", "-"]);
    output(command, Some(&object.to_string()))
}

fn the_definition_and_a_file_refuse_the_same(control_plane: &ControlPlane) -> Result<()> {
    for right in [
        spec(&json!({})),
        exemption(&json!({})),
        selector("In", &json!(["gold"])),
    ] {
        let object = policy("right", &right);
        let answer = apply(control_plane, &object, true)?;
        ensure!(answer.status == 0, "{right}: {answer:?}");
        let checked = check(&object)?;
        ensure!(checked.status == 0, "{right}: {checked:?}");
    }
    for (wrong, words) in wrong() {
        let object = policy("wrong", &wrong);
        let answer = apply(control_plane, &object, true)?;
        ensure!(
            answer.status == 1 && answer.stderr.contains(words),
            "{wrong}: {words}: {answer:?}"
        );
        let checked = check(&object)?;
        ensure!(checked.status == 2, "{wrong}: {checked:?}");
    }
    let own = policy("built-in", &spec(&json!({})));
    let answer = apply(control_plane, &own, true)?;
    ensure!(
        answer.stderr.contains("the name built-in stands for"),
        "{answer:?}"
    );
    ensure!(check(&own)?.status == 2, "a file may not take the name");
    Ok(())
}

/// A policy for one namespace alone.
fn here(namespace: &str, mode: &str, message: &str) -> Value {
    let spec = json!({
        "priority": 100, "match": {"namespaces": [namespace]}, "schedule": [{"mode": mode}], "message": message,
    });
    policy(namespace, &spec)
}

fn try_out(control_plane: &ControlPlane, namespace: &str) -> Result<Output> {
    create(
        control_plane.admin(),
        &mnist("mnist", namespace, 1),
        &["--dry-run=server"],
    )
}

fn until_answered(
    control_plane: &ControlPlane,
    namespace: &str,
    what: &str,
    is: impl Fn(&Output) -> bool,
) -> Result<()> {
    wait_until(what, PATIENCE, || {
        let answer = try_out(control_plane, namespace)?;
        Ok(if is(&answer) {
            Progress::Done(())
        } else {
            Progress::Waiting(format!("{answer:?}"))
        })
    })
}

fn a_policy_counts_from_the_next_moment_on(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("audit")?;
    let before = try_out(control_plane, &namespace)?;
    ensure!(
        before.status == 0 && !before.stderr.contains("Warning"),
        "{before:?}"
    );

    apply(control_plane, &here(&namespace, "Deny", "first"), false)?;
    let refused = format!("PyTorchJob is refused in namespace {namespace} (policy {namespace})");
    until_answered(control_plane, &namespace, "it is refused", |answer| {
        answer.stderr.contains(&refused) && answer.stderr.contains("# first")
    })?;
    apply(control_plane, &here(&namespace, "Warn", "second"), false)?;
    until_answered(control_plane, &namespace, "it is warned about", |answer| {
        answer.status == 0 && answer.stderr.contains("trainshift: second")
    })?;
    control_plane
        .admin()
        .succeed(&["delete", "migrationpolicy", &namespace], None)?;
    until_answered(
        control_plane,
        &namespace,
        "the default holds again",
        |answer| answer.status == 0 && !answer.stderr.contains("Warning"),
    )
}

fn a_policy_that_is_edited_is_never_half_in_force(control_plane: &ControlPlane) -> Result<()> {
    const EDITS: usize = 50;
    let namespace = control_plane.namespace("audit")?;
    let forms = [
        here(&namespace, "Deny", "it is the denial"),
        here(&namespace, "Warn", "it is the warning"),
    ];
    apply(control_plane, &forms[0], false)?;
    until_answered(control_plane, &namespace, "it counts", |answer| {
        answer.status == 1
    })?;
    let is_done = AtomicBool::new(false);
    let answers = thread::scope(|scope| -> Result<Vec<Output>> {
        let editor = scope.spawn(|| {
            let edited = (0..EDITS).try_for_each(|edit| {
                let answer = apply(control_plane, &forms[(edit + 1) % 2], false)?;
                ensure!(answer.status == 0, "{answer:?}");
                Ok(())
            });
            is_done.store(true, Ordering::Relaxed);
            edited
        });
        let mut answers = Vec::new();
        while !is_done.load(Ordering::Relaxed) {
            answers.push(try_out(control_plane, &namespace)?);
        }
        editor
            .join()
            .map_err(|_| anyhow::anyhow!("the editor has panicked"))??;
        Ok(answers)
    })?;
    let (mut denied, mut warned) = (0, 0);
    for answer in &answers {
        let says = |words: &str| answer.stderr.contains(words);
        let is_whole = match answer.status {
            0 => says("Warning") && says("it is the warning") && !says("it is the denial"),
            _ => says("is refused") && says("it is the denial") && !says("it is the warning"),
        };
        ensure!(is_whole, "{answer:?}");
        if answer.status == 0 {
            warned += 1;
        } else {
            denied += 1;
        }
    }
    ensure!(
        denied > 0 && warned > 0,
        "{denied} denials and {warned} warnings: nothing changed while they were asked"
    );
    control_plane
        .admin()
        .succeed(&["delete", "migrationpolicy", &namespace], None)?;
    Ok(())
}

fn kubectl_shows_policies_by_their_short_name(control_plane: &ControlPlane) -> Result<()> {
    let nowhere = json!({"match": {"namespaces": ["nowhere"]}});
    apply(control_plane, &policy("shown", &spec(&nowhere)), false)?;
    let table = control_plane
        .admin()
        .succeed(&["get", "mpol", "shown"], None)?;
    let head: Vec<_> = table
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    ensure!(
        head == ["NAME", "MODE", "NEXT", "WHEN", "READY", "AGE"],
        "{table}"
    );
    control_plane
        .admin()
        .succeed(&["delete", "mpol", "shown"], None)?;
    Ok(())
}

/// The policy of the old labels or of the new ones holds at any moment: nobody gets between them.
fn a_namespace_that_is_made_again_is_judged_by_its_new_labels(
    control_plane: &ControlPlane,
) -> Result<()> {
    const TIER: &str = "trainshift-test/again";
    let admin = control_plane.admin();
    let name = control_plane.namespace("audit")?;
    let modes = [("strict", "Deny"), ("loose", "Warn")];
    for (tier, mode) in modes {
        let labels = json!({TIER: format!("{name}-{tier}")});
        let spec = json!({
            "priority": 100, "match": {"namespaceSelector": {"matchLabels": labels}},
            "schedule": [{"mode": mode}], "message": format!("it is {tier}"),
        });
        let policy = policy(&format!("{name}-{tier}"), &spec);
        ensure!(apply(control_plane, &policy, false)?.status == 0, "{tier}");
    }
    let says = |answer: &Output, tier: &str| answer.stderr.contains(&format!("it is {tier}"));
    let [(strict, _), (loose, _)] = modes;
    let label = format!("{TIER}={name}-{strict}");
    admin.succeed(&["label", "namespace", &name, &label], None)?;
    until_answered(control_plane, &name, "the first holds", |answer| {
        says(answer, strict)
    })?;
    for (new, old) in [(loose, strict), (strict, loose)] {
        admin.succeed(&["delete", "namespace", &name], None)?;
        let labels = json!({MODE_LABEL: "audit", TIER: format!("{name}-{new}")});
        control_plane.create(&[json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels},
        })])?;
        wait_until(&format!("{new} holds"), PATIENCE, || {
            let answer = try_out(control_plane, &name)?;
            ensure!(says(&answer, new) || says(&answer, old), "{answer:?}");
            Ok(if says(&answer, new) {
                Progress::Done(())
            } else {
                Progress::Waiting(format!("{answer:?}"))
            })
        })?;
    }
    let policies = modes.map(|(tier, _)| format!("{name}-{tier}"));
    admin.succeed(
        &["delete", "migrationpolicy", &policies[0], &policies[1]],
        None,
    )?;
    Ok(())
}
