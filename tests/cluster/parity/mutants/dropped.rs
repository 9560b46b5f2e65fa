//! Mutants that leave something out.

use super::{Break, Mutant, mutant, place};

/// What is dropped: a name, a place, and the fact that must be named. Places are explained at [`place`].
const DROPPED: &[(&str, &str, &str)] = &[
    (
        "drops_a_variable",
        "C/env/0",
        "containers[trainer].env[EPOCHS]",
    ),
    (
        "drops_a_secret_variable",
        "C/env/3",
        "containers[trainer].env[TOKEN]",
    ),
    ("drops_env_from", "C/envFrom", "containers[trainer].envFrom"),
    (
        "drops_a_variable_of_the_sidecar",
        "S/env/7",
        "containers[logs].env[RANK]",
    ),
    ("drops_the_sidecar", "S", "containers[logs].image"),
    (
        "drops_an_init_container",
        "P/initContainers",
        "initContainers[fetch].image",
    ),
    ("drops_an_argument", "C/args/0", "containers[trainer].args"),
    (
        "drops_the_working_directory",
        "C/workingDir",
        "containers[trainer].workingDir",
    ),
    (
        "drops_the_second_mount_of_a_volume",
        "C/volumeMounts/1",
        "containers[trainer].volumeMounts[/checkpoints]",
    ),
    (
        "drops_a_port",
        "C/ports/1",
        "containers[trainer].ports[9090/TCP]",
    ),
    (
        "drops_resources",
        "T/trainer/resourcesPerNode/limits/nvidia.com~1gpu",
        "containers[trainer].resources.limits[nvidia.com/gpu]",
    ),
    (
        "drops_a_probe",
        "C/livenessProbe",
        "containers[trainer].livenessProbe",
    ),
    (
        "drops_a_hook",
        "C/lifecycle",
        "containers[trainer].lifecycle",
    ),
    (
        "drops_a_containers_security_context",
        "C/securityContext",
        "containers[trainer].securityContext",
    ),
    (
        "drops_a_pods_security_context",
        "P/securityContext/runAsUser",
        "securityContext.runAsUser",
    ),
    ("drops_a_toleration", "P/tolerations/1", "tolerations"),
    ("drops_the_node_selector", "P/nodeSelector", "nodeSelector"),
    ("drops_the_affinity", "P/affinity", "affinity"),
    (
        "drops_the_spread",
        "P/topologySpreadConstraints",
        "topologySpreadConstraints",
    ),
    (
        "drops_a_scheduling_gate",
        "P/schedulingGates",
        "schedulingGates",
    ),
    (
        "drops_the_priority_class",
        "P/priorityClassName",
        "priorityClassName",
    ),
    ("drops_the_scheduler", "P/schedulerName", "schedulerName"),
    (
        "drops_the_grace_period",
        "P/terminationGracePeriodSeconds",
        "terminationGracePeriodSeconds",
    ),
    ("drops_the_resolver_options", "P/dnsConfig", "dnsConfig"),
    (
        "drops_the_service_account",
        "P/serviceAccountName",
        "serviceAccountName",
    ),
    (
        "drops_the_pull_secret",
        "P/imagePullSecrets",
        "imagePullSecrets",
    ),
    ("drops_a_label", "M/labels/team", "labels[team]"),
    (
        "drops_an_annotation",
        "M/annotations/example.com~1note",
        "annotations[example.com/note]",
    ),
    (
        "drops_the_pod_failure_policy",
        "J/podFailurePolicy",
        "restart.final exit codes",
    ),
    ("drops_the_success_rule", "J/successPolicy", "succeeds"),
    ("drops_the_deadline", "T/activeDeadlineSeconds", "deadline"),
];

pub(super) fn mutants() -> impl Iterator<Item = Mutant> {
    let dropped = DROPPED.iter();
    dropped.map(|(name, at, field)| mutant(name, Break::Drop(place(at)), field))
}
