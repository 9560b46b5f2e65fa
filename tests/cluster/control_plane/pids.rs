//! The processes of one control plane on file, so that another process can end exactly those.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// A file with one line for each process that was started.
#[derive(Clone)]
pub(crate) struct Pids(PathBuf);

/// One process: its number may belong to another program by now, its command line tells.
#[derive(Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The component, for messages.
    pub(crate) name: String,
    pub(crate) pid: u32,
    argv: Vec<String>,
}

impl Pids {
    /// The file of the control plane that runs in `directory`.
    pub(crate) fn of(directory: &Path) -> Self {
        Self(directory.join("pids"))
    }

    /// Adds a process.
    pub(crate) fn add(&self, name: &str, pid: u32, command: &Command) -> Result<()> {
        let argv = [command.get_program()]
            .into_iter()
            .chain(command.get_args());
        let argv = argv
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        let line = serde_json::to_string(&Entry {
            name: name.to_owned(),
            pid,
            argv,
        })? + "\n";
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0)?;
        file.write_all(line.as_bytes())
            .with_context(|| format!("writing {}", self.0.display()))
    }

    /// Those that still run.
    pub(crate) fn running(&self) -> Result<Vec<Entry>> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(error).with_context(|| format!("reading {}", self.0.display()));
            }
        };
        let entries: Vec<Entry> = text
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        Ok(entries.into_iter().filter(Entry::runs).collect())
    }

    /// Ends those that still run, last started first, and says which those were.
    pub(crate) fn end(&self) -> Result<Vec<Entry>> {
        let running = self.running()?;
        for entry in running.iter().rev() {
            signal("KILL", entry.pid)?;
        }
        Ok(running)
    }
}

impl Entry {
    fn runs(&self) -> bool {
        let argv: String = self
            .argv
            .iter()
            .flat_map(|argument| [argument, "\0"])
            .collect();
        fs::read(format!("/proc/{}/cmdline", self.pid))
            .is_ok_and(|running| running == argv.as_bytes())
    }
}

/// Sends a signal to one process. By way of the shell, whose `kill` is always there: the system call would be unsafe code.
pub(crate) fn signal(signal: &str, pid: u32) -> Result<()> {
    Command::new("sh")
        .args([
            "-c",
            "kill -s \"$0\" \"$1\" 2>/dev/null",
            signal,
            &pid.to_string(),
        ])
        .status()
        .context("running sh")?;
    Ok(())
}
