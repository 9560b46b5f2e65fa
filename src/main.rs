//! The binary: everything it does is reachable from the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    trainshift::cli::run(std::env::args_os())
}
