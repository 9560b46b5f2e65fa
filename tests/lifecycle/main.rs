//! The real binary from its start to its end: what it says, what it answers, and with which code it exits.
//!
//! What takes minutes there (`silence`) is in this process, by a clock that jumps.
//!
//! No cluster and no network but loopback. Nothing waits for a fixed time: each step waits for what it needs, and gives
//! up after a time that is long for any machine.

// clippy.toml allows these in tests, and does not know that the helpers here are part of one.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod client;
mod pairs;
mod served;

mod clients;
mod policies;
mod shutdown;
mod silence;
mod start;
