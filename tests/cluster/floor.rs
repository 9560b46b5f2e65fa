//! The ValidatingAdmissionPolicy that `generate vap` makes: held against `policy::judge`, request by request, and beside
//! the webhook.

mod api;
mod world;

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::control_plane::kubectl::output;
use crate::control_plane::trainshift::{Trainshift, program};
use crate::control_plane::wait::{Progress, wait_until};
use crate::jobs::{create, mnist, policy, wait_until_judged};

use api::{Answer, Api};
use world::{LABEL, World};

crate::facts![
    denies_what_trainshift_denies_and_nothing_else,
    holds_while_trainshift_is_down_and_is_silent_while_it_is_up,
];

/// Before every date in the policies: all of them have to be compared with the time of a request.
const LONG_AGO: &str = "2020-01-01T00:00:00Z";

const TIMEOUT: Duration = Duration::from_mins(1);

/// Fewest requests that the comparison is made of.
const FEWEST: usize = 200;

fn denies_what_trainshift_denies_and_nothing_else(control_plane: &ControlPlane) -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    world::install(control_plane)?;
    let now = jiff::Timestamp::now().to_string();
    let mut wrong = Vec::new();
    let mut seen = [0, 0];
    for (index, (policies, mode)) in world::policies().into_iter().enumerate() {
        for (at, name) in [(LONG_AGO, "ago"), (now.as_str(), "now")] {
            let set = format!("floor-{index}-{name}");
            let world = World::new(control_plane, &set, &policies, mode)?;
            let text = policies.iter().map(|policy| format!("{policy}\n---\n"));
            generate(control_plane, &set, &text.collect::<String>(), at, mode)?;
            let api = runtime.block_on(Api::new(control_plane))?;
            let cases = runtime.block_on(world.cases(&api))?;
            let known = cases.iter().find(|case| case.is_denied);
            let known = known.with_context(|| format!("{set} denies nothing"))?;
            wait_until(&format!("{set} is in force"), TIMEOUT, || {
                let answer = runtime.block_on(api.send(&known.request))?;
                Ok(match answer {
                    Answer::Denied(_) => Progress::Done(()),
                    Answer::Admitted => Progress::Waiting("admitted".to_owned()),
                })
            })?;
            for case in cases {
                let answer = runtime.block_on(api.send(&case.request))?;
                let is_denied = matches!(answer, Answer::Denied(_));
                seen[usize::from(is_denied)] += 1;
                // Where the floor was made before the dates, the time of these isn't known.
                let is_gap = at == LONG_AGO && case.has_no_time || case.is_temporary;
                if is_denied != case.is_denied && (is_denied || !is_gap) {
                    wrong.push(format!("{set}: {}: {answer:?}", case.name));
                }
            }
        }
    }
    ensure!(wrong.is_empty(), "of {seen:?}:\n{}", wrong.join("\n"));
    ensure!(seen.iter().all(|count| *count >= FEWEST), "{seen:?}");
    Ok(())
}

fn holds_while_trainshift_is_down_and_is_silent_while_it_is_up(
    control_plane: &ControlPlane,
) -> Result<()> {
    let mut instance = Trainshift::start(control_plane, "floor", "deny")?;
    instance.register(control_plane, "ignore")?;
    let schedule = json!([{ "mode": "Warn" }, { "mode": "Deny", "from": "2026-02-01T00:00:00Z" }]);
    let policy = policy("research", &json!({ "schedule": schedule }));
    let namespace = control_plane.namespace("floor")?;
    let label = format!("{LABEL}=beside");
    let admin = control_plane.admin();
    admin.succeed(&["label", "namespace", &namespace, &label], None)?;
    generate(
        control_plane,
        "beside",
        &policy.to_string(),
        LONG_AGO,
        "audit",
    )?;
    wait_until_judged(control_plane, &namespace)?;
    let send = |name: &str| create(admin, &mnist(name, &namespace, 1), &[]);

    ensure!(instance.stop()? == Some(0), "it did not end in order");
    let down = wait_until("the floor is in force", TIMEOUT, || {
        let answer = create(admin, &mnist("probe", &namespace, 1), &["--dry-run=server"])?;
        Ok(if answer.status == 1 {
            Progress::Done(answer)
        } else {
            Progress::Waiting(format!("{answer:?}"))
        })
    })?;
    let text = format!(
        "PyTorchJob is refused in namespace {namespace} since 2026-02-01 (policy research). \
         Submit its TrainJob instead: trainshift convert FILE prints it"
    );
    ensure!(
        down.stderr.contains(&text) && down.stderr.contains("Forbidden"),
        "{down:?}"
    );
    // An apply by the server, which also makes objects.
    let applied = admin.run(
        &["apply", "--server-side", "--filename=-"],
        Some(&mnist("applied", &namespace, 1).to_string()),
    )?;
    ensure!(
        applied.status == 1 && applied.stderr.contains(&text),
        "{applied:?}"
    );

    instance.restart()?;
    let up = send("up")?;
    ensure!(
        up.status == 1
            && up.stderr.contains("kind: TrainJob")
            && !up.stderr.contains("ValidatingAdmissionPolicy"),
        "{up:?}"
    );
    Ok(())
}

/// Makes the floor of `policies` for the namespaces of a set, and applies it.
fn generate(
    control_plane: &ControlPlane,
    set: &str,
    policies: &str,
    at: &str,
    mode: &str,
) -> Result<()> {
    let mut command = Command::new(program()?);
    command.args([
        "generate",
        "vap",
        "--policy=-",
        "--at",
        at,
        "--default-mode",
        mode,
    ]);
    command.args([
        format!("--name=trainshift-{set}"),
        format!("--namespace-selector={LABEL}={set}"),
    ]);
    let floor = output(command, Some(policies))?;
    ensure!(floor.status == 0, "{floor:?}");
    let admin = control_plane.admin();
    admin.succeed(&["apply", "--filename=-"], Some(&floor.stdout))?;
    Ok(())
}

/// An object of a JSON value, for what takes raw text.
fn raw(value: &Value) -> Result<Box<serde_json::value::RawValue>> {
    Ok(serde_json::value::to_raw_value(value)?)
}
