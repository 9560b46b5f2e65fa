//! What an operator sees from outside: log lines on stderr and metrics for Prometheus.
//!
//! Imports nothing else of this crate, so that every layer may count and log.

pub mod labels;
pub mod logs;
pub mod metrics;
pub mod policies;

pub use labels::{
    Decision, Endpoint, EventFate, Excuse, HandshakeFailure, Mode, Operation, StatusFate, Unjudged,
    Verdict,
};
pub use metrics::{Judgement, Metrics};
