//! Mutants that come to other pods than the rest.

use serde_json::json;
use trainshift::convert::target::Layout;

use super::{Break, Mutant, annotation, mutant, place};

pub(super) fn mutants() -> [Mutant; 3] {
    let set = |name, at: &str, value, field| mutant(name, Break::Set(place(at), value), field);
    let by_pod = annotation("batch.kubernetes.io/job-completion-index");
    let second_job = place("C/env/10/valueFrom").replace("Jobs/0", "Jobs/1");
    [
        Mutant {
            pods: 2,
            ..set("has_a_node_too_few", "T/trainer/numNodes", json!(2), "name")
        },
        Mutant {
            pods: 0,
            ..set("is_suspended", "T/suspend", json!(true), "suspended")
        },
        Mutant {
            layout: Layout::Roles,
            ..mutant(
                "counts_ranks_by_pod_in_two_roles",
                Break::Set(second_job, by_pod),
                "containers[trainer].env[RANK]",
            )
        },
    ]
}
