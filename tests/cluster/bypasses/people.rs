//! Ways round by who asks, and by what he says of himself.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::ground::{Ground, exemption, schedule};
use super::{another_image, refused, warned};
use crate::control_plane::ControlPlane;
use crate::control_plane::audit::events;
use crate::control_plane::kubectl::Kubectl;
use crate::jobs::create;

crate::facts![
    an_exempted_users_job_is_judged_when_somebody_else_edits_it,
    a_forged_owner_excuses_nobody,
    a_generated_name_is_judged_by_how_it_begins,
    impersonating_an_exempt_account_takes_the_right_to,
    a_reason_passes_with_the_verb_on_that_policy_only,
];

fn an_exempted_users_job_is_judged_when_somebody_else_edits_it(
    control_plane: &ControlPlane,
) -> Result<()> {
    let ground = Ground::new(control_plane)?;
    let robot = format!("robot-of-{}", ground.name);
    let subject = json!({"kind": "User", "name": robot});
    ground.policy(&json!({
        "schedule": schedule("Deny", &[]),
        "exemptions": [exemption("robot", &subject, &json!({}))],
    }))?;
    let robot = ground.another(&robot)?;
    let excused = "exemption robot lets this one pass until 2999-01-01";
    warned(&create(&robot, &ground.job(&json!({})), &[])?, &[excused])?;

    let changed =
        "this change of a PyTorchJob (spec.pytorchReplicaSpecs.Master.template) is refused";
    let edit = another_image();
    refused(&ground.edit(&ground.user, &edit)?, &[changed])?;
    warned(&ground.edit(&robot, &edit)?, &[excused])
}

fn a_forged_owner_excuses_nobody(control_plane: &ControlPlane) -> Result<()> {
    let ground = Ground::new(control_plane)?;
    let (kubeflow, katib) = (format!("{}-kubeflow", ground.name), "katib-controller");
    let subject = json!({"kind": "ServiceAccount", "namespace": kubeflow, "name": katib});
    let narrowed = json!({"owners": [{"apiGroup": "kubeflow.org", "kind": "Trial"}]});
    ground.policy(&json!({
        "schedule": schedule("Deny", &[]),
        "exemptions": [exemption("katib", &subject, &narrowed)],
    }))?;
    let katib = ground.service_account(&kubeflow, katib)?;
    let trial = json!({
        "apiVersion": "kubeflow.org/v1beta1", "kind": "Trial", "name": "trial", "uid": "0b7c1a3e-0000-4000-8000-000000000000",
    });
    let owned = ground.job(&json!({"metadata": {"ownerReferences": [trial]}}));
    let by = format!(
        "PyTorchJob is refused in namespace {0} (policy {0})",
        ground.name
    );
    refused(&create(&ground.user, &owned, &[])?, &[&by])?;
    refused(&create(&katib, &ground.job(&json!({})), &[])?, &[&by])?;
    warned(
        &create(&katib, &owned, &[])?,
        &["exemption katib lets this one pass until 2999-01-01"],
    )
}

fn a_generated_name_is_judged_by_how_it_begins(control_plane: &ControlPlane) -> Result<()> {
    let ground = Ground::new(control_plane)?;
    let robot = format!("robot-of-{}", ground.name);
    let subject = json!({"kind": "User", "name": robot});
    ground.policy(&json!({
        "schedule": schedule("Deny", &[]),
        "exemptions": [exemption("nightly", &subject, &json!({"names": ["nightly-*"]}))],
    }))?;
    let robot = ground.another(&robot)?;
    let generated =
        |prefix: &str| ground.job(&json!({"metadata": {"name": null, "generateName": prefix}}));
    let by = format!("(policy {})", ground.name);
    refused(&create(&ground.user, &generated("nightly-"), &[])?, &[&by])?;
    for prefix in ["night", "hourly-"] {
        refused(&create(&robot, &generated(prefix), &[])?, &[&by])?;
    }
    warned(
        &create(&robot, &generated("nightly-"), &[])?,
        &["exemption nightly lets this one pass"],
    )
}

