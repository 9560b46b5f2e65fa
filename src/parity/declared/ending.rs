//! When the job ends, and what it asks of the scheduler as a whole.

use serde_json::Value;

use super::Scene;
use crate::api::meta::{CLUSTER_TRAINING_RUNTIME, OWN_PREFIX, TORCH_DISTRIBUTED};
use crate::convert::finding::Code;
use crate::parity::Facts;
use crate::parity::compare::Difference;
use crate::parity::facts::{RUNTIME, ranks, words};

const GANG: &str = "gang";
/// Where a job asks for it.
const POLICY: &str = "spec.runPolicy.schedulingPolicy";
/// How many pods must fit before any starts.
const MEMBERS: &str = "gang.minMember";
/// The limit of a Job that says none (kubernetes v1.36.3 `pkg/apis/batch/v1/defaults.go`).
const JOB_LIMIT: i64 = 6;

fn is(difference: &Difference, field: &str) -> bool {
    difference.field == field
}

/// Whether the value changes from `v1` to `v2`.
fn changes(difference: &Difference, v1: &str, v2: &str) -> bool {
    difference.v1_text() == Some(v1) && difference.v2_text() == Some(v2)
}

pub fn runtime(_: &Scene, difference: &Difference) -> bool {
    is(difference, RUNTIME) && difference.v1.is_none()
}

pub fn success(_: &Scene, difference: &Difference) -> bool {
    let [one, all] = [words::WITH_RANK_0, words::WITH_ALL];
    is(difference, words::SUCCEEDS)
        && (changes(difference, one, all) || difference.v2.as_ref().is_some_and(|v2| v2 == all))
}

pub fn clean_up(_: &Scene, difference: &Difference) -> bool {
    is(difference, words::CLEAN_UP)
}

pub fn default_clean_up(_: &Scene, difference: &Difference) -> bool {
    is(difference, words::CLEAN_UP) && changes(difference, words::NO_PODS, words::RUNNING_PODS)
}

pub fn deadline(_: &Scene, difference: &Difference) -> bool {
    is(difference, words::DEADLINE) && difference.v2.is_none()
}

pub fn time_to_live(_: &Scene, difference: &Difference) -> bool {
    is(difference, words::TIME_TO_LIVE) && difference.v2.is_none()
}

pub fn autoscaling(_: &Scene, difference: &Difference) -> bool {
    is(difference, words::AUTOSCALING) && difference.v2.is_none()
}

/// From a range to one number.
pub fn pods(scene: &Scene, difference: &Difference) -> bool {
    let total = scene.case.v1.pods.len().to_string();
    let is_range = |value: &Value| value.as_str().is_some_and(|text| text.contains(" to "));
    is(difference, words::PODS)
        && difference.v1.as_ref().is_some_and(is_range)
        && difference.v2.as_ref().is_some_and(|v2| *v2 == total)
}

pub fn addresses(_: &Scene, difference: &Difference) -> bool {
    is(difference, words::ADDRESSES)
        && changes(difference, words::WHEN_READY, words::WHEN_ADDRESSED)
}

pub fn always(_: &Scene, difference: &Difference) -> bool {
    let policy = is(difference, "restartPolicy") && changes(difference, "Always", "OnFailure");
    let [always, in_place] = [words::ALWAYS, words::IN_PLACE];
    policy || is(difference, words::RESTART) && changes(difference, always, in_place)
}

/// From ranks of which the pod is one to fewer of them, of which it still is one.
pub fn limit_over(scene: &Scene, difference: &Difference) -> bool {
    let (Some(v1), Some(v2)) = (difference.v1_text(), difference.v2_text()) else {
        return false;
    };
    let (v1, v2) = (ranks::of(v1), ranks::of(v2));
    is(difference, words::LIMIT_OVER)
        && scene.rank.is_some_and(|rank| v2.contains(&rank))
        && v2.is_subset(&v1)
}

pub fn evicted_counts(_: &Scene, difference: &Difference) -> bool {
    is(difference, words::EVICTED)
        && changes(difference, words::REPLACED, words::COUNTED)
        && difference.v1.is_some()
}

/// The limit, and what follows from there being one. What a runtime that isn't known says is its own.
pub fn limit(scene: &Scene, difference: &Difference) -> bool {
    let is_known = scene.case.v2.job.get(RUNTIME).is_some_and(|runtime| {
        *runtime == format!("{CLUSTER_TRAINING_RUNTIME} {TORCH_DISTRIBUTED}")
    });
    let v2 = difference.v2.as_ref();
    let follows = match difference.field.as_str() {
        words::LIMIT if is_known => v2.is_some_and(|limit| *limit == JOB_LIMIT),
        words::LIMIT => v2.is_some(),
        words::LIMIT_OVER => difference
            .v2_text()
            .zip(scene.rank)
            .is_some_and(|(over, rank)| ranks::of(over).contains(&rank)),
        words::EVICTED if is_known => v2.is_some_and(|v2| v2 == words::COUNTED),
        words::EVICTED => true,
        _ => false,
    };
    scene.is_on_torch_policy() && follows
}

