//! The most that a policy may hold, and the most that a floor can: taken and in force, or refused with words that say so.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::bypasses::ground::{Ground, LABEL, schedule};
use crate::control_plane::ControlPlane;
use crate::control_plane::kubectl::{Output, output};
use crate::control_plane::trainshift::program;
use crate::control_plane::wait::{Progress, wait_until};
use crate::jobs::{create, editor, mnist, policy};

crate::facts![
    exemptions_are_bounded_by_the_definition_and_all_of_them_count,
    a_floor_is_made_of_the_policies_in_the_cluster_if_they_fit,
    a_floor_holds_all_conditions_that_a_policy_may_have,
];

const PATIENCE: Duration = Duration::from_mins(1);
/// Which floor holds in a namespace.
const FLOOR: &str = "trainshift-test/limits";
/// Most exemptions of a policy.
const EXEMPTIONS: usize = 256;
/// Most subjects of an exemption.
const SUBJECTS: usize = 32;
/// Most conditions of a policy.
const CONDITIONS: usize = 8;
/// Most characters of a condition.
const LONGEST: usize = 1024;

/// So many exemptions, with as many subjects as one may have; `first` and `last` are at the ends.
fn exemptions(count: usize, first: &str, last: &str) -> Value {
    let user = |exemption: usize, subject: usize| {
        let name = match (exemption, subject) {
            (0, 0) => first.to_owned(),
            (exemption, subject) if exemption + 1 == count && subject + 1 == SUBJECTS => {
                last.to_owned()
            }
            _ => format!("user-{exemption}-{subject}"),
        };
        json!({"kind": "User", "name": name})
    };
    let all = (0..count).map(|exemption| {
        let subjects: Vec<_> = (0..SUBJECTS).map(|subject| user(exemption, subject)).collect();
        json!({
            "name": format!("exemption-{exemption}"), "subjects": subjects, "reason": "a test", "until": "2999-01-01T00:00:00Z",
        })
    });
    json!(all.collect::<Vec<_>>())
}

/// A policy that refuses where `matches` says, but for these exemptions.
fn refusing(name: &str, matches: &Value, exemptions: &Value) -> Value {
    let spec = json!({
        "priority": 100, "match": matches, "schedule": schedule("Deny", &[]), "exemptions": exemptions,
    });
    policy(name, &spec)
}

fn exemptions_are_bounded_by_the_definition_and_all_of_them_count(
    control_plane: &ControlPlane,
) -> Result<()> {
    let admin = control_plane.admin();
    let ground = Ground::new(control_plane)?;
    let first = format!("first-of-{}", ground.name);
    let last = format!("editor-of-{}", ground.name);
    let another = ground.another(&first)?;
    let here = json!({"namespaceSelector": {"matchLabels": {LABEL: ground.name}}});
    let of = |count| refusing(&ground.name, &here, &exemptions(count, &first, &last));
    for many in [EXEMPTIONS + 1, 1000] {
        let answer = create(admin, &of(many), &["--dry-run=server"])?;
        let words =
            format!("spec.exemptions: Too many: {many}: must have at most {EXEMPTIONS} items");
        ensure!(
            answer.status == 1 && answer.stderr.contains(&words),
            "{answer:?}"
        );
    }
    let answer = create(admin, &of(EXEMPTIONS), &[])?;
    ensure!(answer.status == 0, "{answer:?}");
    wait_until("the policy is in force", PATIENCE, || {
        let answer = create(admin, &ground.job(&json!({})), &["--dry-run=server"])?;
        Ok(if refused_by(&answer, &ground.name) {
            Progress::Done(())
        } else {
            Progress::Waiting(format!("{answer:?}"))
        })
    })?;
    for (user, number) in [(&another, 0), (&ground.user, EXEMPTIONS - 1)] {
        let answer = create(user, &ground.job(&json!({})), &["--dry-run=server"])?;
        let words = format!("exemption-{number}");
        ensure!(
            answer.status == 0 && answer.stderr.contains(&words),
            "{words}: {answer:?}"
        );
    }
    admin.succeed(&["delete", "migrationpolicy", &ground.name], None)?;
    Ok(())
}

fn refused_by(answer: &Output, policy: &str) -> bool {
    let by = format!("(policy {policy})");
    answer.status == 1 && answer.stderr.contains(&by)
}

