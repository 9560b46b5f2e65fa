//! Ways round by what is done to a job, or to its namespace.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::ground::{Ground, LABEL, schedule};
use super::{after, another_image, before, refused, silent, warned};
use crate::control_plane::{ControlPlane, MODE_LABEL};
use crate::jobs::{create, exists, mnist};

crate::facts![
    a_job_parked_before_the_date_is_judged_when_it_is_started,
    scaling_is_judged_by_policies_that_cannot_see_the_job,
    taking_a_job_back_from_another_controller_is_judged,
    a_label_removed_with_the_edit_still_counts,
    a_label_removed_before_the_edit_leaves_the_namespaces_policy,
    a_namespace_created_a_moment_ago_is_judged_by_its_labels,
    a_dry_run_is_refused_in_the_same_words,
    a_namespaces_label_opens_nothing,
];

fn a_job_parked_before_the_date_is_judged_when_it_is_started(
    control_plane: &ControlPlane,
) -> Result<()> {
    let ground = Ground::new(control_plane)?;
    ground.policy(&before())?;
    let parked = ground.job(&json!({"spec": {"runPolicy": {"suspend": true}}}));
    warned(
        &create(&ground.user, &parked, &[])?,
        &["mode Deny begins on 2998-01-01"],
    )?;

    ground.policy(&after())?;
    let start = json!({"spec": {"runPolicy": {"suspend": false}}});
    let by = format!("since 2026-01-01 (policy {})", ground.name);
    refused(
        &ground.edit(&ground.user, &start)?,
        &["starting this PyTorchJob is refused", &by, "kind: TrainJob"],
    )?;
    // Not by another edit on the way either.
    silent(&ground.edit(&ground.user, &json!({"metadata": {"labels": {"a": "b"}}}))?)?;
    refused(&ground.edit(&ground.user, &start)?, &[&by])
}

fn scaling_is_judged_by_policies_that_cannot_see_the_job(
    control_plane: &ControlPlane,
) -> Result<()> {
    let ground = Ground::new(control_plane)?;
    ground.policy(&before())?;
    warned(&create(&ground.user, &ground.job(&json!({})), &[])?, &[])?;
    warned(
        &ground.scale(&ground.user, 2)?,
        &[
            "mode Deny begins on 2998-01-01",
            &format!("{}, told", ground.name),
        ],
    )?;

    // The job has no such label; the scale subresource doesn't tell.
    let vision = json!({"team": "vision"});
    let narrow = format!("{}-vision", ground.name);
    let spec = json!({
        "priority": 10,
        "match": {"objectSelector": {"matchLabels": vision}},
        "schedule": after()["schedule"],
    });
    ground.named(&narrow, &spec, &vision)?;
    let by = format!("since 2026-01-01 (policy {narrow})");
    refused(
        &ground.scale(&ground.user, 8)?,
        &[
            "from 2 to 8 workers is refused",
            &by,
            &format!("{narrow}, told"),
        ],
    )?;

    ground.policy(&after())?;
    refused(&ground.scale(&ground.user, 8)?, &["from 2 to 8 workers"])?;
    silent(&ground.scale(&ground.user, 1)?)
}

fn taking_a_job_back_from_another_controller_is_judged(control_plane: &ControlPlane) -> Result<()> {
    let ground = Ground::new(control_plane)?;
    ground.policy(&before())?;
    let away = json!({"spec": {"runPolicy": {"managedBy": "kueue.x-k8s.io/multikueue"}}});
    warned(&create(&ground.user, &ground.job(&away), &[])?, &[])?;

    ground.policy(&after())?;
    for manager in [json!("kubeflow.org/training-operator"), Value::Null] {
        let back = json!({"spec": {"runPolicy": {"managedBy": manager}}});
        refused(
            &ground.edit(&ground.user, &back)?,
            &["this change of a PyTorchJob (spec.runPolicy.managedBy) is refused"],
        )?;
    }
    Ok(())
}

/// A namespace where jobs are warned about and jobs of the team refused, and a job of the team's that was there before.
fn with_a_job_of_the_team(control_plane: &ControlPlane) -> Result<Ground<'_>> {
    let ground = Ground::new(control_plane)?;
    ground.policy(&before())?;
    let vision = json!({"team": "vision"});
    let job = ground.job(&json!({"metadata": {"labels": vision}}));
    warned(&create(&ground.user, &job, &[])?, &[])?;
    let spec = json!({
        "priority": 10,
        "match": {"objectSelector": {"matchLabels": vision}},
        "schedule": schedule("Deny", &[]),
    });
    ground.named(&format!("{}-vision", ground.name), &spec, &vision)?;
    Ok(ground)
}

