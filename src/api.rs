//! Shapes only: the objects that trainshift reads and writes, and every magic string once.
//!
//! Objects of v1 are typed where the converter's rules look at them; every other field is kept in `rest`, so that
//! what trainshift doesn't understand is carried and reported, never dropped. Nothing here decides anything.

pub mod audit;
pub mod meta;
pub mod misfit;
pub mod pod;
pub mod policy;
pub mod pytorchjob;
pub mod review;
pub mod runtime;
pub mod trainjob;
pub mod yaml;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Fields of an object that have no type of their own here.
pub type Rest = Map<String, Value>;

/// Reads `null` as the type's default, as Kubernetes does for lists and maps (Go decodes `null` into an empty value).
///
/// # Errors
/// When the value is neither `null` nor a `T`.
pub fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}
