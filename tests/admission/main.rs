//! The webhook's router, by bytes: what the API server would send, and what it must never see.

#![allow(
    clippy::expect_used,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test, and tables are as long as what they list"
)]

mod bad_input;
mod bypass;
mod denials;
mod harness;
mod policies;
mod updates;
mod warnings;
