//! The list itself. The first entry that explains a difference is the one.

use super::Declared;
use super::{ending, pod, speaks, variable};
use crate::convert::finding::Code;

macro_rules! declared {
    ($($name:literal $reason:literal announced $announced:tt told $told:tt $explains:path;)*) => {
        /// Everything that may differ.
        pub const DECLARED: &[Declared] = &[$(Declared {
            name: $name,
            reason: $reason,
            announced_by: declared!(codes $announced),
            told_by: declared!(codes $told),
            explains: $explains,
        }),*];
    };
    (codes [$($code:ident)*]) => { &[$(Code::$code),*] };
}

declared! {
    "pod name"
        "v2's pods are named by Job and index, and end in five random characters. Each has the rank of the v1 pod beside it."
        announced [] told [HostName ShortJobName] pod::name;
    "hostname"
        "A v1 pod's hostname was its name; a Job sets it to its own name and the pod's index."
        announced [] told [] pod::hostname;
    "hostname and subdomain of the job's own"
        "A Job and a JobSet set both by themselves, whatever the template says."
        announced [HostnameFixed] told [] pod::own_hostname;
    "subdomain"
        "v1 gives each pod a Service of its own; a JobSet has one headless Service for all, which the hostnames are under."
        announced [] told [] pod::subdomain;
    "pod address"
        "The same pod has another address: both are the address of the same rank."
        announced [] told [MasterAddress HostName RendezvousEndpoint] variable::address;
    "pod name in a variable"
        "The pod asks for its own name, and has another one."
        announced [HostName] told [] pod::own_name;
    "variable in a probe"
        "The kubelet puts literal values alone into a probe's command. v1's ranks are such, v2's pods read them from an annotation."
        announced [ProbeVariable] told [] variable::in_probe;
    "init-pytorch left out"
        "v1's workers wait in it until the Master's name resolves. A JobSet publishes names before pods are ready, and the rendezvous tries again."
        announced [] told [] pod::init_pytorch;
    "container name"
        "Trainer trains in the container node."
        announced [] told [ContainerName ContainerReference] pod::container_name;
    "v1's labels"
        "Only v1's own controller reads them. Those that the job's own selectors, variables or files name are kept."
        announced [] told [PodLabels] pod::v1_label;
    "labels and annotations of Job and JobSet"
        "Their controllers know their pods by them."
        announced [] told [] pod::job_label;
    "label that a Job sets"
        "A Job takes no other value for it than its own."
        announced [PodLabels] told [] pod::taken_label;
    "label that differs among the pods of a Job"
        "All pods of a Job have the same labels, so v1's index of a replica can't be one."
        announced [PodLabels] told [] speaks::pod_label;
    "JOB_COMPLETION_INDEX"
        "A Job tells each container its pod's index; nothing of v1's had that name."
        announced [] told [] variable::completion_index;
    "finalizer of the Job controller"
        "It keeps a pod until the Job has counted it."
        announced [] told [] pod::job_finalizer;
    "finalizers of the template"
        "Only labels and annotations of a template reach a Job's pods."
        announced [TemplateMetadata] told [] pod::template_finalizer;
    "default port"
        "v1 adds it to the training container. A list of ports is information only: MASTER_PORT says the number, and a headless Service reaches every port."
        announced [] told [Ports] pod::default_port;
    "ports left out or named"
        "A list of ports is information only, and Trainer takes two ports without a name for the same."
        announced [Ports] told [] pod::ports;
    "variable with the job's name"
        "The name isn't known before the API server makes it up, so addresses are put together from a variable."
        announced [] told [] variable::job_name;
    "PET_STANDALONE"
        "v1 sets it to nothing, which torchrun can't read."
        announced [Standalone] told [] variable::standalone;
    "variable that refers to one left out"
        "What it refers to is set later under v2, by v1's own value."
        announced [EnvOverridden] told [] variable::late_reference;
    "port of the torch policy"
        "Trainer's torch policy has a port of its own, and adds it to the training container."
        announced [] told [] variable::torch_container_port;
    "PET_MASTER_PORT of the torch policy"
        "Trainer's torch policy has a port of its own; MASTER_PORT keeps v1's."
        announced [MasterAddress] told [] variable::torch_port;
    "variables of the torch policy without a Master"
        "Trainer's torch policy names rank 0 as the master of every job; v1 does so only where there is a Master."
        announced [] told [] variable::torch_without_master;
    "number of processes"
        "Trainer's torch policy works it out by itself."
        announced [ProcPerNode] told [] variable::processes;
    "range of one size"
        "Trainer's torch policy says 2 where v1 says 2:2, which is the same to torchrun."
        announced [] told [] variable::range_of_one_size;
    "range of nodes"
        "Trainer's torch policy sets the number of pods: they never become more or less."
        announced [ElasticRange] told [] variable::range;
    "restart limit of the runtime"
        "The limit is that of the runtime that was asked for."
        announced [BackoffLimit] told [] ending::limit;
    "runtime can't carry it"
        "The runtime that was asked for has no place for it; a generated one would."
        announced [RuntimeCannot] told [] speaks::runtime_cannot;
    "runtime"
        "Every TrainJob names one."
        announced [] told [] ending::runtime;
    "success rule"
        "In one pod set a Job succeeds when all its pods have, unless its success policy ends those that still run."
        announced [SuccessRule] told [] ending::success;
    "clean-up"
        "v2 ends pods that still run when the job is finished, and keeps the others."
        announced [CleanPodPolicy] told [] ending::clean_up;
    "clean-up where nothing was said"
        "v1 leaves pods running when a job has failed, unless told otherwise; v2 ends them."
        announced [] told [] ending::default_clean_up;
    "deadline"
        "The runtime that was asked for has no place for one, and in this version of Trainer the TrainJob hasn't either."
        announced [Deadline] told [] ending::deadline;
    "time to live"
        "No version of Trainer deletes finished TrainJobs."
        announced [TimeToLive] told [] ending::time_to_live;
    "autoscaling"
        "Nothing scales a TrainJob."
        announced [Autoscaling] told [] ending::autoscaling;
    "number of pods"
        "v2 adds and removes no pods while a job runs."
        announced [ElasticRange] told [] ending::pods;
    "when addresses resolve"
        "A JobSet publishes a pod's address before the pod is ready, v1 after."
        announced [] told [] ending::addresses;
    "restart after success"
        "A Job can't start again what has succeeded."
        announced [RestartAlways] told [] ending::always;
    "restarts of each role"
        "Each replicated job has Jobs, and so limits, of its own."
        announced [RestartCount] told [] ending::limit_over;
    "evicted pods count"
        "Where there is a limit, a Job also counts pods that failed as a whole; v1 counts restarts of containers only."
        announced [] told [] ending::evicted_counts;
    "replacement on a runtime of the cluster"
        "Where the runtime doesn't say otherwise, a Job replaces a pod that is being deleted at once; v1 can't, because the names are the same."
        announced [] told [] ending::replacement;
    "exit code 0 beside a sidecar that failed"
        "v1 fails the job for it; a Job can't name exit code 0."
        announced [] told [] ending::exit_code_zero;
    "annotation of a Volcano task"
        "v1 names the role for Volcano's own jobs; the scheduler groups pods by the other annotation."
        announced [] told [] ending::volcano_task;
    "annotations of the pod group"
        "v1 copies the job's; no scheduler reads them there."
        announced [] told [] ending::gang_annotation;
    "timeout of the pod group"
        "Trainer writes down the scheduler's default."
        announced [] told [] ending::gang_timeout;
    "resources of the pod group"
        "Each side adds up the pods' requests by rules of its own. The gang starts with all its members or not at all, on both."
        announced [] told [] ending::gang_resources;
    "priority of the pod group"
        "Trainer takes it from the pods, so the pods have it too."
        announced [SchedulingPolicy] told [] ending::gang_priority;
    "pod group of a job in two roles"
        "Trainer counts one pod for each replicated job."
        announced [SchedulingPolicy] told [] ending::gang_of_roles;
    "pod group left out"
        "The conversion was told that no gang scheduler runs, or the runtime that was asked for makes no pod group."
        announced [SchedulingPolicy RuntimeCannot] told [] ending::no_gang;
    "annotations for trainshift"
        "They were meant for trainshift, not for the job."
        announced [ServerFields] told [] ending::own_annotation;
}
