//! Who is in which mode, and what follows from it.
//!
//! Pure: what a request is ([`change`]), which rule holds for it ([`scope`]) and what comes of the two and of what the
//! converter found ([`decide`]) are three functions of plain data. The time is an argument where it counts. Conditions that a
//! platform team writes are [`expression`]s.

pub mod change;
pub mod decide;
pub mod expression;
pub mod mode;
pub mod scope;

pub use change::Change;
pub use decide::{Decision, decide};
pub use mode::Mode;
pub use scope::Rule;