pub fn replacement(scene: &Scene, difference: &Difference) -> bool {
    let [ended, at_once] = [words::WHEN_ENDED, words::AT_ONCE];
    scene.is_on_torch_policy()
        && is(difference, words::REPLACEMENT)
        && changes(difference, ended, at_once)
}

pub fn exit_code_zero(_: &Scene, difference: &Difference) -> bool {
    is(difference, words::FINAL_EXIT_CODES) && changes(difference, "0-127", "1-127")
}

pub fn volcano_task(_: &Scene, difference: &Difference) -> bool {
    is(difference, "annotations[volcano.sh/task-spec]") && difference.v2.is_none()
}

pub fn gang_annotation(scene: &Scene, difference: &Difference) -> bool {
    let of_job = difference.field.strip_prefix("gang.");
    let of_job = of_job.filter(|of_job| of_job.starts_with("annotations["));
    let same = of_job.and_then(|of_job| scene.v1.get(of_job));
    difference.v2.is_none() && same.is_some() && same == difference.v1.as_ref()
}

/// Trainer's default (trainer v2.3.0 `pkg/apis/trainer/v1alpha1/trainingruntime_types.go`).
pub fn gang_timeout(_: &Scene, difference: &Difference) -> bool {
    is(difference, "gang.scheduleTimeoutSeconds")
        && difference.v1.is_none()
        && difference.v2.as_ref().is_some_and(|seconds| *seconds == 60)
}

/// Where as many pods as under v1 are a gang.
pub fn gang_resources(scene: &Scene, difference: &Difference) -> bool {
    difference.field.starts_with("gang.minResources")
        && scene.v1.get(MEMBERS) == scene.v2.get(MEMBERS)
}

pub fn gang_priority(scene: &Scene, difference: &Difference) -> bool {
    let class = scene.case.v1.job.get("gang.priorityClassName");
    scene.rank.is_some()
        && class.is_some()
        && match difference.field.as_str() {
            "priorityClassName" => difference.v1.is_none() && difference.v2.as_ref() == class,
            "priority" | "preemptionPolicy" => scene.v2.get("priorityClassName") == class,
            _ => false,
        }
}

pub fn gang_of_roles(scene: &Scene, difference: &Difference) -> bool {
    let mut reported = scene.reported(&[Code::SchedulingPolicy]);
    let told = reported.any(|finding| finding.old.as_deref() == Some("the whole gang"));
    let field = difference.field.as_str();
    let members = |facts: &Facts| facts.get(MEMBERS).and_then(Value::as_i64);
    let is_smaller = members(scene.v1)
        .zip(members(scene.v2))
        .is_some_and(|(v1, v2)| 0 < v2 && v2 < v1);
    told && is_smaller && (field == MEMBERS || field.starts_with("gang.minResources"))
}

/// The group itself, and the marks by which its pods and their scheduler know it.
pub fn no_gang(scene: &Scene, difference: &Difference) -> bool {
    const MARKS: [&str; 2] = [
        "annotations[scheduling.k8s.io/group-name]",
        "labels[scheduling.x-k8s.io/pod-group]",
    ];
    // A scheduler that the job names by itself is kept.
    let schedulers = ["volcano", "scheduler-plugins-scheduler"];
    let is_mark = MARKS.contains(&difference.field.as_str()) && difference.v2.is_none()
        || schedulers.iter().any(|v1| {
            is(difference, "schedulerName") && changes(difference, v1, "default-scheduler")
        });
    let field = difference.field.as_str();
    let codes = [Code::SchedulingPolicy, Code::RuntimeCannot];
    let mut told = scene
        .reported(&codes)
        .filter(|finding| finding.at == POLICY);
    told.next().is_some()
        && scene.case.v1.job.contains_key(GANG)
        && !scene.case.v2.job.contains_key(GANG)
        && (is_mark || field.starts_with(GANG) && scene.rank.is_none())
}

pub fn own_annotation(scene: &Scene, difference: &Difference) -> bool {
    let prefix = format!("annotations[{OWN_PREFIX}");
    scene.rank.is_none() && difference.field.starts_with(&prefix) && difference.v2.is_none()
}
