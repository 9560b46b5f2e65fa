//! Groups, kinds, labels, annotations and names: every magic string once, and [`ObjectMeta`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Rest, nullable};

/// API version of `PyTorchJob`.
pub const V1_API_VERSION: &str = "kubeflow.org/v1";
/// API group of `PyTorchJob`.
pub const V1_GROUP: &str = "kubeflow.org";
/// Kind of the v1 job.
pub const PYTORCHJOB: &str = "PyTorchJob";
/// Resource name of the v1 job.
pub const PYTORCHJOBS: &str = "pytorchjobs";
/// Replica type of the one pod that others rendezvous with.
pub const MASTER: &str = "Master";
/// Replica type of every other pod.
pub const WORKER: &str = "Worker";
/// The container that v1 trains in (training-operator v1.9.3 `pytorch_types.go`, `PyTorchJobDefaultContainerName`).
pub const V1_CONTAINER: &str = "pytorch";
/// The port by which v1 finds the master port (`PyTorchJobDefaultPortName`).
pub const V1_PORT_NAME: &str = "pytorchjob-port";
/// The master port when no port has that name (`PyTorchJobDefaultPort`).
pub const V1_DEFAULT_PORT: i32 = 23456;
/// Fields of a container by which the kubelet asks how it is; it expands their commands by literal values only.
pub const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];
/// Prefix of the labels that v1 puts on its pods.
pub const V1_LABEL_PREFIX: &str = "training.kubeflow.org/";
/// Pod label of v1: the job's name.
pub const V1_LABEL_JOB_NAME: &str = "training.kubeflow.org/job-name";
/// Pod label of v1: the controller's name.
pub const V1_LABEL_OPERATOR: &str = "training.kubeflow.org/operator-name";
/// Value of [`V1_LABEL_OPERATOR`] on the pods of a `PyTorchJob`.
pub const V1_OPERATOR: &str = "pytorchjob-controller";
/// Pod label of v1: `master` or `worker`.
pub const V1_LABEL_REPLICA_TYPE: &str = "training.kubeflow.org/replica-type";
/// Pod label of v1: the pod's index among its replica type.
pub const V1_LABEL_REPLICA_INDEX: &str = "training.kubeflow.org/replica-index";
/// Pod label of v1: `master` on the pod that is the job's master.
pub const V1_LABEL_JOB_ROLE: &str = "training.kubeflow.org/job-role";
/// Value of `runPolicy.managedBy` that stands for v1's own controller.
pub const V1_CONTROLLER: &str = "kubeflow.org/training-operator";
/// Value of `managedBy` that hands a job to `MultiKueue`; the same string in v1 and v2.
pub const MULTIKUEUE: &str = "kueue.x-k8s.io/multikueue";

/// API version of `TrainJob` and its runtimes.
pub const TRAINER_API_VERSION: &str = "trainer.kubeflow.org/v1alpha1";
/// API group of `TrainJob` and its runtimes.
pub const TRAINER_GROUP: &str = "trainer.kubeflow.org";
/// Kind of the v2 job.
pub const TRAINJOB: &str = "TrainJob";
/// Kind of a namespaced runtime.
pub const TRAINING_RUNTIME: &str = "TrainingRuntime";
/// Kind of a runtime for the whole cluster.
pub const CLUSTER_TRAINING_RUNTIME: &str = "ClusterTrainingRuntime";
/// Value of `managedBy` that stands for v2's own controller.
pub const TRAINER_CONTROLLER: &str = "trainer.kubeflow.org/trainjob-controller";
/// Label on a replicated job's Job template that says which step of a `TrainJob` it is.
pub const LABEL_ANCESTOR: &str = "trainer.kubeflow.org/trainjob-ancestor-step";
/// Value of [`LABEL_ANCESTOR`] on the training step.
pub const ANCESTOR_TRAINER: &str = "trainer";
/// Label without which the v2 SDK can't list a namespace's runtimes.
pub const LABEL_FRAMEWORK: &str = "trainer.kubeflow.org/framework";
/// Value of [`LABEL_FRAMEWORK`] for `PyTorch`.
pub const FRAMEWORK_TORCH: &str = "torch";
/// Name that Trainer wants for the training step's replicated job and container.
pub const NODE: &str = "node";
/// Name of the second replicated job where Master and Worker differ.
pub const WORKER_JOB: &str = "worker";
/// The runtime that Kubeflow Trainer ships for `PyTorch`.
pub const TORCH_DISTRIBUTED: &str = "torch-distributed";

