//! The binary: everything it does is reachable from the library.

use std::process::ExitCode;

/// Reading YAML allocates much: with this allocator `convert` takes a quarter less time than with glibc's
/// (`cargo bench --bench jobs`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Where a library finds no provider of its own it asks for the process's, and ours is ring.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return trainshift::cli::Exit::Failed.into();
    }
    trainshift::cli::run(std::env::args_os())
}
