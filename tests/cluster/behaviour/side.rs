//! One job under one of the two operators: what has become of it, in words that both share.

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::api::Api;
use super::kubelet::{self, Event};
use super::state::{State, has_counted, is_over, phase, rank, v1_has_counted, word};

/// Whose job it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operator {
    /// A PyTorchJob of the training operator.
    V1,
    /// A TrainJob of Trainer.
    V2,
}

/// One job, and the pods that it has had so far.
pub(super) struct Side {
    pub(super) operator: Operator,
    api: Api,
    namespace: String,
    name: String,
    has_master: bool,
    /// By rank, the uids of its pods, oldest first.
    history: Vec<Vec<String>>,
}

impl Side {
    /// The job `name` of `workers` workers and perhaps a Master, before its pods exist.
    pub(super) fn new(
        operator: Operator,
        api: &Api,
        namespace: String,
        name: &str,
        (has_master, workers): (bool, usize),
    ) -> Self {
        Self {
            operator,
            has_master,
            api: api.clone(),
            namespace,
            name: name.to_owned(),
            history: vec![Vec::new(); workers + usize::from(has_master)],
        }
    }

    /// Looks at the job and its pods.
    pub(super) async fn look(&mut self) -> Result<State> {
        let pods = self.pods().await?;
        let job = self.api.get(&self.job_path()).await?;
        let words = self.history.iter().map(|uids| {
            let words: Vec<&str> = uids.iter().map(|uid| phase(&pods, uid)).collect();
            if words.is_empty() {
                "none".to_owned()
            } else {
                words.join(", ")
            }
        });
        Ok(State {
            job: job.map_or("gone", |job| word(&job)).to_owned(),
            pods: words.collect(),
        })
    }

    /// Waits until it stands as `expected`; gives how it stood at last.
    ///
    /// Gives `expected` itself if it is met.
    pub(super) async fn wait_for(&mut self, expected: &State) -> Result<State> {
        let by_chance = self.operator == Operator::V1 && expected.job == "Failed";
        let start = Instant::now();
        loop {
            let state = self.look().await?;
            if expected.is_met_by(&state, by_chance) {
                return Ok(expected.clone());
            }
            if start.elapsed() >= super::TIMEOUT {
                return Ok(state);
            }
            sleep(super::INTERVAL).await;
        }
    }

    /// Waits for the newest pod of a rank to be as wanted, and lets `event` happen to it.
    pub(super) async fn happens(&mut self, rank: usize, event: Event) -> Result<()> {
        let wanted = if matches!(event, Event::Starts) {
            "Pending"
        } else {
            "Running"
        };
        let pod = self.newest(rank, wanted).await?;
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        let path = format!("/api/v1/namespaces/{}/pods/{name}/status", self.namespace);
        for patch in kubelet::patches(&pod, event) {
            self.api.patch(&path, &patch).await?;
            self.settle().await?;
        }
        Ok(())
    }

    /// Suspends the job and waits until it is, or resumes it.
    pub(super) async fn suspend(&mut self, suspend: bool) -> Result<()> {
        let patch = match self.operator {
            Operator::V1 => json!({ "spec": { "runPolicy": { "suspend": suspend } } }),
            Operator::V2 => json!({ "spec": { "suspend": suspend } }),
        };
        self.api.patch(&self.job_path(), &patch).await?;
        let wanted = if suspend { "Suspended" } else { "Active" };
        self.until("suspend has its effect", async |side| {
            let state = side.look().await?;
            let is_gone = |pod: &String| !pod.contains("ing");
            Ok(state.job == wanted && (!suspend || state.pods.iter().all(is_gone)))
        })
        .await
    }

    /// Somebody changes the job in a way that nobody reads.
    pub(super) async fn touch(&self) -> Result<()> {
        let patch = json!({ "metadata": { "annotations": { "example.com/touched": "true" } } });
        self.api.patch(&self.job_path(), &patch).await
    }

    /// Waits until the job is older than `seconds`, as its operator reckons.
    pub(super) async fn outlast(&mut self, seconds: i64) -> Result<()> {
        let job = self.job_path();
        self.until("the deadline has passed", async |side| {
            // Or else those that go meanwhile would never have been seen.
            side.pods().await?;
            let job = side.api.get(&job).await?.unwrap_or_default();
            let start = match side.operator {
                Operator::V1 => &job["status"]["startTime"],
                Operator::V2 => &job["metadata"]["creationTimestamp"],
            };
            // Times are written in whole seconds.
            let over = |start: &str| {
                let start: Timestamp = start.parse()?;
                anyhow::Ok(Timestamp::now().as_second() > start.as_second() + seconds + 1)
            };
            start.as_str().map_or(Ok(false), over)
        })
        .await
    }

