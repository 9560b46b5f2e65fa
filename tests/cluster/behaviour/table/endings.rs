//! Pods succeed, users suspend their jobs, and deadlines pass.

use crate::behaviour::declared::{
    ALL_DECIDE, FINISHED_PODS_STAY, PUNCTUAL, SUCCESS_IS_FINAL, TRAINJOB_STAYS, WORKERS_ARE_ENDED,
};
use crate::behaviour::scenario::Step::{AllStart, Outlast, Resume, Suspend, Touch};
use crate::behaviour::scenario::{Scenario, scenario};

/// Those that take longest first.
pub(super) fn scenarios() -> Vec<Scenario> {
    [deadlines(), masters_succeed(), others_succeed(), users()].concat()
}

fn masters_succeed() -> Vec<Scenario> {
    vec![
        scenario("master-succeeds")
            .exits(0, 0)
            .v1("Succeeded", "Succeeded | Running | Running")
            .v2("Active", "Succeeded | Running | Running", &ALL_DECIDE),
        scenario("master-succeeds-clean-running")
            .run_policy("cleanPodPolicy", "Running")
            .exits(0, 0)
            .v1("Succeeded", "Succeeded | gone | gone"),
        scenario("master-succeeds-clean-all")
            .run_policy("cleanPodPolicy", "All")
            .exits(0, 0)
            .v1("Succeeded", "gone | gone | gone")
            .v2("Succeeded", "Succeeded | gone | gone", &FINISHED_PODS_STAY),
        scenario("master-succeeds-roles")
            .roles()
            .exits(0, 0)
            .v1("Succeeded", "Succeeded | Running | Running")
            .v2("Succeeded", "Succeeded | gone | gone", &WORKERS_ARE_ENDED),
        scenario("master-succeeds-roles-clean-running")
            .roles()
            .run_policy("cleanPodPolicy", "Running")
            .exits(0, 0)
            .v1("Succeeded", "Succeeded | gone | gone"),
        scenario("master-succeeds-then-worker-fails")
            .policy("Never")
            .exits(0, 0)
            .exits(1, 1)
            .v1("Succeeded", "Succeeded | Failed | Running")
            .v2("Failed", "Succeeded | Failed | gone", &ALL_DECIDE),
        scenario("master-succeeds-always")
            .policy("Always")
            .exits(0, 0)
            .v1("Active", "Running | Running | Running")
            .v2("Active", "Succeeded | Running | Running", &SUCCESS_IS_FINAL),
    ]
}

fn others_succeed() -> Vec<Scenario> {
    vec![
        scenario("all-succeed")
            .exits(2, 0)
            .exits(1, 0)
            .exits(0, 0)
            .v1("Succeeded", "Succeeded | Succeeded | Succeeded"),
        scenario("worker-succeeds")
            .exits(1, 0)
            .v1("Active", "Running | Succeeded | Running"),
        scenario("worker-succeeds-roles")
            .roles()
            .exits(1, 0)
            .v1("Active", "Running | Succeeded | Running"),
        scenario("one-of-workers-only-succeeds")
            .workers_only()
            .exits(0, 0)
            .v1("Active", "Succeeded | Running"),
        scenario("all-of-workers-only-succeed")
            .workers_only()
            .exits(0, 0)
            .exits(1, 0)
            .v1("Succeeded", "Succeeded | Succeeded"),
        scenario("one-of-elastic-succeeds")
            .workers_only()
            .elastic()
            .exits(1, 0)
            .v1("Succeeded", "Running | Succeeded")
            .v2("Succeeded", "gone | Succeeded", &WORKERS_ARE_ENDED),
        scenario("one-of-elastic-succeeds-clean-running")
            .workers_only()
            .elastic()
            .run_policy("cleanPodPolicy", "Running")
            .exits(1, 0)
            .v1("Succeeded", "gone | Succeeded"),
        scenario("worker-succeeds-always")
            .policy("Always")
            .exits(1, 0)
            .v1("Active", "Running | Running | Running")
            .v2("Active", "Running | Succeeded | Running", &SUCCESS_IS_FINAL),
        scenario("time-to-live-passes")
            .run_policy("ttlSecondsAfterFinished", 1)
            .exits(1, 0)
            .exits(2, 0)
            .exits(0, 0)
            .v1("gone", "gone | gone | gone")
            .v2(
                "Succeeded",
                "Succeeded | Succeeded | Succeeded",
                &TRAINJOB_STAYS,
            ),
    ]
}

fn users() -> Vec<Scenario> {
    vec![
        scenario("suspended")
            .then(Suspend)
            .v1("Suspended", "gone | gone | gone"),
        scenario("suspended-and-resumed")
            .then(Suspend)
            .then(Resume)
            .v1("Active", "gone, Pending | gone, Pending | gone, Pending"),
        scenario("created-suspended")
            .before_anything()
            .run_policy("suspend", true)
            .v1("Suspended", "none | none | none"),
        scenario("created-suspended-and-resumed")
            .before_anything()
            .run_policy("suspend", true)
            .then(Suspend)
            .then(Resume)
            .then(AllStart)
            .v1("Active", "Running | Running | Running"),
    ]
}

/// Deadlines that are long enough for the pods to have been made on a busy machine, and for v1 to be at rest.
fn deadlines() -> Vec<Scenario> {
    let job = |name| {
        scenario(name)
            .before_anything()
            .run_policy("activeDeadlineSeconds", 30)
            .then(Outlast(30))
    };
    vec![
        job("deadline-passes")
            .unwoken()
            .v1("Active", "Pending | Pending | Pending")
            .v2("Failed", "gone | gone | gone", &PUNCTUAL),
        job("deadline-passes-and-job-is-touched")
            .then(Touch)
            .v1("Failed", "gone | gone | gone"),
    ]
}
