//! What a request does to a job, in CEL: the same as [`Change`](crate::policy::Change).

use super::text::{list, quoted};
use crate::api::meta::V1_CONTROLLER;
use crate::policy::change::PLACEMENT;

/// Lists of a pod and fields of a container that may as well be left out as be empty.
const OF_POD: [&str; 5] = [
    "containers",
    "ephemeralContainers",
    "initContainers",
    "topologySpreadConstraints",
    "volumes",
];
const OF_CONTAINER: [&str; 6] = [
    "args",
    "command",
    "env",
    "ports",
    "resources",
    "volumeMounts",
];

/// The variables, of which the last, `judged`, says whether the request is judged like a new job.
pub(super) fn variables(queue_controllers: &[String]) -> Vec<(&'static str, String)> {
    let queues = list(queue_controllers.iter().map(String::as_str));
    vec![
        ("spec", "object.?spec.orValue({})".to_owned()),
        (
            "oldSpec",
            "request.operation == 'UPDATE' ? oldObject.?spec.orValue({}) : {}".to_owned(),
        ),
        (
            "roles",
            "variables.spec.?pytorchReplicaSpecs.orValue({})".to_owned(),
        ),
        (
            "oldRoles",
            "variables.oldSpec.?pytorchReplicaSpecs.orValue({})".to_owned(),
        ),
        (
            "another",
            format!(
                "request.operation == 'CREATE' || (variables.scale ? \
                 variables.spec.?replicas.orValue(0) > variables.oldSpec.?replicas.orValue(0) : \
                 variables.spec != variables.oldSpec && ({}))",
                another()
            ),
        ),
        (
            "started",
            "request.operation == 'UPDATE' && variables.oldSpec.?runPolicy.?suspend.orValue(false) && \
             !variables.spec.?runPolicy.?suspend.orValue(false) && !oldObject.?status.?startTime.hasValue()"
                .to_owned(),
        ),
        (
            "judged",
            format!(
                "variables.another || (variables.started && !(request.userInfo.username in {queues}))"
            ),
        ),
    ]
}

fn another() -> String {
    let manager = |spec: &str| {
        format!(
            "variables.{spec}.?runPolicy.?managedBy.orValue({})",
            quoted(V1_CONTROLLER)
        )
    };
    let own = quoted(V1_CONTROLLER);
    let more = "variables.roles[role].?replicas.orValue(1) > variables.oldRoles[role].?replicas.orValue(1)";
    let spec = |roles: &str| format!("variables.{roles}[role].?template.?spec.orValue({{}})");
    // A list of one stands for a name.
    let other = format!(
        "[{}].exists(pod, [{}].exists(old, pod != old && !({})))",
        spec("roles"),
        spec("oldRoles"),
        same_pod()
    );
    [
        "variables.spec.?nprocPerNode != variables.oldSpec.?nprocPerNode".to_owned(),
        "variables.spec.?elasticPolicy.?nProcPerNode != variables.oldSpec.?elasticPolicy.?nProcPerNode".to_owned(),
        "variables.spec.?elasticPolicy.?maxReplicas.orValue(0) > variables.oldSpec.?elasticPolicy.?maxReplicas.orValue(0)".to_owned(),
        format!("({} != {own} && {} == {own})", manager("oldSpec"), manager("spec")),
        format!("variables.roles.exists(role, !(role in variables.oldRoles) || {more} || {other})"),
    ]
    .join(" || ")
}

/// Whether `pod` and `old` run the same.
fn same_pod() -> String {
    let placement = list(PLACEMENT);
    let empty = list(OF_POD);
    format!(
        "pod.all(key, key in {placement} || (key in old ? pod[key] == old[key] || (key in ['containers', 'initContainers'] && {}) : \
         key in {empty} && pod[key].size() == 0)) && \
         old.all(key, key in {placement} || key in pod || (key in {empty} && old[key].size() == 0))",
        same_containers()
    )
}

/// Whether the containers below `key` are the same in the same order.
fn same_containers() -> String {
    let empty = list(OF_CONTAINER);
    format!(
        "pod[key].map(c, c.name) == old[key].map(c, c.name) && pod[key].all(c, old[key].exists(d, d.name == c.name && \
         c.all(field, field in d ? c[field] == d[field] : field in {empty} && c[field].size() == 0) && \
         d.all(field, field in c || (field in {empty} && d[field].size() == 0))))"
    )
}