    /// Waits until the operator has counted the pods as they are now, by what it writes into a status; or until the job
    /// is over, after which nobody counts.
    async fn settle(&mut self) -> Result<()> {
        self.until("the operator has counted the pods", async |side| {
            let pods = side.pods().await?;
            let Some(job) = side.api.get(&side.job_path()).await? else {
                return Ok(true);
            };
            if word(&job) != "Active" {
                return Ok(true);
            }
            if side.operator == Operator::V1 {
                return Ok(v1_has_counted(&job, &pods));
            }
            let selector = format!("jobset.sigs.k8s.io%2Fjobset-name%3D{}", side.name);
            let path = format!(
                "/apis/batch/v1/namespaces/{}/jobs?labelSelector={selector}",
                side.namespace
            );
            let jobs = side.api.items(&path).await?;
            Ok(jobs
                .iter()
                .all(|job| is_over(job) || has_counted(job, &pods)))
        })
        .await
    }

    /// Waits until the operator has judged the pods as they are now, restarts in place included.
    ///
    /// The Job controller does so in the pass in which it counts. Of v1 nothing shows it, so one of its Services is taken
    /// away: it makes another in the pass in which it judges.
    pub(super) async fn confirm(&mut self) -> Result<()> {
        if self.operator == Operator::V2 {
            return self.settle().await;
        }
        let path = format!(
            "/api/v1/namespaces/{}/services/{}-worker-0",
            self.namespace, self.name
        );
        let uid =
            |service: Option<Value>| service.map(|service| service["metadata"]["uid"].clone());
        let old = uid(self.api.get(&path).await?);
        self.api.delete(&path).await?;
        self.until("v1 has made a Service", async |side| {
            let new = uid(side.api.get(&path).await?);
            Ok((new.is_some() && new != old) || side.look().await?.job != "Active")
        })
        .await
    }

    async fn newest(&mut self, rank: usize, phase: &str) -> Result<Value> {
        let start = Instant::now();
        loop {
            let pods = self.pods().await?;
            let uid = self.history[rank].last();
            let pod = pods
                .into_iter()
                .find(|pod| pod["metadata"]["uid"].as_str() == uid.map(String::as_str));
            match pod {
                Some(pod) if pod["status"]["phase"] == phase => return Ok(pod),
                _ if start.elapsed() > super::TIMEOUT => {
                    let state = self.look().await?;
                    bail!(
                        "{:?} {}: rank {rank} has no pod that is {phase}: {state}",
                        self.operator,
                        self.name
                    );
                }
                _ => sleep(super::INTERVAL).await,
            }
        }
    }

    async fn until(
        &mut self,
        what: &str,
        mut done: impl AsyncFnMut(&mut Self) -> Result<bool>,
    ) -> Result<()> {
        let start = Instant::now();
        while !done(self).await? {
            if start.elapsed() > super::TIMEOUT {
                let state = self.look().await?;
                bail!(
                    "{:?} {}: waited for that {what}; {state}",
                    self.operator,
                    self.name
                );
            }
            sleep(super::INTERVAL).await;
        }
        Ok(())
    }

    /// The pods that are there; those not seen before are added to the history.
    async fn pods(&mut self) -> Result<Vec<Value>> {
        let label = match self.operator {
            Operator::V1 => "training.kubeflow.org%2Fjob-name",
            Operator::V2 => "jobset.sigs.k8s.io%2Fjobset-name",
        };
        let path = format!(
            "/api/v1/namespaces/{}/pods?labelSelector={label}%3D{}",
            self.namespace, self.name
        );
        let mut pods = self.api.items(&path).await?;
        pods.sort_by_key(|pod| {
            pod["metadata"]["creationTimestamp"]
                .as_str()
                .map(str::to_owned)
        });
        for pod in &pods {
            let rank = rank(pod, self.has_master)
                .with_context(|| format!("a pod without a rank: {pod}"))?;
            let uid = pod["metadata"]["uid"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let known = self
                .history
                .get_mut(rank)
                .with_context(|| format!("a pod of rank {rank}: {pod}"))?;
            if !known.contains(&uid) {
                known.push(uid);
            }
        }
        Ok(pods)
    }

    fn job_path(&self) -> String {
        let (group, kind) = match self.operator {
            Operator::V1 => ("kubeflow.org/v1", "pytorchjobs"),
            Operator::V2 => ("trainer.kubeflow.org/v1alpha1", "trainjobs"),
        };
        format!(
            "/apis/{group}/namespaces/{}/{kind}/{}",
            self.namespace, self.name
        )
    }
}
