//! Pods fail, and are evicted.

use crate::behaviour::declared::{
    EVICTIONS_COUNT, FAILED_PODS_STAY, FINISHED_PODS_STAY, LIMIT_FOR_EACH_POD, OTHERS_ARE_ENDED,
};
use crate::behaviour::kubelet::Event::{IsEvicted, Starts};
use crate::behaviour::scenario::Step::To;
use crate::behaviour::scenario::{Scenario, scenario};

pub(super) fn scenarios() -> Vec<Scenario> {
    [
        in_place(),
        never(),
        exit_codes(),
        exit_codes_with_a_limit(),
        evictions(),
    ]
    .concat()
}

fn in_place() -> Vec<Scenario> {
    vec![
        scenario("worker-fails-onfailure")
            .exits(1, 1)
            .v1("Active", "Running | Running | Running"),
        scenario("worker-fails-onfailure-limit-0")
            .run_policy("backoffLimit", 0)
            .exits(1, 1)
            .v1("Failed", "gone | gone | gone"),
        scenario("worker-fails-onfailure-limit-2-once")
            .run_policy("backoffLimit", 2)
            .exits(1, 1)
            .v1("Active", "Running | Running | Running"),
        scenario("worker-fails-onfailure-limit-2-twice")
            .run_policy("backoffLimit", 2)
            .exits(1, 1)
            .exits(1, 1)
            .v1("Failed", "gone | gone | gone"),
        scenario("two-ranks-fail-onfailure-limit-2")
            .run_policy("backoffLimit", 2)
            .exits(0, 1)
            .exits(1, 1)
            .v1("Failed", "gone | gone | gone"),
        scenario("two-roles-fail-onfailure-limit-2")
            .roles()
            .run_policy("backoffLimit", 2)
            .exits(0, 1)
            .exits(1, 1)
            .v1("Failed", "gone | gone | gone")
            .v2("Active", "Running | Running | Running", &LIMIT_FOR_EACH_POD),
        scenario("two-workers-fail-roles-limit-2")
            .roles()
            .run_policy("backoffLimit", 2)
            .exits(1, 1)
            .exits(2, 1)
            .v1("Failed", "gone | gone | gone")
            .v2("Active", "Running | Running | Running", &LIMIT_FOR_EACH_POD),
        scenario("worker-fails-twice-roles-limit-2")
            .roles()
            .run_policy("backoffLimit", 2)
            .exits(1, 1)
            .exits(1, 1)
            .v1("Failed", "gone | gone | gone"),
        scenario("worker-fails-always")
            .policy("Always")
            .exits(1, 1)
            .v1("Active", "Running | Running | Running"),
        scenario("worker-fails-always-limit-1")
            .policy("Always")
            .run_policy("backoffLimit", 1)
            .exits(1, 1)
            .v1("Failed", "gone | gone | gone"),
    ]
}

fn never() -> Vec<Scenario> {
    vec![
        scenario("worker-fails-never")
            .policy("Never")
            .exits(1, 1)
            .worker_fails_the_job(),
        scenario("worker-fails-never-limit-3")
            .policy("Never")
            .run_policy("backoffLimit", 3)
            .exits(1, 1)
            .worker_fails_the_job(),
        scenario("worker-fails-never-clean-running")
            .policy("Never")
            .run_policy("cleanPodPolicy", "Running")
            .exits(1, 1)
            .v1("Failed", "gone | Failed | gone"),
        scenario("worker-fails-never-clean-all")
            .policy("Never")
            .run_policy("cleanPodPolicy", "All")
            .exits(1, 1)
            .v1("Failed", "gone | gone | gone")
            .v2("Failed", "gone | Failed | gone", &FINISHED_PODS_STAY),
        scenario("master-fails-never")
            .policy("Never")
            .exits(0, 1)
            .v1("Failed", "Failed | Running | Running")
            .v2("Failed", "Failed | gone | gone", &OTHERS_ARE_ENDED),
        scenario("worker-fails-never-roles")
            .worker_policy("Never")
            .exits(1, 1)
            .worker_fails_the_job(),
    ]
}

