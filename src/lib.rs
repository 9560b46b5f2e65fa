//! trainshift moves a cluster from Kubeflow Training Operator v1 (`PyTorchJob`) to Kubeflow Trainer v2 (`TrainJob`).
//!
//! The way of a request:
//!
//! ```text
//! HTTP bytes -> admission::decode -> policy::scope -> convert -> policy::decide -> admission::respond -> HTTP bytes
//! ```
//!
//! The same converter works on files: `cli::input -> convert -> cli::output`.
//!
//! What the result is worth is said by `parity`, which compares the pods of v1 and v2.
//!
//! Imports point one way: `api <- convert <- policy <- admission <- server <- cli`, `api <- discovery <- server`, and
//! `convert <- parity <- cli`.
//! `api`, `convert`, `parity` and `policy` are pure: no I/O, no clock, no environment, nothing asynchronous. What they need to
//! know of the cluster or the time is an argument. `tests/layers.rs` holds this picture against the code.

pub mod admission;
pub mod api;
pub mod cli;
pub mod convert;
pub mod discovery;
pub mod parity;
pub mod policy;
pub mod server;
pub mod telemetry;
