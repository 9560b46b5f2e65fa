//! What becomes of a job when something happens to its pods, under v1 and, converted, under v2.
//!
//! Each scenario runs on both operators at the same time; pods live and die as `kubelet` writes it. The end states stand
//! in `table`, with the reason where they differ, and in `target/parity/behaviour-<minor>.json` for the documents.

mod api;
mod declared;
mod kubelet;
mod scenario;
mod side;
mod state;
mod table;

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::LocalSet;
use trainshift::discovery::{self, Connection};

use crate::control_plane::ControlPlane;
use crate::control_plane::kubectl::output;
use crate::control_plane::programs::root;
use crate::control_plane::trainshift::program;

use api::Api;
use scenario::{Scenario, Step};
use side::{Operator, Side};
use state::State;

crate::facts![jobs_end_alike_or_as_declared];

/// For one thing to come about on a busy machine; the Job controller waits 20 s before it replaces a pod for the second time.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Scenarios that run at the same time: more of them keep the operators from the jobs of other tests.
const AT_ONCE: usize = 16;

/// Between two looks at the same thing.
const INTERVAL: Duration = Duration::from_millis(250);

/// A scenario, its job for both sides, and the codes of what the conversion announced.
struct Announced {
    scenario: Scenario,
    v1: Value,
    v2: Vec<Value>,
    codes: Vec<String>,
}

/// What a scenario came to.
struct Outcome {
    announced: Announced,
    v1: State,
    v2: State,
}

