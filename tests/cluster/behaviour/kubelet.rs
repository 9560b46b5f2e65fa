//! What a kubelet writes into the status of a pod, since there is none here.
//!
//! In: a pod as the API server has it, and what happens to its containers. Out: the status, one patch or several in the
//! order in which they are written. Whether a container is started again in place is decided as a kubelet decides it: by
//! the pod's own `restartPolicy`.

use serde_json::{Value, json};

/// Moments of a container's life, written where they are required and read by nobody.
const WHEN: &str = "2026-01-01T00:00:00Z";

/// What happens to a pod.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// Its containers have started and are ready.
    Starts,
    /// The containers end with this exit code.
    Exits(i32),
    /// The node is short of memory, and the kubelet ends the pod.
    IsEvicted,
}

/// The patches of the pod's status, oldest first.
pub(super) fn patches(pod: &Value, event: Event) -> Vec<Value> {
    let restarts = restarts(pod);
    match event {
        Event::Starts => vec![running(pod, restarts, true)],
        Event::Exits(code) if starts_again(pod, code) => {
            vec![
                running(pod, restarts, false),
                running(pod, restarts + 1, true),
            ]
        }
        Event::Exits(code) => {
            let phase = if code == 0 { "Succeeded" } else { "Failed" };
            vec![ended(pod, phase, code)]
        }
        Event::IsEvicted => {
            let mut patch = ended(pod, "Failed", 137);
            patch["status"]["reason"] = json!("Evicted");
            patch["status"]["message"] = json!("The node was low on resource: memory.");
            patch["status"]["conditions"] = json!([ready(false), {
                "type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet",
                "message": "The node was low on resource: memory.", "lastTransitionTime": WHEN,
            }]);
            vec![patch]
        }
    }
}

/// Whether the pod runs and is ready.
pub(super) fn is_ready(pod: &Value) -> bool {
    let mut conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    let ready =
        conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    ready && pod["status"]["phase"] == "Running"
}

fn starts_again(pod: &Value, code: i32) -> bool {
    match pod["spec"]["restartPolicy"].as_str() {
        Some("Never") => false,
        Some("OnFailure") => code != 0,
        _ => true,
    }
}

fn restarts(pod: &Value) -> i64 {
    let first = &pod["status"]["containerStatuses"][0];
    first["restartCount"].as_i64().unwrap_or_default()
}

fn running(pod: &Value, restarts: i64, is_ready: bool) -> Value {
    let state = if is_ready {
        json!({ "running": { "startedAt": WHEN } })
    } else {
        json!({ "waiting": { "reason": "CrashLoopBackOff" } })
    };
    json!({ "status": {
        "phase": "Running",
        "startTime": WHEN,
        "conditions": [ready(is_ready)],
        "containerStatuses": containers(pod, &state, restarts, is_ready),
    } })
}

fn ended(pod: &Value, phase: &str, code: i32) -> Value {
    let state =
        json!({ "terminated": { "exitCode": code, "startedAt": WHEN, "finishedAt": WHEN } });
    json!({ "status": {
        "phase": phase,
        "conditions": [ready(false)],
        "containerStatuses": containers(pod, &state, restarts(pod), false),
    } })
}

fn ready(is_ready: bool) -> Value {
    let status = if is_ready { "True" } else { "False" };
    json!({ "type": "Ready", "status": status, "lastTransitionTime": WHEN })
}

fn containers(pod: &Value, state: &Value, restarts: i64, is_ready: bool) -> Value {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    containers
        .map(|container| {
            json!({
                "name": container["name"], "image": container["image"], "imageID": "",
                "ready": is_ready, "started": is_ready, "restartCount": restarts, "state": state,
            })
        })
        .collect()
}
