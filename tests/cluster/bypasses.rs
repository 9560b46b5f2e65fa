//! The ways round a policy, and that none of them leads anywhere.
//!
//! Each fact has a namespace and a MigrationPolicy of its own. A date passes by editing the policy: it moves into the past.

pub(crate) mod ground;
pub(crate) mod jobs;
pub(crate) mod people;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use self::ground::schedule;
use crate::control_plane::kubectl::Output;

fn refused(answer: &Output, texts: &[&str]) -> Result<()> {
    ensure!(answer.status == 1, "it was not refused: {answer:?}");
    says(answer, &[&["denied the request"], texts].concat())
}

fn warned(answer: &Output, texts: &[&str]) -> Result<()> {
    ensure!(answer.status == 0, "it did not pass: {answer:?}");
    says(answer, &[&["Warning: trainshift: "], texts].concat())
}

fn silent(answer: &Output) -> Result<()> {
    let is_silent = answer.status == 0 && answer.stderr.is_empty();
    ensure!(is_silent, "it did not pass in silence: {answer:?}");
    Ok(())
}

fn says(answer: &Output, texts: &[&str]) -> Result<()> {
    for text in texts {
        ensure!(answer.stderr.contains(text), "no {text:?} in {answer:?}");
    }
    Ok(())
}

/// The patch that gives the master another image.
fn another_image() -> Value {
    let containers = json!([{"name": "pytorch", "image": "example.com/other:1", "command": ["python", "train.py"]}]);
    json!({"spec": {"pytorchReplicaSpecs": {"Master": {"template": {"spec": {"containers": containers}}}}}})
}

/// The schedules before and after a date has passed.
fn before() -> Value {
    json!({"schedule": schedule("Warn", &[("Deny", "2998-01-01")])})
}

fn after() -> Value {
    json!({"schedule": schedule("Warn", &[("Deny", "2026-01-01")])})
}