fn impersonating_an_exempt_account_takes_the_right_to(control_plane: &ControlPlane) -> Result<()> {
    let ground = Ground::new(control_plane)?;
    let subject = json!({"kind": "ServiceAccount", "namespace": ground.name, "name": "robot"});
    ground.policy(&json!({
        "schedule": schedule("Deny", &[]),
        "exemptions": [exemption("robot", &subject, &json!({}))],
    }))?;
    ground.service_account(&ground.name, "robot")?;
    let robot = format!("system:serviceaccount:{}:robot", ground.name);
    let posing = format!("--as={robot}");
    let job = ground.job(&json!({}));
    let answer = create(&ground.user, &job, &[&posing, "--validate=false"])?;
    ensure!(
        answer.status == 1 && answer.stderr.contains("resource \"serviceaccounts\""),
        "{answer:?}"
    );

    let user = format!("editor-of-{}", ground.name);
    let rbac = |kind: &str, rest: Value| {
        let mut object = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
            "metadata": {"name": "pose", "namespace": ground.name},
        });
        json_patch::merge(&mut object, &rest);
        object
    };
    control_plane.create(&[
        rbac("Role", json!({"rules": [{
            "apiGroups": [""], "resources": ["serviceaccounts"], "resourceNames": ["robot"], "verbs": ["impersonate"],
        }]})),
        rbac("RoleBinding", json!({
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "pose"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        })),
    ])?;
    let namespace = format!("--namespace={}", ground.name);
    ground.wait_until_may(&user, &["impersonate", "serviceaccounts/robot", &namespace])?;
    warned(
        &create(&ground.user, &job, &[&posing, "--validate=false"])?,
        &["exemption robot lets this one pass"],
    )?;
    let events = events(control_plane, "create", &ground.name, "mnist")?;
    let event = events.last().context("a record")?;
    ensure!(event["user"]["username"] == user, "{event:#}");
    ensure!(event["impersonatedUser"]["username"] == robot, "{event:#}");
    ensure!(
        event["annotations"]["validate.trainshift.dev/exemption"] == "robot",
        "{event:#}"
    );
    Ok(())
}

fn a_reason_passes_with_the_verb_on_that_policy_only(control_plane: &ControlPlane) -> Result<()> {
    let ground = Ground::new(control_plane)?;
    ground.policy(&json!({"schedule": schedule("Deny", &[])}))?;
    let annotation = json!({"trainshift.dev/bypass": "the deadline is tonight"});
    let reasoned = ground.job(&json!({"metadata": {"annotations": annotation}}));
    let no_effect = format!(
        "trainshift.dev/bypass has no effect: it takes the verb bypass on migrationpolicies/{}, which you don't have",
        ground.name
    );
    refused(&create(&ground.user, &reasoned, &[])?, &[&no_effect])?;

    let elsewhere = with_verb_on(&ground, "elsewhere", "another-policy")?;
    refused(&create(&elsewhere, &reasoned, &[])?, &[&no_effect])?;

    let on_call = with_verb_on(&ground, "on-call", &ground.name)?;
    // The right alone excuses nobody: administrators have it without knowing.
    let by = format!("(policy {})", ground.name);
    refused(&create(&on_call, &ground.job(&json!({})), &[])?, &[&by])?;
    let blank = ground.job(&json!({"metadata": {"annotations": {"trainshift.dev/bypass": " "}}}));
    refused(&create(&on_call, &blank, &[])?, &[&by])?;
    warned(
        &create(&on_call, &reasoned, &[])?,
        &["trainshift.dev/bypass lets this one pass, and is recorded: the deadline is tonight"],
    )?;
    let events = events(control_plane, "create", &ground.name, "mnist")?;
    let annotations = &events.last().context("a record")?["annotations"];
    ensure!(
        annotations["validate.trainshift.dev/bypass"] == "the deadline is tonight",
        "{annotations:#}"
    );
    Ok(())
}

/// Another user, who may pass the denials of a policy.
fn with_verb_on(ground: &Ground<'_>, who: &str, policy: &str) -> Result<Kubectl> {
    let user = format!("{who}-of-{}", ground.name);
    let metadata = json!({"name": format!("{}-{who}", ground.name)});
    let rule = json!({
        "apiGroups": ["trainshift.dev"], "resources": ["migrationpolicies"], "resourceNames": [policy], "verbs": ["bypass"],
    });
    let (group, kind) = ("rbac.authorization.k8s.io", "ClusterRole");
    ground.control_plane.create(&[
        json!({
            "apiVersion": format!("{group}/v1"), "kind": kind, "metadata": metadata, "rules": [rule],
        }),
        json!({
            "apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding", "metadata": metadata,
            "roleRef": {"apiGroup": group, "kind": kind, "name": metadata["name"]},
            "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
        }),
    ])?;
    let resource = format!("migrationpolicies.trainshift.dev/{policy}");
    ground.wait_until_may(&user, &["bypass", &resource])?;
    ground.another(&user)
}
