//! Who is in which mode, and what follows from it.
//!
//! Pure, and the time is an argument:
//!
//! ```text
//! MigrationPolicy -> Policy (compiled once) -> Policies (ranked) -> Snapshot (with the namespaces' labels)
//! Snapshot -> Reach, and with what else is known: standing::status -> what `kubectl get` shows of a policy
//! request -> Change -> judge(snapshot, namespace, request, now) -> Ruling { rule, exemption, decision }
//! ```
//!
//! What an ordinary user can write on a job (labels, names, owners, annotations, fields) never makes a ruling looser than
//! what the namespace's policies say: it can only make it stricter. What makes one looser is who asks, and the time.

pub mod advice;
pub mod change;
pub mod check;
mod course;
pub mod exemption;
pub mod expression;
pub mod floor;
pub mod judge;
pub mod matching;
pub mod ranked;
pub mod reach;
pub mod rule;
pub mod schedule;
pub mod snapshot;
pub mod standing;

pub use crate::api::policy::Mode;
pub use change::Change;
pub use judge::{Decision, Excuse, Request, Ruling, judge};
pub use ranked::{Policies, Policy, Problem};
pub use rule::Rule;
pub use snapshot::{Namespace, Snapshot};
