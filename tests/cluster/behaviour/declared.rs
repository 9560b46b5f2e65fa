//! The differences in behaviour that are known, why each is there, and which finding says so to the user.

use trainshift::convert::finding::Code;

/// A known difference.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) name: &'static str,
    pub(super) reason: &'static str,
    /// The conversion must report one of these; none for what holds of every job alike.
    pub(super) announced_by: &'static [Code],
}

pub(super) const FAILED_PODS_STAY: Declared = Declared {
    name: "failed pods stay",
    reason: "A Job keeps a pod that has failed, for its logs; v1 deletes it, to give its name to the next.",
    announced_by: &[],
};

pub(super) const OTHERS_ARE_ENDED: Declared = Declared {
    name: "pods that still run are ended",
    reason: "A Job that has failed ends its pods, and a JobSet its Jobs; v1 leaves them running unless cleanPodPolicy says otherwise.",
    announced_by: &[],
};

pub(super) const WORKERS_ARE_ENDED: Declared = Declared {
    name: "workers are ended when the job succeeds",
    reason: "What decides the success of a Job or JobSet also ends its other pods; v1 leaves them running unless cleanPodPolicy says otherwise.",
    announced_by: &[Code::CleanPodPolicy],
};

pub(super) const FINISHED_PODS_STAY: Declared = Declared {
    name: "cleanPodPolicy All leaves finished pods",
    reason: "Jobs keep finished pods until the TrainJob is deleted; nothing in v2 deletes them before.",
    announced_by: &[Code::CleanPodPolicy],
};

pub(super) const ALL_DECIDE: Declared = Declared {
    name: "all pods decide on success",
    reason: "In one pod set a success policy that asks the Master alone would end workers at work, so all pods must succeed; to v1 the Master alone counts.",
    announced_by: &[Code::SuccessRule],
};

pub(super) const SUCCESS_IS_FINAL: Declared = Declared {
    name: "what has succeeded is not restarted",
    reason: "A Job can't have pods with restartPolicy Always.",
    announced_by: &[Code::RestartAlways],
};

pub(super) const TRAINJOB_STAYS: Declared = Declared {
    name: "the finished TrainJob stays",
    reason: "Trainer has no time to live for TrainJobs.",
    announced_by: &[Code::TimeToLive],
};

pub(super) const LIMIT_FOR_EACH_POD: Declared = Declared {
    name: "each pod has a limit of its own",
    reason: "In two roles each pod has a Job of its own, which counts by itself; v1 adds up the restarts of all pods.",
    announced_by: &[Code::RestartCount],
};

pub(super) const EVICTIONS_COUNT: Declared = Declared {
    name: "evictions count towards the limit",
    reason: "A Job counts pods that failed together with restarts in place; v1 counts restarts in place alone, and a pod that is replaced starts from none.",
    announced_by: &[Code::BackoffLimit],
};

pub(super) const PUNCTUAL: Declared = Declared {
    name: "the deadline is kept",
    reason: "v1 looks at the clock only when something about the job changes.",
    announced_by: &[],
};