/// Other facts have policies in the cluster as well, each for namespaces of its own.
fn a_floor_is_made_of_the_policies_in_the_cluster_if_they_fit(
    control_plane: &ControlPlane,
) -> Result<()> {
    let admin = control_plane.admin();
    let namespace = floored(control_plane)?;
    let user = editor(control_plane, &namespace)?;
    let job = mnist("mnist", &namespace, 1);
    let excused = json!([{
        "name": "moving", "reason": "a test", "until": "2999-01-01T00:00:00Z",
        "subjects": [{"kind": "User", "name": format!("editor-of-{namespace}")}],
    }]);
    let here = json!({"namespaces": [namespace]});
    control_plane.create(&[refusing(&namespace, &here, &excused)])?;
    let floor = of_the_cluster(control_plane, &namespace)?;
    ensure!(floor.status == 0, "{floor:?}");
    admin.succeed(
        &["apply", "--server-side", "--filename=-"],
        Some(&floor.stdout),
    )?;
    until_floored(control_plane, &job, &namespace)?;
    let answer = create(&user, &job, &["--dry-run=server"])?;
    ensure!(answer.status == 0, "{answer:?}");

    let many = format!("{namespace}-many");
    let nobody = exemptions(EXEMPTIONS, "first", "last");
    control_plane.create(&[refusing(&many, &here, &nobody)])?;
    let floor = of_the_cluster(control_plane, &namespace)?;
    admin.succeed(&["delete", "migrationpolicy", &namespace, &many], None)?;
    ensure!(
        floor.status == 2
            && floor.stdout.is_empty()
            && floor
                .stderr
                .contains("characters, and the API server takes 100000"),
        "{floor:?}"
    );
    Ok(())
}

fn a_floor_holds_all_conditions_that_a_policy_may_have(control_plane: &ControlPlane) -> Result<()> {
    let admin = control_plane.admin();
    let namespace = floored(control_plane)?;
    let (mut fits, mut beyond) = (0, 1000);
    let mut most = None;
    while beyond - fits > 1 {
        let count = usize::midpoint(fits, beyond);
        let floor = of_file(&namespace, &conditioned(&namespace, count))?;
        if floor.status == 0 {
            (fits, most) = (count, Some(floor));
        } else {
            ensure!(
                floor.status == 2 && floor.stderr.contains("and the API server takes"),
                "{floor:?}"
            );
            beyond = count;
        }
    }
    // The most that the command makes is taken.
    let most = most.context("one policy fits")?.stdout;
    ensure!(
        most.len() > 1 << 20,
        "{fits} policies: {} bytes",
        most.len()
    );
    let answer = admin.run(&["apply", "--server-side", "--filename=-"], Some(&most))?;
    ensure!(answer.status == 0, "{fits} policies: {answer:?}");
    let first = format!("{namespace}-0");
    until_floored(control_plane, &mnist("mnist", &namespace, 9), &first)?;
    let small = mnist("mnist", &namespace, 8);
    let answer = create(admin, &small, &["--dry-run=server"])?;
    ensure!(answer.status == 0, "{fits} policies: {answer:?}");
    // Nobody else has to carry it.
    admin.succeed(&["delete", "--filename=-"], Some(&most))?;
    Ok(())
}

/// Policies that refuse, each by as many conditions as one may have, each as long as it may be. They hold for jobs of more
/// than 8 workers.
fn conditioned(namespace: &str, count: usize) -> Vec<Value> {
    let term = "object.spec.pytorchReplicaSpecs.Worker.replicas > 8 || ";
    let expression = format!(
        "{:1$}",
        term.repeat(LONGEST / term.len() - 1) + term.trim_end_matches(" || "),
        LONGEST
    );
    let policies = (0..count).map(|number| {
        let conditions: Vec<_> = (0..CONDITIONS)
            .map(|condition| json!({"name": format!("condition-{condition}"), "expression": expression}))
            .collect();
        let matches = json!({"namespaces": [namespace], "conditions": conditions});
        refusing(&format!("{namespace}-{number}"), &matches, &json!([]))
    });
    policies.collect()
}

/// A namespace that no trainshift judges, with a floor of its own.
fn floored(control_plane: &ControlPlane) -> Result<String> {
    let namespace = control_plane.namespace("none")?;
    let label = format!("{FLOOR}={namespace}");
    let command = ["label", "namespace", &namespace, &label];
    control_plane.admin().succeed(&command, None)?;
    Ok(namespace)
}

/// Waits until the floor refuses a job by this policy.
fn until_floored(control_plane: &ControlPlane, job: &Value, policy: &str) -> Result<()> {
    wait_until("the floor is in force", PATIENCE, || {
        let answer = create(control_plane.admin(), job, &["--dry-run=server"])?;
        Ok(if refused_by(&answer, policy) {
            Progress::Done(())
        } else {
            Progress::Waiting(format!("{answer:?}"))
        })
    })
}

fn of_the_cluster(control_plane: &ControlPlane, namespace: &str) -> Result<Output> {
    let kubeconfig = control_plane.admin().kubeconfig();
    let kubeconfig = kubeconfig.to_str().context("a path of text")?;
    floor(namespace, &["--kubeconfig", kubeconfig], None)
}

fn of_file(namespace: &str, policies: &[Value]) -> Result<Output> {
    let policies: Vec<_> = policies.iter().map(Value::to_string).collect();
    floor(namespace, &["--policy=-"], Some(&policies.join("\n---\n")))
}

/// `trainshift generate vap` for one namespace.
fn floor(namespace: &str, source: &[&str], stdin: Option<&str>) -> Result<Output> {
    let mut command = Command::new(program()?);
    command.args(["generate", "vap"]).args(source).args([
        format!("--name=limits-{namespace}"),
        format!("--namespace-selector={FLOOR}={namespace}"),
    ]);
    output(command, stdin)
}
