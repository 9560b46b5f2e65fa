use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard};

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};
use tower::service_fn;

use super::*;
use crate::admission::{Observer as _, Offline, Summary};
use crate::api::policy::MigrationPolicy;
use crate::policy::{Mode, Namespace, Policies};

const BEFORE: &str = "2027-01-15T00:00:00Z";
const FEBRUARY: &str = "2027-02-01T00:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An API server that has policies and nothing else, and the time.
#[derive(Clone)]
struct World(Arc<Mutex<Inner>>);

struct Inner {
    objects: BTreeMap<String, Value>,
    version: u64,
    now: Timestamp,
    is_away: bool,
    lists: usize,
    writes: usize,
}

impl World {
    fn new(policies: &[(&str, Value)]) -> Self {
        let objects = policies.iter().map(|(name, spec)| {
            let object = json!({
                "apiVersion": "trainshift.dev/v1alpha1", "kind": "MigrationPolicy",
                "metadata": {"name": name, "uid": "u", "generation": 1, "resourceVersion": "1"},
                "spec": spec,
            });
            ((*name).to_owned(), object)
        });
        Self(Arc::new(Mutex::new(Inner {
            objects: objects.collect(),
            version: 1,
            now: time(BEFORE),
            is_away: false,
            lists: 0,
            writes: 0,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    fn client(&self) -> Client {
        let world = self.clone();
        let service = service_fn(move |request: Request<Body>| {
            let world = world.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let (status, answer) = world.lock().answer(&head.method, head.uri.path(), &body);
                let answer = Response::builder()
                    .status(status)
                    .body(Body::from(answer.to_string().into_bytes()));
                Ok::<_, Infallible>(answer.unwrap())
            }
        });
        Client::new(service, "default")
    }

    fn clock(&self) -> Clock {
        let world = self.clone();
        Arc::new(move || world.lock().now)
    }

    fn snapshot(&self) -> Snapshot {
        let objects: Vec<MigrationPolicy> = self
            .lock()
            .objects
            .values()
            .map(|object| serde_json::from_value(object.clone()).unwrap())
            .collect();
        let research = Namespace::named("research");
        Snapshot::new(Mode::Audit)
            .with_policies(Policies::new(&objects).0)
            .with_namespaces([("research".to_owned(), research.labels().clone())])
    }

    /// A replica that believes in `target`, and where it looks for its snapshot.
    fn replica(&self, target: Target) -> Replica {
        let metrics = Arc::new(Metrics::new());
        let policies = Arc::new(ArcSwapOption::from_pointee(self.snapshot()));
        let failures = Arc::new(Failures::new(self.clock()));
        let reporter = Reporter {
            policies: Arc::clone(&policies),
            clock: self.clock(),
            cluster: Arc::new(Offline::new(target)),
            failures: Arc::clone(&failures),
            metrics: Arc::clone(&metrics),
            client: Some(self.client()),
            events: Events::nowhere(Arc::clone(&metrics)),
        };
        let task = tokio::spawn(async {
            let _ = reporter.follow().await;
        });
        Replica {
            policies,
            failures,
            metrics,
            task,
        }
    }

    fn status(&self, name: &str) -> Value {
        self.lock().objects[name]["status"].clone()
    }

    fn writes(&self) -> usize {
        self.lock().writes
    }
}

impl Inner {
    fn answer(&mut self, method: &Method, path: &str, body: &[u8]) -> (StatusCode, Value) {
        let failure = |status: StatusCode| {
            let answer = json!({"kind": "Status", "status": "Failure", "code": status.as_u16(), "message": "no", "reason": "no"});
            (status, answer)
        };
        if self.is_away {
            return failure(StatusCode::SERVICE_UNAVAILABLE);
        }
        if method == Method::GET {
            self.lists += 1;
            let items: Vec<_> = self.objects.values().collect();
            let list = json!({"apiVersion": "trainshift.dev/v1alpha1", "kind": "MigrationPolicyList", "metadata": {}, "items": items});
            return (StatusCode::OK, list);
        }
        let name = path.rsplit('/').nth(1).unwrap();
        let applied: Value = serde_json::from_slice(body).unwrap();
        let object = self.objects.get_mut(name).unwrap();
        if applied["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] {
            return failure(StatusCode::CONFLICT);
        }
        self.writes += 1;
        self.version += 1;
        object["status"] = applied["status"].clone();
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        (StatusCode::OK, object.clone())
    }
}

struct Replica {
    policies: Arc<ArcSwapOption<Snapshot>>,
    failures: Arc<Failures>,
    metrics: Arc<Metrics>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn scheduled() -> Value {
    json!({"schedule": [{"mode": "Warn"}, {"mode": "Deny", "from": FEBRUARY}]})
}

/// Time passes for the tasks; the clock of the world stands.
async fn pass(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn many_replicas_write_each_status_once() {
    let world = World::new(&[("ads", scheduled()), ("vision", scheduled())]);
    let _replicas = [0, 1, 2].map(|_| world.replica(Target::default()));
    pass(3600).await;
    assert_eq!(world.writes(), 2);
    assert_eq!(world.status("ads")["activeMode"], "Warn");
    assert_eq!(world.status("ads")["observedGeneration"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_date_that_passes_is_reported_by_the_wall_clock() {
    let world = World::new(&[("ads", scheduled())]);
    let _replica = world.replica(Target::default());
    pass(10).await;
    world.lock().now = time(FEBRUARY);
    pass(2).await;
    let status = world.status("ads");
    assert_eq!(status["activeMode"], "Deny", "{status:#}");
    assert_eq!(status["nextMode"], Value::Null);
    assert_eq!(
        status["conditions"][0]["lastTransitionTime"], BEFORE,
        "it was ready all the time"
    );
}

#[tokio::test(start_paused = true)]
async fn replicas_that_disagree_write_ever_more_seldom() {
    let mut spec = scheduled();
    spec["conversion"] = json!({"runtime": "torch"});
    let world = World::new(&[("ads", spec)]);
    let knowing = Target {
        cluster_runtimes: ["torch".to_owned()].into(),
        ..Target::default()
    };
    let ignorant = Target {
        cluster_runtimes: std::collections::BTreeSet::new(),
        ..Target::default()
    };
    let replicas = [knowing, ignorant].map(|target| world.replica(target));
    for _ in 0..3600 {
        // Each write is seen by the watch, which makes a new snapshot of it.
        for replica in &replicas {
            replica.policies.store(Some(Arc::new(world.snapshot())));
        }
        pass(1).await;
    }
    let writes = world.writes();
    assert!((2..=14).contains(&writes), "{writes} in an hour");
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_is_asked_again_with_patience() {
    let world = World::new(&[("ads", scheduled())]);
    world.lock().is_away = true;
    let replica = world.replica(Target::default());
    pass(120).await;
    assert_eq!(world.status("ads"), Value::Null);
    world.lock().is_away = false;
    pass(120).await;
    assert_eq!(world.status("ads")["activeMode"], "Warn");
    let page = replica.metrics.encode().unwrap();
    assert!(
        page.contains(r#"trainshift_policies{ready="true"} 1"#),
        "{page}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_spec_that_the_snapshot_does_not_know_yet_is_not_reported_on() {
    let world = World::new(&[("ads", scheduled())]);
    let replica = world.replica(Target::default());
    pass(10).await;
    {
        let object = &mut world.lock().objects;
        let ads = object.get_mut("ads").unwrap();
        ads["spec"] = json!({"schedule": [{"mode": "Deny"}]});
        ads["metadata"]["generation"] = json!(2);
    }
    pass(600).await;
    assert_eq!(world.status("ads")["observedGeneration"], 1);
    replica.policies.store(Some(Arc::new(world.snapshot())));
    pass(2).await;
    assert_eq!(world.status("ads")["observedGeneration"], 2);
    assert_eq!(world.status("ads")["activeMode"], "Deny");
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_one_replica_saw_is_written_once_and_left_by_the_others() {
    let mut spec = scheduled();
    spec["match"] = json!({"conditions": [{"name": "big", "expression": "object.spec.x > 1"}]});
    let world = World::new(&[("ads", spec)]);
    let replicas = [0, 1].map(|_| world.replica(Target::default()));
    pass(10).await;
    let request = serde_json::from_value(json!({"uid": "1", "operation": "CREATE"})).unwrap();
    let ruling = crate::policy::Ruling {
        rule: crate::policy::Rule::built_in(Mode::Warn),
        decision: crate::policy::Decision::Warn,
        excuse: None,
        ended: None,
        failures: vec![crate::policy::ranked::Failure {
            policy: "ads".to_owned(),
            condition: "big".to_owned(),
            error: "no such key: x".to_owned(),
        }],
    };
    for _ in 0..200 {
        replicas[0].failures.answered(&Summary {
            door: crate::admission::Door::Validate,
            request: Some(&request),
            ruling: Some(&ruling),
            conversion: None,
            outcome: crate::admission::Outcome::Warned,
            took: Duration::ZERO,
        });
        pass(1).await;
    }
    let ready = world.status("ads")["conditions"][0].clone();
    assert_eq!(ready["reason"], "ExpressionFailing", "{ready:#}");
    assert_eq!(world.writes(), 2);
    world.lock().now += standing::REMEMBERED;
    pass(60).await;
    assert_eq!(world.status("ads")["conditions"][0]["status"], "True");
    assert_eq!(world.writes(), 3);
}
