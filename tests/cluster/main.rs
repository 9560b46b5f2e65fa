//! Tests against the real API server and the real operators: one control plane for the whole run.
//!
//! `cargo test --test cluster [NAME]`, after `make control-plane`. A test is a function that takes the control plane and
//! works in a namespace of its own, so that all of them can run at the same time.
//!
//! `TRAINER=2.0 cargo test --test cluster` boots that minor of Trainer instead of the newest, with those facts that are
//! said of every minor.

mod away;
mod behaviour;
mod bypasses;
mod conditions;
#[allow(dead_code, reason = "`make cluster` uses the rest of it")]
mod control_plane;
mod conversions;
mod denials;
mod discovery;
mod floor;
mod hostile;
mod jobs;
mod limits;
mod outages;
mod parity;
mod policies;
mod report;
mod sdk;
mod standing;
mod trainer;
mod training_operator;
mod transitions;
mod updates;
mod users;
mod warnings;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use libtest_mimic::{Arguments, Trial};

use control_plane::programs::Versions;
use control_plane::trainshift::Trainshift;
use control_plane::{ControlPlane, directory, guardian};

/// A name, and what it says as code.
type Fact = (&'static str, fn(&ControlPlane) -> Result<()>);

/// Lists the facts of a module under its name.
macro_rules! facts {
    ($($name:ident),+ $(,)?) => {
        pub(crate) const FACTS: &[crate::Fact] =
            &[$((concat!(module_path!(), "::", stringify!($name)), $name)),+];
    };
}
pub(crate) use facts;

/// Facts about every minor of Trainer.
const EVERY_MINOR: &[&[Fact]] = &[behaviour::FACTS, discovery::FACTS, trainer::FACTS];

/// Facts of which it is enough that they hold on the newest minor.
const NEWEST: &[&[Fact]] = &[
    away::FACTS,
    bypasses::jobs::FACTS,
    bypasses::people::FACTS,
    conditions::FACTS,
    conversions::FACTS,
    denials::FACTS,
    floor::FACTS,
    hostile::FACTS,
    limits::FACTS,
    outages::FACTS,
    policies::FACTS,
    report::FACTS,
    sdk::FACTS,
    standing::FACTS,
    training_operator::FACTS,
    transitions::FACTS,
    updates::FACTS,
    users::FACTS,
    warnings::FACTS,
];

/// The name of a run, before the number of its process.
const RUN: &str = "test-";

/// Tests wait for controllers most of their time, so there can be more of them than cores.
const THREADS: usize = 8;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        // Not through `main`'s own `Result`, which would add a backtrace of this harness to what a component said.
        let _ = writeln!(io::stderr(), "{error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    if guardian::guarded()? {
        return Ok(ExitCode::SUCCESS);
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let versions = Versions::asked_for()?;
    let is_newest = versions.minor == Versions::newest().minor;
    let only_newest = if is_newest { NEWEST } else { &[] };
    let facts = [EVERY_MINOR, only_newest].concat().concat();
    let all = |ground: &parity::Ground,
               control_plane: Option<&Arc<ControlPlane>>|
     -> Result<Vec<Trial>> {
        let trials = facts.iter().map(|fact| trial(*fact, control_plane));
        Ok(trials.chain(ground.trials()?).collect())
    };
    let trials = all(&parity::Ground::new(versions, None)?, None)?;
    if arguments.list || !trials.iter().any(|trial| !arguments.is_filtered_out(trial)) {
        return Ok(libtest_mimic::run(&arguments, trials).exit_code());
    }

    sweep()?;
    let start = Instant::now();
    let control_plane = Arc::new(ControlPlane::boot(
        &format!("{RUN}{}", std::process::id()),
        versions,
    )?);
    Trainshift::install(&control_plane)?;
    let instances = if is_newest {
        start_trainshift(&control_plane)?
    } else {
        Vec::new()
    };
    writeln!(
        io::stdout(),
        "control plane with Trainer {} up in {:.1} s",
        versions.minor,
        start.elapsed().as_secs_f32()
    )?;
    let ground = parity::Ground::new(versions, Some(&control_plane))?;
    let trials = all(&ground, Some(&control_plane))?;
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(instances);
    // The trials, and with them their shares in it, are gone.
    let mut control_plane = Arc::into_inner(control_plane).context("a test still runs")?;
    let left = control_plane.directory().to_owned();
    for name in control_plane.ended() {
        writeln!(io::stdout(), "{name} has ended while tests ran")?;
    }
    drop(control_plane);
    if conclusion.has_failed() {
        writeln!(io::stdout(), "logs: {}", left.display())?;
    } else {
        ground.finish()?;
        drop(ground);
        fs::remove_dir_all(left)?;
    }
    Ok(conclusion.exit_code())
}

/// One trainshift for each mode, each for the namespaces with the mode's label. A request that one does not answer fails,
/// so that a test notices.
fn start_trainshift(control_plane: &ControlPlane) -> Result<Vec<Trainshift>> {
    ["audit", "warn", "deny"]
        .into_iter()
        .map(|mode| {
            let instance = Trainshift::start(control_plane, mode, mode)?;
            instance.register(control_plane, "fail")?;
            jobs::wait_until_judged(control_plane, &control_plane.namespace(mode)?)?;
            Ok(instance)
        })
        .collect()
}

/// Removes what failed and interrupted runs have left to look at.
fn sweep() -> Result<()> {
    let runs = directory("");
    fs::create_dir_all(&runs)?;
    for run in fs::read_dir(runs)? {
        let run = run?;
        let name = run.file_name().to_string_lossy().into_owned();
        let owner = name
            .strip_prefix(RUN)
            .map(|pid| Path::new("/proc").join(pid));
        if owner.is_some_and(|process| !process.exists()) {
            fs::remove_dir_all(run.path())?;
        }
    }
    Ok(())
}

fn trial((name, check): Fact, control_plane: Option<&Arc<ControlPlane>>) -> Trial {
    let control_plane = control_plane.cloned();
    let name = name.split_once("::").map_or(name, |(_, name)| name);
    Trial::test(name, move || match control_plane {
        Some(control_plane) => check(&control_plane).map_err(|error| format!("{error:#}").into()),
        None => Ok(()),
    })
}
