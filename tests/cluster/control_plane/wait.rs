//! Waiting for a condition, and saying what was seen when it does not come.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const INTERVAL: Duration = Duration::from_millis(50);

/// What one look at the awaited thing gave.
pub(crate) enum Progress<T> {
    /// It has come; the wait ends with this.
    Done(T),
    /// Not yet; this is what there is instead, for the message if it never comes.
    Waiting(String),
}

/// Looks again and again until `poll` is done, at most for `timeout`.
///
/// An error of `poll` ends the wait at once: what may be missing for a while is `Progress::Waiting`.
pub(crate) fn wait_until<T>(
    what: &str,
    timeout: Duration,
    mut poll: impl FnMut() -> Result<Progress<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        match poll()? {
            Progress::Done(value) => return Ok(value),
            Progress::Waiting(seen) if start.elapsed() >= timeout => {
                bail!(
                    "{what}: not within {} s; last seen: {seen}",
                    timeout.as_secs()
                )
            }
            Progress::Waiting(_) => thread::sleep(INTERVAL),
        }
    }
}
