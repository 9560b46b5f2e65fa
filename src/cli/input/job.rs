//! A value to a PyTorchJob, or to an error that names the field, what was expected, and what stands there.

use serde_json::Value;

use crate::api::misfit::Misfit;
use crate::api::pytorchjob::PyTorchJob;

use super::split::Document;
use super::{Problem, locate};

/// Reads a job. `at` leads to it from the document's root.
///
/// # Errors
/// When a field that the converter looks at has the wrong type.
pub fn read(value: &Value, at: &[String], document: &Document<'_>) -> Result<PyTorchJob, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let misfit = Misfit::new(value, &error);
        let path: Vec<_> = at.iter().cloned().chain(misfit.steps).collect();
        Problem {
            line: locate::line(document, &path),
            hint: misfit.hint,
            ..Problem::of_file("", format!("{}: {}", misfit.field, misfit.message))
        }
    })
}
