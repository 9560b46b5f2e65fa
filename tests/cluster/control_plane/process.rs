//! One component as a child process: its log, whether it is ready, its end.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use super::pids::{self, Pids};
use super::wait::{Progress, wait_until};

const LOG_LINES: usize = 30;

/// A running component.
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    /// A detached process outlives the value.
    detached: bool,
}

impl Process {
    /// Starts `command`, its output going to `<name>.log` in `directory`, its pid into the file there.
    pub(crate) fn start(name: &str, mut command: Command, directory: &Path) -> Result<Self> {
        let log = directory.join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // A group of its own: Ctrl-C is for the owner, who ends everything in order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {name} ({})", command.get_program().display()))?;
        let process = Self {
            name: name.to_owned(),
            child,
            log,
            detached: false,
        };
        Pids::of(directory).add(name, process.child.id(), &command)?;
        Ok(process)
    }

    /// Waits until `probe` says yes; an exit before that, or silence until `timeout`, is an error with the end of the log.
    pub(crate) fn ready(
        &mut self,
        timeout: Duration,
        mut probe: impl FnMut() -> Result<Progress<()>>,
    ) -> Result<()> {
        let name = self.name.clone();
        let child = &mut self.child;
        wait_until(&format!("{name} is ready"), timeout, || {
            match child.try_wait()? {
                Some(status) => bail!("{name} ended before it was ready ({status})"),
                None => probe(),
            }
        })
        .map_err(|error| anyhow!("{error:#}\n{}", self.end_of_log()))
    }

    /// Its name, when it runs no more.
    pub(crate) fn ended(&mut self) -> Option<&str> {
        matches!(self.child.try_wait(), Ok(Some(_))).then_some(self.name.as_str())
    }

    /// Asks it to end, and waits until it has; gives its exit code.
    pub(crate) fn terminate(&mut self, timeout: Duration) -> Result<Option<i32>> {
        pids::signal("TERM", self.child.id())?;
        let name = self.name.clone();
        wait_until(&format!("{name} ends after SIGTERM"), timeout, || {
            Ok(match self.child.try_wait()? {
                Some(status) => Progress::Done(status.code()),
                None => Progress::Waiting("it runs".to_owned()),
            })
        })
    }

    /// Lets it run on when this value is gone.
    pub(crate) fn detach(&mut self) {
        self.detached = true;
    }

    fn end_of_log(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        // The probes of `ready` leave lines too, and would be all that is left to see.
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.contains("healthz check failed"))
            .collect();
        let end = lines.len().saturating_sub(LOG_LINES);
        format!(
            "the end of {}:\n  {}",
            self.log.display(),
            lines[end..].join("\n  ")
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.detached {
            // All it holds is thrown away with it, so there is nothing to be gentle about.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A probe for `Process::ready`: 200 for a plain HTTP `GET` on loopback.
pub(crate) fn answers(port: u16, path: &str) -> impl FnMut() -> Result<Progress<()>> {
    let path = path.to_owned();
    move || {
        Ok(match get(port, &path) {
            Ok(answer) if answer.split(' ').nth(1) == Some("200") => Progress::Done(()),
            Ok(answer) => Progress::Waiting(answer),
            Err(error) => Progress::Waiting(error.to_string()),
        })
    }
}

/// The answer to a plain HTTP `GET` on loopback, with its head.
pub(crate) fn get(port: u16, path: &str) -> io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
