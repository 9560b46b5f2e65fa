//! The binary: everything it does is reachable from the library.

use std::process::ExitCode;

/// Reading YAML allocates much: with this allocator `convert` takes a quarter less time than with glibc's
/// (`cargo bench --bench jobs`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    trainshift::cli::run(std::env::args_os())
}
