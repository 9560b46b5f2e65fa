//! What comes in: files, directories and stdin, as PyTorchJobs and other objects.
//!
//! ```text
//! paths -> files (sources, text) -> split (documents) -> parse (values) -> job (PyTorchJob, or where it is wrong)
//! ```
//!
//! Nothing that comes in can stop the rest: what can't be read becomes a [`Problem`] in its place.

pub mod files;
pub mod job;
mod locate;
pub(super) mod near;
pub mod parse;
pub mod path;
pub mod places;
pub mod policies;
pub mod schema;
pub mod split;
pub mod strict;
pub mod time;

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::api::meta::{PYTORCHJOB, V1_API_VERSION};
use crate::api::misfit::found;
use crate::api::pytorchjob::PyTorchJob;

use split::Document;

/// Why something can't be read, and where.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line in the file, from 1.
    pub line: Option<usize>,
    /// Which document of the file, from 1, where there are several.
    pub document: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do, where that can be said.
    pub hint: Option<&'static str>,
}

impl Problem {
    /// A problem of the whole file.
    #[must_use]
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            document: None,
            message: message.into(),
            hint: None,
        }
    }
}

impl fmt::Display for Problem {
    /// `jobs.yaml:12: document 2: spec...replicas: expected an integer, found the string "$N"`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(document) = self.document {
            write!(f, ": document {document}")?;
        }
        write!(f, ": {}", self.message)?;
        match self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// One object of the input.
#[derive(Debug)]
pub enum Object<'a> {
    /// A job, as it is typed, and as it stood there.
    Job(Box<PyTorchJob>, Value),
    /// Anything else, which passes through.
    Other {
        /// `ConfigMap settings`.
        what: String,
        /// As it stood there.
        value: Value,
        /// The text that it stood in, where that is all of it.
        text: Option<&'a str>,
    },
}

/// The objects of one document, in order: the items of a List, one by one, if there is a job among them.
#[must_use]
pub fn objects<'a>(
    file: &str,
    document: &Document<'a>,
    number: Option<usize>,
) -> Vec<Result<Object<'a>, Problem>> {
    let place = |problem: Problem| Problem {
        file: file.to_owned(),
        document: number,
        ..problem
    };
    let values = match parse::values(document) {
        Ok(values) => values,
        Err(problem) => return vec![Err(place(problem))],
    };
    let alone = values.len() == 1;
    let mut objects = Vec::new();
    for value in values {
        let text = alone.then_some(document.text);
        match flatten(value) {
            Flat::One(value) => objects.push(object(value, text, &[], document).map_err(place)),
            Flat::Items(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    let at = ["items".to_owned(), index.to_string()];
                    objects.push(object(item, None, &at, document).map_err(place));
                }
            }
        }
    }
    objects
}

enum Flat {
    One(Value),
    Items(Vec<Value>),
}

/// Takes a List apart that holds jobs. Its items have no kind of their own when the API server made the list.
fn flatten(mut value: Value) -> Flat {
    let kind = value
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let of_jobs = kind == "PyTorchJobList";
    if !of_jobs && kind != "List" {
        return Flat::One(value);
    }
    let Some(Value::Array(items)) = value.get_mut("items") else {
        return Flat::One(value);
    };
    if of_jobs {
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            item.entry("apiVersion").or_insert(V1_API_VERSION.into());
            item.entry("kind").or_insert(PYTORCHJOB.into());
        }
    }
    if items.iter().any(is_job) {
        Flat::Items(std::mem::take(items))
    } else {
        Flat::One(value)
    }
}

fn is_job(value: &Value) -> bool {
    value["kind"] == PYTORCHJOB && value["apiVersion"] == V1_API_VERSION
}

/// One value as an object; `at` leads to it from the document's root.
fn object<'a>(
    value: Value,
    text: Option<&'a str>,
    at: &[String],
    document: &Document<'a>,
) -> Result<Object<'a>, Problem> {
    if is_job(&value) {
        let job = job::read(&value, at, document)?;
        return Ok(Object::Job(Box::new(job), value));
    }
    if !matches!(value, Value::Object(_) | Value::Array(_)) {
        return Err(Problem {
            line: Some(document.line),
            ..Problem::of_file(
                "",
                format!("expected a Kubernetes object, found {}", found(&value)),
            )
        });
    }
    Ok(Object::Other {
        what: describe(&value),
        value,
        text,
    })
}

fn describe(value: &Value) -> String {
    let kind = value.get("kind").and_then(Value::as_str);
    let Some(kind) = kind else {
        return "something that is no Kubernetes object".to_owned();
    };
    let name = &value["metadata"]["name"];
    let kind = if kind == PYTORCHJOB {
        // The same kind in another version, which nobody should mistake for a job that was converted.
        format!(
            "{kind} of {}",
            value["apiVersion"].as_str().unwrap_or("no apiVersion")
        )
    } else {
        kind.to_owned()
    };
    match name.as_str() {
        Some(name) => format!("{kind} {name}"),
        None => kind,
    }
}
