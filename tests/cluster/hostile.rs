//! Policies whose conditions can't be evaluated, or would cost too much: they hold, and nobody else waits for them.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use http::Request;
use kube::Client;
use serde_json::{Value, json};
use trainshift::discovery::{self, Connection};

use crate::bypasses::ground::{Ground, LABEL, schedule};
use crate::control_plane::ControlPlane;
use crate::control_plane::audit::events;
use crate::jobs::{create, policy};

crate::facts![
    an_expression_of_ten_kilobytes_is_no_policy,
    conditions_that_cannot_be_evaluated_hold_and_are_named,
    a_neighbour_is_answered_while_conditions_cost_all_they_may,
];

/// What a job has that conditions can loop over.
const ITEMS: usize = 10_000;
/// How often the neighbour asks.
const ASKED: usize = 40;
/// How many submit jobs to the namespace of the hostile policy at a time.
const CROWD: usize = 4;

fn an_expression_of_ten_kilobytes_is_no_policy(control_plane: &ControlPlane) -> Result<()> {
    let long = vec!["true"; 1250].join(" && ");
    let spec = json!({
        "match": {
            "namespaceSelector": {"matchLabels": {LABEL: "ten-kilobytes"}},
            "conditions": [{"name": "long", "expression": long}],
        },
        "schedule": schedule("Deny", &[]),
    });
    let policy = policy("ten-kilobytes", &spec);
    let answer = create(control_plane.admin(), &policy, &[])?;
    let field = "spec.match.conditions[0].expression: Too long: may not be more than 1024";
    ensure!(
        answer.status == 1 && answer.stderr.contains(field),
        "{answer:?}"
    );
    Ok(())
}

/// One policy that refuses by four conditions, none of which can be evaluated.
fn hostile(ground: &Ground<'_>) -> Result<()> {
    let args = "object.spec.pytorchReplicaSpecs.Worker.template.spec.containers[0].args";
    let deep = format!("{}true{}", "(".repeat(200), ")".repeat(200));
    let conditions = json!([
        {"name": "zero", "expression": "1 / (size(request.name) - size(request.name)) == 0"},
        {"name": "loops", "expression": format!("{args}.all(a, {args}.all(b, a != b))")},
        {"name": "deep", "expression": deep},
        {"name": "long", "expression": format!("{args}.all(a, a + a + a + a + a + a + a + a != 'b')")},
    ]);
    refusing(ground, "hostile", 20, &conditions)
}

/// Puts a policy in force that refuses jobs by these conditions.
fn refusing(ground: &Ground<'_>, suffix: &str, priority: i32, conditions: &Value) -> Result<()> {
    let spec = json!({
        "priority": priority,
        "match": {"conditions": conditions},
        "schedule": schedule("Deny", &[]),
    });
    ground.named(&format!("{}-{suffix}", ground.name), &spec, &json!({}))
}

/// A job of so many items.
fn huge(ground: &Ground<'_>) -> Value {
    let mut job = ground.job(&json!({}));
    let items: Vec<_> = (0..ITEMS).map(|number| format!("--x={number}")).collect();
    job["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]["containers"][0]["args"] =
        json!(items);
    job
}

fn conditions_that_cannot_be_evaluated_hold_and_are_named(
    control_plane: &ControlPlane,
) -> Result<()> {
    let ground = Ground::new(control_plane)?;
    ground.policy(&json!({"schedule": schedule("Warn", &[])}))?;
    hostile(&ground)?;
    let answer = create(&ground.user, &huge(&ground), &["--validate=false"])?;
    let by = format!("(policy {}-hostile)", ground.name);
    ensure!(
        answer.status == 1 && answer.stderr.contains(&by),
        "{answer:?}"
    );
    let events = events(control_plane, "create", &ground.name, "mnist")?;
    let annotations = &events.last().context("a record")?["annotations"];
    let failed = annotations["mutate.trainshift.dev/failed-conditions"]
        .as_str()
        .unwrap_or_default();
    for condition in ["zero", "loops", "deep", "long"] {
        let condition = format!("{}-hostile/{condition}", ground.name);
        ensure!(
            failed.split(',').any(|failed| failed == condition),
            "{condition}: {annotations:#}"
        );
    }
    Ok(())
}

/// How long it takes is told, and not held to anything: other tests run at the same time.
fn a_neighbour_is_answered_while_conditions_cost_all_they_may(
    control_plane: &ControlPlane,
) -> Result<()> {
    let neighbour = Ground::new(control_plane)?;
    neighbour.policy(&json!({"schedule": schedule("Warn", &[])}))?;
    let crowded = Ground::new(control_plane)?;
    crowded.policy(&json!({"schedule": schedule("Warn", &[])}))?;
    let plain = json!([{"name": "plain", "expression": "true"}]);
    refusing(&crowded, "plain", 10, &plain)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let connection = Connection {
        kubeconfig: Some(control_plane.admin().kubeconfig().to_owned()),
        context: None,
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = runtime.block_on(discovery::connect(&connection))?;
    let small = neighbour.job(&json!({}));
    let huge = huge(&crowded);

    let alone = runtime.block_on(median(&client, &small))?;
    let (crowd, before) = runtime.block_on(beside(&client, &small, &huge))?;
    hostile(&crowded)?;
    let (hostile_crowd, after) = runtime.block_on(beside(&client, &small, &huge))?;
    ensure!(
        crowd > 0 && hostile_crowd > 0,
        "the crowd was not answered: {crowd}, {hostile_crowd}"
    );
    writeln!(
        io::stdout(),
        "a neighbour waits {alone:.1?} alone, {before:.1?} beside {crowd} jobs of {ITEMS} items, {after:.1?} beside {hostile_crowd} with \
         hostile conditions: {:.2} times as long",
        after.as_secs_f64() / before.as_secs_f64()
    )?;
    Ok(())
}

/// How many jobs of the crowd were answered, and how long the neighbour waited meanwhile.
async fn beside(client: &Client, small: &Value, huge: &Value) -> Result<(usize, Duration)> {
    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let member = async || {
        while !over.load(Ordering::Relaxed) {
            ensure!(!submit(client, huge).await?, "the crowd was let in");
            answered.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    let crowd = futures_util::future::try_join_all((0..CROWD).map(|_| member()));
    let neighbour = async {
        let waited = median(client, small).await;
        over.store(true, Ordering::Relaxed);
        waited
    };
    let (_, waited) = futures_util::future::try_join(crowd, neighbour).await?;
    Ok((answered.into_inner(), waited))
}

/// Of a number of submissions, all of which must be admitted.
async fn median(client: &Client, job: &Value) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..ASKED {
        let begun = Instant::now();
        ensure!(submit(client, job).await?, "the neighbour was refused");
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    times.get(ASKED / 2).copied().context("a time")
}

/// Whether a dry run of the job is admitted; that it is neither admitted nor refused is an error.
async fn submit(client: &Client, job: &Value) -> Result<bool> {
    let namespace = job["metadata"]["namespace"]
        .as_str()
        .context("a namespace")?;
    let path = format!("/apis/kubeflow.org/v1/namespaces/{namespace}/pytorchjobs?dryRun=All");
    let request = Request::post(path)
        .header("Content-Type", "application/json")
        .body(job.to_string().into_bytes())?;
    match client.request_text(request).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 403 => Ok(false),
        Err(error) => Err(error.into()),
    }
}
