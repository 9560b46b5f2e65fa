//! A job, what happens to it, and how it stands afterwards under v1 and under v2.

use serde_json::{Map, Value, json};

use super::declared::Declared;
use super::kubelet::Event;
use super::side::Operator;
use super::state::State;

/// One thing that happens. Ranks count from the Master on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// All pods start.
    AllStart,
    /// Something happens to the pod of this rank.
    To(usize, Event),
    /// The user suspends the job, and its pods are gone.
    Suspend,
    /// The user resumes it.
    Resume,
    /// The deadline of so many seconds passes.
    Outlast(i64),
    /// The user changes an annotation of the job.
    Touch,
}

/// A scenario under construction, with the fields that a row of the table sets.
#[derive(Clone)]
pub(super) struct Scenario {
    /// What happens, as a name of at most 40 characters that Kubernetes takes.
    pub(super) name: &'static str,
    policies: (Option<&'static str>, &'static str),
    run_policy: Map<String, Value>,
    is_elastic: bool,
    /// What trainshift is asked for by `--layout`.
    pub(super) layout: &'static str,
    pub(super) steps: Vec<Step>,
    /// Whether the operators are left alone at the end: to ask v1 for its judgement is to wake it.
    pub(super) is_unwoken: bool,
    v1: Option<State>,
    v2: Option<State>,
    /// Why v1 and v2 differ, if they do.
    pub(super) declared: Option<&'static Declared>,
}

/// A Master and two workers that restart in place.
pub(super) fn scenario(name: &'static str) -> Scenario {
    Scenario {
        name,
        policies: (Some("OnFailure"), "OnFailure"),
        run_policy: Map::new(),
        is_elastic: false,
        layout: "auto",
        steps: vec![Step::AllStart],
        is_unwoken: false,
        v1: None,
        v2: None,
        declared: None,
    }
}

impl Scenario {
    /// Both roles have this restart policy.
    pub(super) fn policy(mut self, policy: &'static str) -> Self {
        self.policies = (self.policies.0.map(|_| policy), policy);
        self
    }

    /// Only the workers have this restart policy, so that there are two roles.
    pub(super) fn worker_policy(mut self, policy: &'static str) -> Self {
        self.policies.1 = policy;
        self
    }

    /// There is no Master.
    pub(super) fn workers_only(mut self) -> Self {
        self.policies.0 = None;
        self
    }

    /// torchrun may start with fewer workers.
    pub(super) fn elastic(mut self) -> Self {
        self.is_elastic = true;
        self
    }

    /// Master and workers are laid out in two replicated jobs.
    pub(super) fn roles(mut self) -> Self {
        self.layout = "roles";
        self
    }

    /// A field of the run policy.
    pub(super) fn run_policy(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.run_policy.insert(field.to_owned(), value.into());
        self
    }

    /// One step more.
    pub(super) fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// A container of this rank ends.
    pub(super) fn exits(self, rank: usize, code: i32) -> Self {
        self.then(Step::To(rank, Event::Exits(code)))
    }

    /// It starts with nobody at work.
    pub(super) fn before_anything(mut self) -> Self {
        self.steps.clear();
        self
    }

    /// Nobody wakes v1 at the end.
    pub(super) fn unwoken(mut self) -> Self {
        self.is_unwoken = true;
        self
    }

    /// How it stands under v1, rank by rank; under v2 as well, unless that is said.
    pub(super) fn v1(mut self, job: &str, pods: &str) -> Self {
        self.v1 = Some(state(job, pods));
        self
    }

    /// How it stands under v2, and why it isn't as under v1.
    pub(super) fn v2(mut self, job: &str, pods: &str, why: &'static Declared) -> Self {
        self.v2 = Some(state(job, pods));
        self.declared = Some(why);
        self
    }

    /// How it is to stand in the end.
    pub(super) fn expected(&self, operator: Operator) -> State {
        let v2 = self.v2.as_ref().filter(|_| operator == Operator::V2);
        let expected = v2.or(self.v1.as_ref()).cloned();
        expected.unwrap_or_else(|| state("unsaid", ""))
    }

    /// Whether there is a Master, and how many workers there are.
    pub(super) fn size(&self) -> (bool, usize) {
        (self.policies.0.is_some(), 2)
    }

    /// The job as a user of v1 writes it.
    pub(super) fn pytorchjob(&self, namespace: &str) -> Value {
        let role = |replicas: usize, policy: &str| {
            json!({ "replicas": replicas, "restartPolicy": policy, "template": { "spec": { "containers": [
                { "name": "pytorch", "image": "example.com/mnist:1.0", "command": ["python", "train.py"] },
            ] } } })
        };
        let (_, workers) = self.size();
        let mut roles = json!({ "Worker": role(workers, self.policies.1) });
        if let Some(policy) = self.policies.0 {
            roles["Master"] = role(1, policy);
        }
        let mut job = json!({
            "apiVersion": "kubeflow.org/v1",
            "kind": "PyTorchJob",
            "metadata": { "name": self.name, "namespace": namespace },
            "spec": { "runPolicy": self.run_policy, "pytorchReplicaSpecs": roles },
        });
        if self.is_elastic {
            job["spec"]["elasticPolicy"] = json!({ "minReplicas": 1, "maxReplicas": workers });
        }
        job
    }
}

fn state(job: &str, pods: &str) -> State {
    State {
        job: job.to_owned(),
        pods: pods.split(" | ").map(str::to_owned).collect(),
    }
}
