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
//! Imports point one way: `api <- convert <- policy <- admission <- server <- cli`, and `api <- discovery <- server`.
//! `api`, `convert` and `policy` are pure: no I/O, no clock, no environment, nothing asynchronous. What they need to
//! know of the cluster or the time is an argument. `tests/layers.rs` holds this picture against the code.

pub mod admission;
pub mod api;
pub mod cli;
pub mod convert;
pub mod discovery;
pub mod policy;
pub mod server;
pub mod telemetry;