/// The runtime that trainshift ships (`trainshift generate runtimes`).
pub const SHIPPED_RUNTIME: &str = "trainshift-pytorch";
/// Owner of the runtime patch that trainshift writes; Trainer wants a domain-prefixed path.
pub const PATCH_MANAGER: &str = "trainshift.dev/convert";
/// Prefix of trainshift's own annotations and labels.
pub const OWN_PREFIX: &str = "trainshift.dev/";
/// On a dry run: answer with the `TrainJob`, in every mode.
pub const ANNOTATION_SHOW: &str = "trainshift.dev/show";
/// Value of [`ANNOTATION_SHOW`].
pub const SHOW_TRAINJOB: &str = "trainjob";
/// On a job: the reason for which it is to pass a denial. Takes the verb [`VERB_BYPASS`] besides.
pub const ANNOTATION_BYPASS: &str = "trainshift.dev/bypass";
/// On a namespace: the mode that its owner wants, where it is stricter than the policy's.
pub const LABEL_MODE: &str = "trainshift.dev/mode";
/// The user as whom Kueue starts jobs that wait.
pub const KUEUE_CONTROLLER: &str = "system:serviceaccount:kueue-system:kueue-controller-manager";
/// Begins the username of a ServiceAccount: its namespace, a colon and its name follow.
pub const SERVICE_ACCOUNT_PREFIX: &str = "system:serviceaccount:";
/// API group of trainshift's own kind.
pub const OWN_GROUP: &str = "trainshift.dev";
/// API version of trainshift's own kinds.
pub const OWN_API_VERSION: &str = "trainshift.dev/v1alpha1";
/// trainshift's own kind.
pub const MIGRATION_POLICY: &str = "MigrationPolicy";
/// Kind of a file that says what policies must do; no cluster knows it.
pub const MIGRATION_POLICY_TEST: &str = "MigrationPolicyTest";
/// Resource name of trainshift's own kind.
pub const MIGRATION_POLICIES: &str = "migrationpolicies";
/// Name of the definition of trainshift's own kind.
pub const POLICY_CRD: &str = "migrationpolicies.trainshift.dev";
/// The verb on a policy that lets a user pass its denial.
pub const VERB_BYPASS: &str = "bypass";
/// What stands for a policy where none matches, in messages and as the resource name of [`VERB_BYPASS`].
pub const BUILT_IN: &str = "built-in";
/// Label that the API server puts on every namespace: its name.
pub const LABEL_NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// The webhook that refuses, so that its text is the one that people read.
pub const MUTATING_WEBHOOK: &str = "mutate.trainshift.dev";
/// The webhook that judges everything, warns and records.
pub const VALIDATING_WEBHOOK: &str = "validate.trainshift.dev";
/// Audit annotation, after the webhook's name, on every answer of `/validate`: `admit`, `warn` or `deny`.
pub const AUDIT_DECISION: &str = "decision";
/// Audit annotation: the mode in force, where a rule was asked.
pub const AUDIT_MODE: &str = "mode";
/// Audit annotation: the policy that set it.
pub const AUDIT_POLICY: &str = "policy";
/// Audit annotation: what the conversion came to, or [`UNREADABLE`].
pub const AUDIT_VERDICT: &str = "verdict";
/// Value of [`AUDIT_VERDICT`] for an object that is no `PyTorchJob`.
pub const UNREADABLE: &str = "unreadable";
/// Audit annotation: codes of the findings, sorted, with commas between.
pub const AUDIT_CODES: &str = "codes";
/// Audit annotation: the exemption by which the request went on.
pub const AUDIT_EXEMPTION: &str = "exemption";
/// Audit annotation: the reason that was given for going past the policy.
pub const AUDIT_BYPASS: &str = "bypass";
/// Audit annotation: conditions that could not be evaluated, and so counted as holding.
pub const AUDIT_FAILED_CONDITIONS: &str = "failed-conditions";

/// Condition of a policy: it works as it is written.
pub const READY: &str = "Ready";
/// Condition of a policy: one of its CEL conditions has no answer, and counts as true.
pub const EXPRESSION_FAILING: &str = "ExpressionFailing";
/// Condition of a policy: the runtime that it names isn't in the cluster.
pub const RUNTIME_UNKNOWN: &str = "RuntimeUnknown";
/// Condition of a policy: wherever it holds, another one comes first.
pub const SHADOWED: &str = "Shadowed";
/// Condition of a policy: it holds in no namespace.
pub const MATCHES_NOTHING: &str = "MatchesNothing";
/// Condition of a policy: exemptions of it have ended.
pub const EXEMPTIONS_EXPIRED: &str = "ExemptionsExpired";
/// Who writes the status of policies, in their `managedFields`.
pub const STATUS_MANAGER: &str = "trainshift-status";

/// Pod annotation and label with a pod's index in its Job, set by Kubernetes on Indexed Jobs.
pub const JOB_COMPLETION_INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// Pod annotation with the index of a pod's Job among all Jobs of its `JobSet`.
pub const JOBSET_GLOBAL_INDEX: &str = "jobset.sigs.k8s.io/job-global-index";
/// Pod labels that a Job sets, refusing a template that says otherwise (kubernetes v1.36.3 `pkg/apis/batch/validation`,
/// `validateGeneratedSelector`).
pub const JOB_LABELS: [&str; 4] = [
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
];
/// Pod label with the `JobSet`'s name, which is the `TrainJob`'s.
pub const JOBSET_NAME: &str = "jobset.sigs.k8s.io/jobset-name";
/// Label on Jobs and pods with the name of their replicated job.
pub const REPLICATED_JOB_NAME: &str = "jobset.sigs.k8s.io/replicatedjob-name";
/// Annotation by which the Volcano plugin of Trainer takes a queue.
pub const VOLCANO_QUEUE: &str = "scheduling.volcano.sh/queue-name";
/// What `kubectl apply` leaves behind.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Which container `kubectl logs` and `exec` choose.
pub const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
/// Annotations whose key ends in a container's name.
pub const CONTAINER_ANNOTATIONS: [&str; 2] = [
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
];
/// Fields of `metadata` that the API server owns.
pub const SERVER_FIELDS: [&str; 8] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// An object's metadata: typed where rules look, the rest carried.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectMeta {
    /// The object's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Prefix of the name that the API server makes up when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generate_name: Option<String>,
    /// The object's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Labels.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub annotations: BTreeMap<String, String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Rest,
}

impl ObjectMeta {
    /// Whether there is nothing in it that would be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
