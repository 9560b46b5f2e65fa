//! The webhook's router, by bytes: what the API server would send, and what it must never see.

mod bad_input;
mod denials;
mod harness;
mod updates;
mod warnings;
