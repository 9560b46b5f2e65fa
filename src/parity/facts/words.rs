//! The words in which v1's and v2's endings are told: names of facts, and what they say.

/// Of a pod: what becomes of it when it fails.
pub const RESTART: &str = "restart";
/// Its containers are started again.
pub const IN_PLACE: &str = "in place";
/// And when they have succeeded, too.
pub const ALWAYS: &str = "in place, after success too";
/// Another pod takes its place.
pub const BY_ANOTHER: &str = "by another pod";
/// The job fails with it.
pub const NEVER: &str = "never, the job fails";

/// Of a pod: exit codes of the training container that fail the job.
pub const FINAL_EXIT_CODES: &str = "restart.final exit codes";
/// Of a pod: how many restarts fail the job.
pub const LIMIT: &str = "restart.limit";
/// However many there are.
pub const UNLIMITED: &str = "unlimited";
/// Of a pod: over which pods restarts are added up.
pub const LIMIT_OVER: &str = "restart.limit over";

/// Of a pod: what becomes of it when it is evicted.
pub const EVICTED: &str = "restart.evicted pod";
/// Another pod takes its place, however often.
pub const REPLACED: &str = "replaced";
/// Another pod takes its place, and that is a restart that counts.
pub const COUNTED: &str = "replaced, counts as a restart";
/// The job fails with it.
pub const FAILS: &str = "the job fails";

/// Of a pod: when the one that takes its place is made.
pub const REPLACEMENT: &str = "restart.replacement";
/// When the old one has ended.
pub const WHEN_ENDED: &str = "when the old pod has ended";
/// When the old one is to be deleted, while it still runs.
pub const AT_ONCE: &str = "as soon as the old pod is to be deleted";

/// Of a job: when it has succeeded.
pub const SUCCEEDS: &str = "succeeds";
/// With rank 0.
pub const WITH_RANK_0: &str = "when rank 0 has";
/// With all ranks, where there is more than one.
pub const WITH_ALL: &str = "when all ranks have";

/// Of a job: which pods are deleted when it is finished.
pub const CLEAN_UP: &str = "clean-up";
/// None.
pub const NO_PODS: &str = "no pods";
/// Those that have not ended.
pub const RUNNING_PODS: &str = "pods that still run";
/// All, and what they logged.
pub const ALL_PODS: &str = "all pods";

/// Of a job: how many pods it has.
pub const PODS: &str = "pods";
/// Of a job: seconds that it may run.
pub const DEADLINE: &str = "deadline";
/// Of a job: whether it waits without pods.
pub const SUSPENDED: &str = "suspended";
/// Of a job: seconds after its end until it is deleted.
pub const TIME_TO_LIVE: &str = "time to live";
/// Of a job: what adds and removes pods while it runs.
pub const AUTOSCALING: &str = "autoscaling";

/// Of a job: which controller runs it.
pub const MANAGED_BY: &str = "managed by";
/// v1's or v2's own.
pub const OWN_CONTROLLER: &str = "its own controller";

/// Of a job: when a pod can be reached by its name.
pub const ADDRESSES: &str = "addresses resolve";
/// When the pod is ready.
pub const WHEN_READY: &str = "when the pod is ready";
/// When the pod has an address.
pub const WHEN_ADDRESSED: &str = "when the pod has an address";
