//! `make cluster` and `make cluster-down`: a control plane to try things on, that stays when this ends; and `make launch`.

#[allow(dead_code, reason = "the tests use the rest of it")]
mod control_plane;
mod launch;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use control_plane::programs::Versions;
use control_plane::trainshift::Trainshift;
use control_plane::wait::{Progress, wait_until};
use control_plane::{ControlPlane, directory, guardian, pids::Pids};

const NAME: &str = "cluster";
/// One trainshift for each, and one namespace that it judges.
const MODES: [&str; 3] = ["audit", "warn", "deny"];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    if guardian::guarded()? {
        return Ok(());
    }
    match env::args().nth(1).as_deref() {
        Some("up") => up(),
        Some("down") => down(),
        Some("launch") => launch::run(),
        _ => bail!("usage: cluster up|down|launch"),
    }
}

fn up() -> Result<()> {
    let directory = directory(NAME);
    let running = Pids::of(&directory).running()?.len();
    let mut out = io::stdout();
    if running == 0 {
        let start = Instant::now();
        let control_plane = ControlPlane::boot(NAME, Versions::asked_for()?)?;
        Trainshift::install(&control_plane)?;
        for mode in MODES {
            let instance = Trainshift::start(&control_plane, mode, mode)?;
            instance.register(&control_plane, "ignore")?;
            control_plane.namespace_in(&format!("{mode}-mode"), mode)?;
            instance.leave_running();
        }
        control_plane.leave_running()?;
        writeln!(
            out,
            "# up in {:.1} s; logs: {}",
            start.elapsed().as_secs_f32(),
            directory.display()
        )?;
    } else {
        writeln!(
            out,
            "# runs already ({running} processes); end it: make cluster-down"
        )?;
    }
    let examples = control_plane::programs::sources(
        control_plane::programs::TRAINING_OPERATOR,
        "github.com/kubeflow/training-operator",
    )?;
    let kubectl = control_plane::programs::find(control_plane::programs::KUBERNETES, "kubectl")?;
    write!(
        out,
        "export KUBECONFIG={kubeconfig}
export PATH={path}:$PATH

# Namespaces audit-mode, warn-mode and deny-mode are judged in these modes. For example:
sed '/namespace:/d' {examples}/examples/pytorch/simple.yaml > job.yaml
kubectl apply -n warn-mode -f job.yaml
kubectl apply -n deny-mode -f job.yaml
kubectl apply -n deny-mode -f job.yaml 2>&1 | sed 1d | kubectl apply -f -
kubectl get pytorchjobs,trainjobs,pods --all-namespaces   # there are no nodes: pods stay Pending
",
        kubeconfig = directory.join("kubeconfig").display(),
        path = kubectl
            .parent()
            .context("kubectl is in a directory")?
            .display(),
        examples = examples.display(),
    )?;
    Ok(())
}

fn down() -> Result<()> {
    let pids = Pids::of(&directory(NAME));
    let ended = pids.end()?;
    wait_until("all processes have ended", Duration::from_secs(10), || {
        Ok(match pids.running()?.len() {
            0 => Progress::Done(()),
            left => Progress::Waiting(format!("{left} run")),
        })
    })?;
    let names: Vec<&str> = ended.iter().map(|entry| entry.name.as_str()).collect();
    let what = if names.is_empty() {
        "nothing runs".to_owned()
    } else {
        format!("ended {}", names.join(", "))
    };
    writeln!(io::stdout(), "{what}")?;
    Ok(())
}
