//! Ends a control plane whose owner is gone.
//!
//! A test run may be interrupted, killed or abort, and then nothing in it cleans up. So it starts a second copy of its own
//! binary that holds the other end of a pipe: when the owner dies, in whatever way, the pipe closes, and the copy ends
//! the processes on file.

use std::env;
use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::pids::Pids;

const FLAG: &str = "--end-control-plane-when-stdin-closes";

/// The copy that watches.
pub(crate) struct Guardian(Child);

impl Guardian {
    /// Starts watching over the control plane in `directory`.
    pub(crate) fn start(directory: &Path) -> Result<Self> {
        Command::new(env::current_exe()?)
            .arg(FLAG)
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of the terminal's foreground group, or Ctrl-C would end it together with its owner.
            .process_group(0)
            .spawn()
            .map(Self)
            .context("starting the guardian")
    }

    /// Leaves the control plane as it is, and ends.
    pub(crate) fn stand_down(&mut self) -> Result<()> {
        if let Some(mut stdin) = self.0.stdin.take() {
            stdin.write_all(b"leave")?;
        }
        self.0.wait()?;
        Ok(())
    }
}

/// Is this process the copy? Then it does its work here, and its `main` has nothing more to do.
pub(crate) fn guarded() -> Result<bool> {
    let mut arguments = env::args_os().skip(1);
    if arguments.next().as_deref() != Some(OsStr::new(FLAG)) {
        return Ok(false);
    }
    let directory = PathBuf::from(arguments.next().context("the guardian needs a directory")?);
    let mut said = Vec::new();
    io::stdin().read_to_end(&mut said)?;
    if said.is_empty() {
        Pids::of(&directory).end()?;
    }
    Ok(true)
}
