//! How far a long run is, on a terminal.

use std::io::{IsTerminal as _, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How long a run may take before it shows how far it is.
const PATIENCE: Duration = Duration::from_secs(1);
/// Looking at the clock for each line would cost more than reading it.
const STEP: u64 = 4 << 20;

/// Shows how far it is.
pub(super) struct Progress {
    begun: Instant,
    bar: Option<ProgressBar>,
    total: Option<u64>,
    done: u64,
    shown: u64,
}

impl Progress {
    /// For so many bytes, if that is known.
    pub(super) fn new(total: Option<u64>) -> Self {
        Self {
            begun: Instant::now(),
            bar: None,
            total,
            done: 0,
            shown: 0,
        }
    }

    /// So many bytes are done.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.done += bytes as u64;
        if self.done - self.shown < STEP {
            return;
        }
        self.shown = self.done;
        if self.begun.elapsed() > PATIENCE && stderr().is_terminal() {
            let total = self.total;
            let bar = self.bar.get_or_insert_with(|| bar(total));
            bar.set_position(self.done);
        }
    }

    /// Leaves nothing on the terminal.
    pub(super) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {bytes} {bytes_per_sec}",
        ),
    };
    // A template that is wrong leaves the bar as it is.
    let style = ProgressStyle::with_template(template);
    style.map_or(bar.clone(), |style| bar.with_style(style))
}