fn jobs_end_alike_or_as_declared(control_plane: &ControlPlane) -> Result<()> {
    let minor = control_plane.versions().minor;
    let v1 = control_plane.namespace("none")?;
    let v2 = control_plane.namespace("none")?;
    let mut scenarios = Vec::new();
    for scenario in table::scenarios() {
        let (converted, codes) = convert(&scenario, minor, &v2)?;
        scenarios.push(Announced {
            v1: scenario.pytorchjob(&v1),
            v2: converted,
            scenario,
            codes,
        });
    }
    // Another test may have been the first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = Some(control_plane.admin().kubeconfig().to_owned());
    let connection = Connection {
        kubeconfig,
        context: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut outcomes = runtime.block_on(LocalSet::new().run_until(async {
        let api = Api(discovery::connect(&connection).await?);
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let runs = scenarios.into_iter().map(|announced| {
            let (api, v1, v2) = (api.clone(), v1.clone(), v2.clone());
            let places = Arc::clone(&places);
            tokio::task::spawn_local(async move {
                let _place = places.acquire_owned().await?;
                run(announced, api, v1, v2).await
            })
        });
        let mut outcomes = Vec::new();
        for run in runs.collect::<Vec<_>>() {
            outcomes.push(run.await??);
        }
        anyhow::Ok(outcomes)
    }))?;
    outcomes.sort_by_key(|outcome| outcome.announced.scenario.name);
    write(minor, &outcomes)?;
    let wrong: Vec<String> = outcomes.iter().filter_map(Outcome::complaint).collect();
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Lets everything happen on both sides at the same time.
async fn run(announced: Announced, api: Api, v1: String, v2: String) -> Result<Outcome> {
    let scenario = &announced.scenario;
    api.create(("/apis/kubeflow.org/v1", "pytorchjobs"), &announced.v1)
        .await?;
    for object in &announced.v2 {
        let is_job = object["kind"] == "TrainJob";
        let plural = if is_job {
            "trainjobs"
        } else {
            "trainingruntimes"
        };
        api.create(("/apis/trainer.kubeflow.org/v1alpha1", plural), object)
            .await?;
    }
    let side =
        |operator, namespace| Side::new(operator, &api, namespace, scenario.name, scenario.size());
    let (mut v1, mut v2) = (side(Operator::V1, v1), side(Operator::V2, v2));
    let (v1, v2) = tokio::join!(end(scenario, &mut v1), end(scenario, &mut v2));
    Ok(Outcome {
        v1: v1.with_context(|| format!("{} under v1", scenario.name))?,
        v2: v2.with_context(|| format!("{} under v2", scenario.name))?,
        announced,
    })
}

/// How it stands in the end on one side.
async fn end(scenario: &Scenario, side: &mut Side) -> Result<State> {
    for step in &scenario.steps {
        match *step {
            Step::AllStart => {
                let (has_master, workers) = scenario.size();
                for rank in 0..workers + usize::from(has_master) {
                    side.happens(rank, kubelet::Event::Starts).await?;
                }
            }
            Step::To(rank, event) => side.happens(rank, event).await?,
            Step::Suspend => side.suspend(true).await?,
            Step::Resume => side.suspend(false).await?,
            Step::Outlast(seconds) => side.outlast(seconds).await?,
            Step::Touch => side.touch().await?,
        }
    }
    let expected = scenario.expected(side.operator);
    let seen = side.wait_for(&expected).await?;
    if seen != expected || scenario.is_unwoken {
        return Ok(seen);
    }
    side.confirm().await?;
    side.wait_for(&expected).await
}

impl Outcome {
    fn is_equal(&self) -> bool {
        self.v1 == self.v2
    }

    /// What is not as it should be.
    fn complaint(&self) -> Option<String> {
        let Announced {
            scenario, codes, ..
        } = &self.announced;
        for (operator, seen) in [(Operator::V1, &self.v1), (Operator::V2, &self.v2)] {
            let expected = scenario.expected(operator);
            if *seen != expected {
                return Some(format!(
                    "{}: {operator:?} is {seen}, not {expected}",
                    scenario.name
                ));
            }
        }
        let (false, declared) = (self.is_equal(), scenario.declared) else {
            return None;
        };
        let Some(declared) = declared else {
            return Some(format!(
                "{}: {} under v1, {} under v2, undeclared",
                scenario.name, self.v1, self.v2
            ));
        };
        let mut announced_by = declared.announced_by.iter();
        let is_announced = announced_by.any(|code| codes.contains(&code.to_string()));
        let is_known = declared.announced_by.is_empty() || is_announced;
        (!is_known).then(|| format!("{}: no finding says that {}", scenario.name, declared.name))
    }
}

/// Writes what was seen where the documents are made from.
fn write(minor: &str, outcomes: &[Outcome]) -> Result<()> {
    let rows: Vec<Value> = outcomes
        .iter()
        .map(|outcome| {
            let declared = outcome
                .announced
                .scenario
                .declared
                .filter(|_| !outcome.is_equal());
            json!({
                "scenario": outcome.announced.scenario.name,
                "v1": outcome.v1,
                "v2": outcome.v2,
                "equal": outcome.is_equal(),
                "declared": declared.map(|declared| declared.name),
                "reason": declared.map(|declared| declared.reason),
            })
        })
        .collect();
    let directory = root().join("target/parity");
    fs::create_dir_all(&directory)?;
    let file = directory.join(format!("behaviour-{minor}.json"));
    fs::write(&file, serde_json::to_string_pretty(&rows)? + "\n")
        .with_context(|| format!("writing {}", file.display()))
}

/// The TrainJob, with its runtime, and the codes of what trainshift says about it.
fn convert(scenario: &Scenario, minor: &str, namespace: &str) -> Result<(Vec<Value>, Vec<String>)> {
    let mut command = Command::new(program()?);
    command.args(["convert", "--to", minor, "--layout", scenario.layout]);
    command.args(["--output=json", "--report=json"]);
    let converted = output(command, Some(&scenario.pytorchjob(namespace).to_string()))?;
    ensure!(converted.status == 0, "{}: {converted:?}", scenario.name);
    let written: Value = serde_json::from_str(&converted.stdout).context("reading the objects")?;
    let objects = match written["items"].as_array() {
        Some(items) => items.clone(),
        None => vec![written],
    };
    let report: Value = serde_json::from_str(&converted.stderr).context("reading the report")?;
    let codes = report["jobs"][0]["findings"]
        .as_array()
        .into_iter()
        .flatten();
    let codes = codes.filter_map(|finding| finding["code"].as_str().map(str::to_owned));
    Ok((objects, codes.collect()))
}
