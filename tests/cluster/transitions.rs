//! Twenty namespaces under eight policies, before and after two dates: what everybody reads, from one end to the other.
//!
//! The policies are `tests/fixtures/policy/transitions/policies.yaml`, the answers are written out in `answers.txt` beside
//! it. `UPDATE_GOLDEN=1` writes them anew; read what has changed before you keep it.

mod namespaces;
mod served;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};

use self::namespaces::{ALL, Place, SUBMITTERS};
use self::served::Served;
use crate::control_plane::kubectl::Output;
use crate::control_plane::wait::{Progress, wait_until};
use crate::control_plane::{ControlPlane, MODE_LABEL};
use crate::jobs::{create, wait_until_judged};

crate::facts![every_namespace_moves_by_date_and_is_told_so];

/// The label of this server's namespaces.
const LABEL: &str = "transitions";
const POLICIES: [&str; 8] = [
    "org-default",
    "org-research",
    "org-production",
    "org-pilot",
    "org-pipelines",
    "org-archive",
    "org-large",
    "org-vision",
];
/// Long before the first date, a second before each, and the moment that each begins.
const TIMES: [&str; 5] = [
    "2027-01-15T00:00:00Z",
    "2027-01-31T23:59:59Z",
    "2027-02-01T00:00:00Z",
    "2027-05-31T23:59:59Z",
    "2027-06-01T00:00:00Z",
];
const PATIENCE: Duration = Duration::from_mins(1);

fn every_namespace_moves_by_date_and_is_told_so(control_plane: &ControlPlane) -> Result<()> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/policy/transitions");
    let served = Served::start(control_plane, LABEL)?;
    install(control_plane, &fixtures.join("policies.yaml"))?;
    wait_until("the policies are in force", PATIENCE, || {
        Ok(match lacking(&served) {
            None => Progress::Done(()),
            Some(what) => Progress::Waiting(what),
        })
    })?;
    wait_until_judged(control_plane, ALL[0].name)?;

    let mut told = vec![Vec::new(); ALL.len()];
    for time in TIMES {
        served.set(time.parse::<Timestamp>()?);
        for (place, told) in ALL.iter().zip(&mut told) {
            told.push((time, answer(&submit(control_plane, place)?)?));
        }
    }
    let text: Vec<_> = ALL
        .iter()
        .zip(&told)
        .map(|(place, told)| section(place, told))
        .collect();
    let text = text.join("\n");
    let file = fixtures.join("answers.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, &text)?;
    }
    let expected = fs::read_to_string(&file)?;
    let seen = control_plane.directory().join("answers.txt");
    if text != expected {
        fs::write(&seen, &text)?;
    }
    ensure!(
        text == expected,
        "the answers are others: diff {} {}",
        file.display(),
        seen.display()
    );
    Ok(())
}

/// Namespaces, policies, and the rights of those who submit.
fn install(control_plane: &ControlPlane, policies: &Path) -> Result<()> {
    let namespace = |place: &Place| {
        let mut labels = json!({MODE_LABEL: LABEL});
        for (key, value) in place.labels {
            labels[*key] = json!(value);
        }
        let metadata = json!({"name": place.name, "labels": labels});
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    };
    control_plane.create(&ALL.each_ref().map(namespace))?;
    let right = |name: &str, rule: Value, subject: Value| {
        let group = "rbac.authorization.k8s.io";
        let object = |kind: &str, more: Value| {
            let mut object = json!({
                "apiVersion": format!("{group}/v1"), "kind": kind, "metadata": {"name": name},
            });
            json_patch::merge(&mut object, &more);
            object
        };
        let mut subject = subject;
        subject["apiGroup"] = json!(group);
        let role = json!({"apiGroup": group, "kind": "ClusterRole", "name": name});
        control_plane.create(&[
            object("ClusterRole", json!({"rules": [rule]})),
            object(
                "ClusterRoleBinding",
                json!({"roleRef": role, "subjects": [subject]}),
            ),
        ])
    };
    right(
        "org-submitters",
        json!({"apiGroups": ["kubeflow.org"], "resources": ["pytorchjobs"], "verbs": ["create"]}),
        json!({"kind": "Group", "name": SUBMITTERS}),
    )?;
    right(
        "org-on-call",
        json!({
            "apiGroups": ["trainshift.dev"], "resources": ["migrationpolicies"],
            "resourceNames": ["org-research"], "verbs": ["bypass"],
        }),
        json!({"kind": "User", "name": "on-call"}),
    )?;
    let policies = policies.to_str().context("a path")?;
    let command = ["create", "--validate=false", "--filename", policies];
    control_plane.admin().succeed(&command, None)?;
    Ok(())
}