fn a_label_removed_with_the_edit_still_counts(control_plane: &ControlPlane) -> Result<()> {
    let ground = with_a_job_of_the_team(control_plane)?;
    let mut edit = another_image();
    edit["metadata"] = json!({"labels": {"team": null}});
    let by = format!("(policy {}-vision)", ground.name);
    refused(&ground.edit(&ground.user, &edit)?, &[&by])
}

fn a_label_removed_before_the_edit_leaves_the_namespaces_policy(
    control_plane: &ControlPlane,
) -> Result<()> {
    let ground = with_a_job_of_the_team(control_plane)?;
    let removed = json!({"metadata": {"labels": {"team": null}}});
    silent(&ground.edit(&ground.user, &removed)?)?;
    let edit = another_image();
    warned(
        &ground.edit(&ground.user, &edit)?,
        &[
            "mode Deny begins on 2998-01-01",
            &format!("{}, told", ground.name),
        ],
    )?;
    ground.policy(&after())?;
    let back = json!({"spec": ground.job(&json!({}))["spec"]});
    let by = format!("(policy {})", ground.name);
    refused(&ground.edit(&ground.user, &back)?, &[&by])
}

fn a_namespace_created_a_moment_ago_is_judged_by_its_labels(
    control_plane: &ControlPlane,
) -> Result<()> {
    let ground = Ground::new(control_plane)?;
    ground.policy(&json!({"schedule": schedule("Deny", &[])}))?;
    let names: Vec<_> = (0..10)
        .map(|number| format!("{}-new-{number}", ground.name))
        .collect();
    let labels = json!({MODE_LABEL: "audit", LABEL: ground.name});
    let pairs = names.iter().flat_map(|name| {
        let metadata = json!({"name": name, "labels": labels});
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        [namespace, mnist("mnist", name, 1)]
    });
    let list = json!({"apiVersion": "v1", "kind": "List", "items": pairs.collect::<Vec<_>>()});
    // One run of kubectl, so that nothing lies between a namespace and its first job.
    let answer = create(control_plane.admin(), &list, &["--validate=false"])?;
    for name in &names {
        let by = format!(
            "PyTorchJob is refused in namespace {name} (policy {})",
            ground.name
        );
        refused(&answer, &[&by])?;
        ensure!(
            !exists(control_plane, "pytorchjob", name, "mnist")?,
            "{answer:?}"
        );
    }
    Ok(())
}

fn a_dry_run_is_refused_in_the_same_words(control_plane: &ControlPlane) -> Result<()> {
    let ground = Ground::new(control_plane)?;
    ground.policy(&after())?;
    let job = ground.job(&json!({}));
    let dry = create(&ground.user, &job, &["--dry-run=server"])?;
    refused(&dry, &["since 2026-01-01", "kind: TrainJob"])?;
    let wet = create(&ground.user, &job, &[])?;
    ensure!(wet.stderr == dry.stderr, "{dry:?}\n{wet:?}");
    // What is shown on request was not admitted.
    let shown =
        ground.job(&json!({"metadata": {"annotations": {"trainshift.dev/show": "trainjob"}}}));
    refused(
        &create(&ground.user, &shown, &[])?,
        &["PyTorchJob is refused"],
    )?;
    refused(&create(&ground.user, &shown, &["--dry-run=server"])?, &[])?;
    ensure!(
        !exists(control_plane, "pytorchjob", &ground.name, "mnist")?,
        "the job was stored"
    );
    Ok(())
}

fn a_namespaces_label_opens_nothing(control_plane: &ControlPlane) -> Result<()> {
    let ground = Ground::new(control_plane)?;
    for (wish, mode, by) in [
        ("audit", "Deny", format!("policy {}", ground.name)),
        ("warn", "Deny", format!("policy {}", ground.name)),
        (
            "deny",
            "Warn",
            "the namespace's label trainshift.dev/mode".to_owned(),
        ),
    ] {
        // Set together, so that the wish is seen by whoever finds the policy in force.
        let matched = format!("{}-{wish}", ground.name);
        ground.label(&[
            &format!("{LABEL}={matched}"),
            &format!("trainshift.dev/mode={wish}"),
        ])?;
        ground.policy(&json!({
            "match": {"namespaceSelector": {"matchLabels": {LABEL: matched}}},
            "schedule": schedule(mode, &[]),
        }))?;
        refused(
            &create(&ground.user, &ground.job(&json!({})), &[])?,
            &[&format!("({by})")],
        )?;
    }
    Ok(())
}
