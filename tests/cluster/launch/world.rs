//! Processes that run the pods' commands, and the worlds that they form.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::pod::{self, Process};
use crate::control_plane::kubectl::output;
use crate::control_plane::programs::root;
use crate::control_plane::wait::{Progress, wait_until};

/// What the image would bring along.
const PATH: &str = "/usr/bin:/bin";
/// Debian's torchrun 1.13 can't read its own defaults under Python 3.11; these say the same (nothing of any process is
/// written to files) in a way that it can read.
const MEND_TORCHRUN: [(&str, &str); 2] = [("PET_REDIRECTS", "1:1"), ("PET_TEE", "1:1")];
const PYTHON: &str = "/usr/bin/python3";
/// PyTorch itself takes seconds to be read, in each process.
const TIMEOUT: Duration = Duration::from_mins(5);

/// The version of PyTorch.
pub(crate) fn torch_version() -> Result<String> {
    let mut command = Command::new(PYTHON);
    command.args(["-c", "import torch; print(torch.__version__)"]);
    let answer = output(command, None)?;
    ensure!(
        answer.status == 0,
        "{PYTHON} has no PyTorch; on Debian: apt-get install --no-install-recommends python3-torch (650 MB)"
    );
    Ok(answer.stdout.trim().to_owned())
}

/// `1 world of 4`
pub(crate) fn in_words(sizes: &[usize]) -> String {
    match sizes {
        [one] => format!("1 world of {one}"),
        [first, rest @ ..] if rest.iter().all(|size| size == first) => {
            format!("{} worlds of {first}", sizes.len())
        }
        _ => format!("worlds of {sizes:?}"),
    }
}

/// Runs the training container of each pod as a process, all at the same time, and tells the sizes of the worlds that they
/// form.
pub(crate) fn of(pods: &[Value]) -> Result<Vec<usize>> {
    let hosts = pods.iter().map(pod::host).collect::<Result<Vec<_>>>()?;
    let mut running = Vec::new();
    for pod in pods {
        running.push(Running::start(&pod::process(pod, &hosts)?)?);
    }
    let mut lines = Vec::new();
    for process in &mut running {
        lines.extend(process.lines()?);
    }
    worlds(&lines)
}

/// A process that ends with the value.
struct Running(Child);

impl Running {
    fn start(process: &Process) -> Result<Self> {
        let [program, arguments @ ..] = process.command.as_slice() else {
            bail!("the pod has no command");
        };
        let child = Command::new(format!("/usr/bin/{program}"))
            .args(arguments)
            .current_dir(root().join("tests/cluster/launch"))
            .env_clear()
            .env("PATH", PATH)
            .envs(MEND_TORCHRUN)
            .envs(&process.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {program}"))?;
        Ok(Self(child))
    }

    /// What the process said about its world, or all its children did, when it has ended.
    fn lines(&mut self) -> Result<Vec<Line>> {
        let mut errors = self.0.stderr.take().context("stderr is a pipe")?;
        // Read while it runs, or a process that says much would wait for ever.
        let errors = thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).map(|_| text)
        });
        let status = wait_until("a process ends", TIMEOUT, || {
            Ok(match self.0.try_wait()? {
                Some(status) => Progress::Done(status),
                None => Progress::Waiting("it runs".to_owned()),
            })
        })?;
        let mut text = String::new();
        let stdout = self.0.stdout.as_mut().context("stdout is a pipe")?;
        stdout.read_to_string(&mut text)?;
        let errors = errors.join().unwrap_or_else(|_| Ok(String::new()))?;
        ensure!(status.success(), "{status}\n{text}{errors}");
        text.lines()
            .filter(|line| line.starts_with("rank="))
            .map(Line::read)
            .collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What `train.py` prints.
struct Line {
    rank: usize,
    world: usize,
    sum: usize,
}

impl Line {
    fn read(line: &str) -> Result<Self> {
        let number = |name: &str| {
            let mut parts = line.split(' ').filter_map(|part| part.split_once('='));
            let (_, number) = parts
                .find(|(key, _)| *key == name)
                .context("it is missing")?;
            anyhow::Ok(number.parse()?)
        };
        let number = |name| number(name).with_context(|| format!("{name} of {line:?}"));
        Ok(Self {
            rank: number("rank")?,
            world: number("world")?,
            sum: number("sum")?,
        })
    }
}

/// The size of each world: it has one process of each rank, and the sum over it is that of all its ranks.
fn worlds(lines: &[Line]) -> Result<Vec<usize>> {
    let count = |rank, world| {
        let alike = |line: &&Line| (line.rank, line.world) == (rank, world);
        lines.iter().filter(alike).count()
    };
    for Line { rank, world, sum } in lines {
        ensure!(
            *sum == world * (world + 1) / 2,
            "rank {rank} of {world}: the sum is {sum}"
        );
        ensure!(
            (0..*world).all(|other| count(other, *world) == count(*rank, *world)),
            "not all ranks of {world} are there as often as rank {rank}"
        );
    }
    let first = lines.iter().filter(|line| line.rank == 0);
    Ok(first.map(|line| line.world).collect())
}