/// What the server has yet to hear of.
fn lacking(served: &Served) -> Option<String> {
    let Some(snapshot) = served.snapshot() else {
        return Some("everything".to_owned());
    };
    let policies = POLICIES
        .into_iter()
        .filter(|name| snapshot.policies().named(name).is_none());
    let namespaces = ALL
        .iter()
        .map(|place| place.name)
        .filter(|name| snapshot.namespace(name).is_none());
    let lacking: Vec<_> = policies.chain(namespaces).collect();
    (!lacking.is_empty()).then(|| lacking.join(", "))
}

/// Sends the place's job as whoever submits there.
fn submit(control_plane: &ControlPlane, place: &Place) -> Result<Output> {
    let mut flags = vec![
        "--dry-run=server".to_owned(),
        "--validate=false".to_owned(),
        format!("--as={}", place.who.user()),
    ];
    flags.extend(
        place
            .who
            .groups()
            .iter()
            .map(|group| format!("--as-group={group}")),
    );
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    create(control_plane.admin(), &place.what.job(place.name), &flags)
}

/// What is read, but for what the conversion says of fields, which is told elsewhere.
fn answer(output: &Output) -> Result<String> {
    const REFUSED: &str = "Error from server (Forbidden): error when creating \"STDIN\": admission webhook \"mutate.trainshift.dev\" denied the request: ";
    let (prose, objects) = match output.stderr.find("\napiVersion: ") {
        Some(at) => output.stderr.split_at(at),
        None => (output.stderr.as_str(), ""),
    };
    let mut lines = Vec::new();
    let mut findings = 0;
    for line in prose.lines() {
        if line.starts_with("Warning: trainshift TS") || line.starts_with("#   TS") {
            findings += 1;
        } else {
            lines.push(match line.strip_prefix(REFUSED) {
                Some(refused) => format!("Refused: {refused}"),
                None => line.to_owned(),
            });
        }
    }
    ensure!(
        (output.status == 0) != lines.iter().any(|line| line.starts_with("Refused: ")),
        "it neither passed nor was refused by trainshift: {output:?}"
    );
    if findings > 0 {
        lines.push(format!("({findings} findings)"));
    }
    if objects.contains("\nkind: TrainJob\n") {
        lines.push("(its TrainJob)".to_owned());
    }
    if lines.is_empty() {
        lines.push("Created, without a word.".to_owned());
    }
    Ok(lines.join("\n    "))
}

/// The place, and what is read there; times with the same answer are told together.
fn section(place: &Place, told: &[(&str, String)]) -> String {
    let labels = place
        .labels
        .iter()
        .map(|(key, value)| format!(" {key}={value}"));
    let mut text = format!(
        "{}{}: {} by {}\n",
        place.name,
        labels.collect::<String>(),
        place.what.as_str(),
        place.who.user()
    );
    for alike in told.chunk_by(|one, next| one.1 == next.1) {
        let times: Vec<_> = alike.iter().map(|(time, _)| *time).collect();
        let answer = alike.first().map_or("", |(_, answer)| answer);
        let _ = writeln!(text, "  {}\n    {answer}", times.join(", "));
    }
    text
}
