//! Paths to what is in them.

use std::path::PathBuf;

use crate::cli::input::files::sources;
use crate::cli::input::policies::Contents;
use crate::cli::input::strict::Fault;

/// Everything in files and directories; `-` is stdin.
pub(in crate::cli) fn contents(paths: &[PathBuf]) -> Contents {
    let mut contents = Contents::default();
    let (sources, problems) = sources(paths, None);
    contents
        .faults
        .extend(problems.into_iter().map(Fault::from));
    for source in sources {
        match source.read() {
            Ok(text) => contents.add(&source.label, &text),
            Err(problem) => contents.faults.push(problem.into()),
        }
    }
    contents.complete()
}
