//! What the fuzz targets share: the worlds that an input can be in, mutations of JSON, and what every conversion must hold.
//!
//! ```text
//! fixtures -> seeds (examples of valid inputs) -> libFuzzer -> mutate -> a target -> check
//! ```
//!
//! An input of the targets `convert` and `review` is two bytes that choose a world, then JSON.

pub mod check;
pub mod mutate;
pub mod world;
