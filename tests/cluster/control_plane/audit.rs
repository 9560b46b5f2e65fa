//! What the API server has recorded.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use super::ControlPlane;

/// The answered requests about one object by one verb, oldest first.
///
/// The API server writes a record before it sends the answer, so what a client has seen answered is in here.
pub(crate) fn events(
    control_plane: &ControlPlane,
    verb: &str,
    namespace: &str,
    name: &str,
) -> Result<Vec<Value>> {
    let log = control_plane.directory().join("audit.log");
    let text = fs::read_to_string(&log).with_context(|| format!("reading {}", log.display()))?;
    // The last line may be half written.
    let events = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let about = |event: &Value| {
        let object = &event["objectRef"];
        event["verb"] == verb && object["namespace"] == namespace && object["name"] == name
    };
    Ok(events
        .filter(|event| event["stage"] == "ResponseComplete" && about(event))
        .collect())
}
