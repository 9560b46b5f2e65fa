//! The catalogue of codes that findings are told with.
//!
//! A code is stable: it is printed by `trainshift explain`, counted in metrics and named in `details.causes`.

use std::fmt;

use serde::Serialize;

/// What a code means.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// One line.
    pub title: &'static str,
    /// What changes for the training.
    pub effect: &'static str,
    /// What to do.
    pub action: &'static str,
    /// See [`Finding::is_routine`].
    pub routine: bool,
}

macro_rules! catalogue {
    ($($number:literal $name:ident $routine:literal $title:literal $effect:literal $action:literal)*) => {
        /// A stable code. The number never changes its meaning; a code that is no longer used is not given away again.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Code {
            $(#[doc = $title] $name),*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// `TS014`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $number),* }
            }

            /// What the code means.
            #[must_use]
            pub fn entry(self) -> &'static Entry {
                match self { $(Code::$name => &Entry { title: $title, effect: $effect, action: $action, routine: $routine }),* }
            }
        }
    };
}

catalogue! {
    "TS001" UnknownField false "not a field of PyTorchJob that trainshift knows"
        "v1 ignores the field as well, unless your cluster runs a changed operator. The TrainJob doesn't have it."
        "Check the spelling. If the field is misspelt, v1 never read it either: decide what you want and write that."
    "TS002" TwoRoles false "Master and Worker differ, so each keeps pods of its own"
        "The generated TrainingRuntime has two replicated jobs, node (the Master) and worker. Ranks are the same as under v1."
        "Nothing. If the two were meant to be alike, make the templates equal: the job then needs one pod set only, and often no runtime of its own."
    "TS003" MasterAddress false "the first pod has another address under v2"
        "MASTER_ADDR names the TrainJob's first pod. It resolves as soon as that pod has an IP; v1's name resolved once the pod was ready."
        "Nothing for scripts that read MASTER_ADDR. Scripts that write the old name out by themselves must be changed."
    "TS004" HostName false "a v1 pod's name becomes its v2 address"
        "Pods are called <job>-node-0-<i> under v2, and are reached by <job>-node-0-<i>.<job>."
        "Check the rewritten command, argument or variable. Names inside the image or in a ConfigMap are not seen by trainshift."
    "TS005" EnvOverridden false "the variable had no effect: v1 set it after yours"
        "None. v1 appends its own variables, so the last one, v1's, was what the process saw. The TrainJob has that one only."
        "Remove the variable from the manifest."
    "TS006" EnvDuplicate false "the variable is set twice; the last one counts"
        "None. Kubernetes takes the last one; a TrainJob may name each variable once only."
        "Remove the earlier one from the manifest."
    "TS007" ProcPerNode false "the number of processes on each node is said in another way"
        "Under exact conversion PET_NPROC_PER_NODE has v1's value. On a runtime with a torch policy Trainer computes it: an integer is kept, auto becomes the number of CPUs when no resource key contains gpu."
        "Nothing for exact conversion. Otherwise set trainer.numProcPerNode, or pass --nproc-per-node to torchrun."
    "TS008" ElasticRange false "the number of pods is fixed under v2"
        "torchrun still accepts the range of nodes (PET_NNODES), but nothing adds or removes pods while the job runs. kubectl scale doesn't apply to a TrainJob."
        "Choose the number of workers you want as replicas before you convert."
    "TS009" RendezvousEndpoint false "the rendezvous has another address under v2"
        "PET_RDZV_ENDPOINT names the same pod as under v1, by its v2 address and with v1's port."
        "Nothing, unless a NetworkPolicy names the old host."
    "TS010" Standalone false "torchrun can't read the empty value that v1 sets"
        "v1 sets PET_STANDALONE to the empty string, which torchrun can't read as a number, so the job could not have started with torchrun."
        "Check that the job is meant to rendezvous on each node by itself."
    "TS011" ContainerName true "the training container is called node"
        "Trainer trains in a container of that name. kubectl logs -c pytorch, dashboards and log queries must ask for node."
        "Change what asks for the container pytorch by name."
    "TS012" ContainerReference true "a reference to the container pytorch now says node"
        "None."
        "Nothing."
    "TS013" Ports false "a list of ports is information only"
        "A container's ports are information only. MASTER_PORT keeps v1's number, and v2's headless service reaches every port."
        "Nothing, unless something reads the list of ports from the pod."
    "TS014" BackoffLimit false "unset means no limit to v1, and 6 to a Job"
        "A Job's own default is 6 restarts over all pods. The conversion says what v1 did, or, where it can't, that it doesn't. What a Job counts are restarts in place and pods that failed, an evicted one among them; v1 counts restarts in place alone."
        "If you didn't mean to retry for ever, set runPolicy.backoffLimit before you convert."
    "TS015" RestartAlways false "a Job can't restart what has succeeded, so this job can finish"
        "Under v1 a container that succeeded was started again, so the job never finished. A Job can't do that: the TrainJob finishes when the training succeeds."
        "Nothing, unless the endless restart was intended: then the work is a Deployment, not a training job."
    "TS016" RestartExitCode false "exit codes 1 to 127 fail the job, others replace the pod, as under v1"
        "Exit codes 1 to 127 of the training container fail the job, 128 and above replace the pod, as under v1. Replacements wait a growing time; a drained or preempted pod is replaced without being counted."
        "Nothing."
    "TS017" SuccessRule false "a worker that fails after the Master is done now fails the job"
        "v1 calls the job succeeded when its Master does, whatever the workers do. In one pod set the TrainJob completes when every node has succeeded, and fails when a worker fails after the Master succeeded."
        "Make every rank exit with 0 when training is done, or convert with --layout roles, where the Master alone decides."
    "TS018" CleanPodPolicy false "pods are cleaned up by v2's own rule"
        "When the job finishes, pods that still run are ended; finished pods and their logs stay until the TrainJob is deleted."
        "Delete the TrainJob when you no longer need its pods."
    "TS019" TimeToLive false "a finished TrainJob is not deleted by itself"
        "Trainer has no time to live for TrainJobs. One on the JobSet would make Trainer 2.1 run any finished job again, and 2.2 and 2.3 a failed one; under 2.0 it would do no harm until the cluster is upgraded."
        "Delete finished TrainJobs with a scheduled task, for example kubectl delete trainjob --field-selector or a CronJob."
    "TS020" Deadline false "activeDeadlineSeconds can't be said"
        "The deadline would not be enforced. Before Trainer 2.2 a TrainJob has none, and only a generated runtime can carry it."
        "Use a value of at least 1; for Trainer 2.0 and 2.1 convert in style exact."
    "TS021" ManagedBy true "v1's own controller becomes v2's own controller"
        "None: it is the default of both."
        "Nothing."
    "TS022" SchedulingPolicy false "gang scheduling is said on the runtime"
        "v1 reads schedulingPolicy only where its operator runs with --gang-scheduler-name. Trainer's pod group always counts every pod of the job."
        "Tell trainshift which gang scheduler the cluster uses (--gang-scheduler), or remove the field if none is used. Trainer's own manifests don't let it read PriorityClasses: with Volcano and a priorityClass, ask its administrator to grant its ServiceAccount get, list and watch on them, or the TrainJob is refused after a timeout."
    "TS023" HostnameFixed false "the pod's hostname and subdomain are set by v2"
        "JobSet needs them for the pods' addresses: hostname <job>-node-0-<i>, subdomain <job>."
        "Scripts that expect the old hostname must be changed."
    "TS024" TemplateRestartPolicy true "the template's restartPolicy had no effect"
        "None: v1 overwrites it with the replica's restartPolicy."
        "Remove it from the manifest."
    "TS025" TemplateMetadata false "only labels and annotations of a pod template reach the pods"
        "Names in a template were overwritten by v1 too. Finalizers on pods belong to the Job controller under v2."
        "If a controller of yours relies on the finalizer, let it add the finalizer to the pods itself."
    "TS026" PodLabels false "labels that v1 put on its pods"
        "Selectors inside the job that name training.kubeflow.org/ labels keep matching, and variables and files that show them keep their value, because the pods get these labels. replica-index can't be given to several pods of one Job, and job-name and controller-uid are the Job's own."
        "Move selectors to jobset.sigs.k8s.io/jobset-name and batch.kubernetes.io/job-completion-index."
    "TS027" ObjectLinks false "owners and finalizers are not carried over"
        "The owner of the PyTorchJob doesn't own the TrainJob, so deleting the owner doesn't delete it."
        "Let the owner (a pipeline, an experiment) create TrainJobs itself."
    "TS028" ServerFields true "written by the API server or by kubectl, not by you"
        "None: the new object gets its own."
        "Nothing."
    "TS029" ObjectKind true "PyTorchJob becomes TrainJob"
        "None."
        "Nothing."
    "TS030" Autoscaling false "nothing scales a TrainJob"
        "v1 made a HorizontalPodAutoscaler from the metrics. Trainer has nothing like it."
        "Choose a fixed number of workers."
    "TS031" Credentials false "a variable looks like a credential and has a literal value"
        "Denials are copied into audit logs and pipeline states, so trainshift doesn't print this job's YAML there."
        "Put the value into a Secret and refer to it with valueFrom.secretKeyRef."
    "TS032" ReplicaKeyCase false "replica types are spelt Master and Worker"
        "v1's webhook refuses any other spelling; its controller would have taken it."
        "Spell them Master and Worker."
    "TS033" NodeCount true "replicas become numNodes"
        "None: the number of pods is the same. Node 0 is the Master, node i+1 is Worker i."
        "Nothing. When you change numNodes later, change WORLD_SIZE and PET_NNODES with it."
    "TS034" SmallDifference true "says the same as v2's default"
        "None."
        "Nothing."
    "TS035" RuntimeCannot false "the runtime can't carry this field"
        "The pods take the runtime's own value, or none. A generated TrainingRuntime would carry it."
        "Convert in style exact (trainshift convert), and ask whoever may create TrainingRuntimes in the namespace to apply the runtime; or live without the field."
    "TS036" ShortJobName false "the name is long, so the replicated job has a short one"
        "The pods are called <job>-n-0-<i> instead of <job>-node-0-<i>, to stay within 63 characters."
        "Nothing; a shorter job name gives the usual pod names."
    "TS037" SdkDevice false "the v2 SDK can't list pods with these limits"
        "TrainerClient.list_jobs() of kubeflow 0.5.0 fails for the whole namespace when a training pod has limits but none of cpu, nvidia.com/gpu, google.com/tpu, huawei.com/Ascend910."
        "Add a cpu limit if anybody uses the SDK in this namespace."
    "TS038" RestartCount false "restarts are counted for each pod by itself"
        "v1 adds up the restarts of all pods; with two replicated jobs each pod has a Job of its own, and so a limit of its own."
        "Nothing, unless the exact number of restarts matters."
    "TS040" InvalidJob false "v1 would refuse this PyTorchJob, or could not run it"
        "There is nothing to convert."
        "Mend the field, then try again."
    "TS041" Placeholder false "the manifest still holds a placeholder"
        "There is nothing to convert until the template is rendered."
        "Render the template first (envsubst, helm template, kustomize build), then convert what comes out."
    "TS042" NameTooLong false "the name is too long for v2"
        "Trainer would admit the TrainJob, and its JobSet would then fail to create pods, with nothing but an event to tell."
        "Use a shorter name."
    "TS043" ContainerNameTaken false "a container is called node already"
        "Trainer trains in the container node, so the training container needs that name."
        "Rename the other container."
    "TS044" EphemeralContainers false "a pod can't be created with ephemeral containers"
        "The API server refuses such pods, under v1 as well."
        "Remove ephemeralContainers."
    "TS045" DialectCannot false "this version of Trainer can't do this"
        "Nothing is converted: as a TrainJob of this version the job would not do what it does under v1, and nothing would tell."
        "Upgrade Kubeflow Trainer to the version that the note names, or follow the note."
    "TS046" LayoutImpossible false "the layout asked for can't hold this job"
        "Nothing is converted."
        "Use --layout auto and style exact."
    "TS047" GangSize false "a pod group smaller or larger than the job can't be said"
        "Trainer's pod group always has as many members as the job has pods."
        "Remove schedulingPolicy.minAvailable, or set it to the number of pods."
    "TS048" ControlCharacter false "Trainer can't read this character"
        "Trainer fails on DEL, C1 control characters and byte order marks in what pods run: the TrainJob would be admitted and never get pods."
        "Remove the character; it usually came in with copied text."
    "TS049" RuntimeTooLarge false "the generated runtime is too large for Trainer"
        "Trainer 2.3 keeps a copy of the runtime in a ConfigMap, which holds 1 MiB: the TrainJob would be admitted and never get pods. Earlier versions keep none, but copy it into a JobSet and a Job, which etcd holds up to 1.5 MiB; for them the limit is the same."
        "Put what makes it large (a script, a configuration) into a ConfigMap of its own and mount it."
    "TS050" ProbeVariable false "in a probe's command this variable has no value under v2"
        "v1 sets the variable to a text, v2 lets the pod find its value. The kubelet puts texts alone into a probe's command; for any other variable of the container it puts nothing. The process in the container has the value."
        "Let a shell read it: command [sh, -c, \"check --rank $RANK\"], without the parentheses."
}

impl Code {
    /// The code that is written `text`, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str().eq_ignore_ascii_case(text.trim()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