fn exit_codes() -> Vec<Scenario> {
    vec![
        scenario("worker-exits-1-exitcode")
            .policy("ExitCode")
            .exits(1, 1)
            .worker_fails_the_job(),
        scenario("worker-exits-137-exitcode")
            .policy("ExitCode")
            .exits(1, 137)
            .worker_is_replaced(),
        scenario("worker-exits-143-exitcode")
            .policy("ExitCode")
            .exits(1, 143)
            .worker_is_replaced(),
        scenario("master-exits-137-exitcode")
            .policy("ExitCode")
            .exits(0, 137)
            .master_is_replaced(),
        scenario("worker-exits-1-exitcode-roles")
            .worker_policy("ExitCode")
            .exits(1, 1)
            .worker_fails_the_job(),
        scenario("worker-exits-143-exitcode-roles")
            .worker_policy("ExitCode")
            .exits(1, 143)
            .worker_is_replaced(),
    ]
}

fn exit_codes_with_a_limit() -> Vec<Scenario> {
    vec![
        scenario("worker-exits-1-exitcode-limit-2")
            .policy("ExitCode")
            .run_policy("backoffLimit", 2)
            .exits(1, 1)
            .worker_fails_the_job(),
        scenario("worker-exits-137-exitcode-limit-0")
            .policy("ExitCode")
            .run_policy("backoffLimit", 0)
            .exits(1, 137)
            .worker_is_over_the_limit(),
        scenario("worker-exits-137-exitcode-limit-1")
            .policy("ExitCode")
            .run_policy("backoffLimit", 1)
            .exits(1, 137)
            .worker_is_replaced(),
        scenario("worker-exits-137-twice-exitcode-limit-1")
            .policy("ExitCode")
            .run_policy("backoffLimit", 1)
            .exits(1, 137)
            .then(To(1, Starts))
            .exits(1, 137)
            .v1("Active", "Running | gone, gone, Pending | Running")
            .v2(
                "Active",
                "Running | Failed, Failed, Pending | Running",
                &FAILED_PODS_STAY,
            ),
    ]
}

fn evictions() -> Vec<Scenario> {
    vec![
        scenario("worker-evicted-onfailure")
            .then(To(1, IsEvicted))
            .worker_is_replaced(),
        scenario("worker-evicted-onfailure-limit-0")
            .run_policy("backoffLimit", 0)
            .then(To(1, IsEvicted))
            .worker_is_over_the_limit(),
        scenario("worker-evicted-onfailure-limit-1")
            .run_policy("backoffLimit", 1)
            .then(To(1, IsEvicted))
            .worker_is_replaced(),
        scenario("worker-evicted-twice-onfailure-limit-1")
            .run_policy("backoffLimit", 1)
            .then(To(1, IsEvicted))
            .then(To(1, Starts))
            .then(To(1, IsEvicted))
            .v1("Active", "Running | gone, gone, Pending | Running")
            .v2("Failed", "gone | Failed, Failed | gone", &EVICTIONS_COUNT),
        scenario("worker-evicted-always")
            .policy("Always")
            .then(To(1, IsEvicted))
            .worker_is_replaced(),
        scenario("worker-evicted-never")
            .policy("Never")
            .then(To(1, IsEvicted))
            .worker_fails_the_job(),
        scenario("worker-evicted-exitcode")
            .policy("ExitCode")
            .then(To(1, IsEvicted))
            .worker_is_replaced(),
        scenario("worker-evicted-exitcode-limit-0")
            .policy("ExitCode")
            .run_policy("backoffLimit", 0)
            .then(To(1, IsEvicted))
            .worker_is_over_the_limit(),
        scenario("master-evicted-onfailure-roles")
            .roles()
            .then(To(0, IsEvicted))
            .master_is_replaced(),
    ]
}

/// How a job stands after what happened to one of its pods.
impl Scenario {
    /// The pod of rank 0 has failed, and another is in its place.
    fn master_is_replaced(self) -> Self {
        self.v1("Active", "gone, Pending | Running | Running").v2(
            "Active",
            "Failed, Pending | Running | Running",
            &FAILED_PODS_STAY,
        )
    }

    /// The pod of rank 1 has failed, and another is in its place.
    fn worker_is_replaced(self) -> Self {
        self.v1("Active", "Running | gone, Pending | Running").v2(
            "Active",
            "Running | Failed, Pending | Running",
            &FAILED_PODS_STAY,
        )
    }

    /// The pod of rank 1 has failed for good.
    fn worker_fails_the_job(self) -> Self {
        self.v1("Failed", "Running | Failed | Running").v2(
            "Failed",
            "gone | Failed | gone",
            &OTHERS_ARE_ENDED,
        )
    }

    /// The pod of rank 1 has failed, and the limit allows no other.
    fn worker_is_over_the_limit(self) -> Self {
        self.v1("Failed", "gone | gone | gone").v2(
            "Failed",
            "gone | Failed | gone",
            &FAILED_PODS_STAY,
        )
    }
}
