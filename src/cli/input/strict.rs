//! Files that people write for trainshift itself: every mistake is an error with line, column and field.
//!
//! ```text
//! text -> documents -> values (a key that stands twice is an error) -> items of Lists, one by one -> Written
//! Written + schema -> typed value, or every fault in it
//! ```

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::places::{Place, Places};
use super::{parse, path, schema, split};
use crate::api::meta::OWN_GROUP;
use crate::api::misfit::{Misfit, found};

/// A mistake in a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fault {
    /// The file.
    pub file: String,
    /// Where in it.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// Path of the field; empty for the object or the file as a whole.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead, where that can be told.
    pub hint: Option<String>,
}

impl Fault {
    /// One of the whole file.
    #[must_use]
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            place: None,
            field: String::new(),
            message: message.into(),
            hint: None,
        }
    }
}

impl From<super::Problem> for Fault {
    fn from(problem: super::Problem) -> Self {
        let place = problem.line.map(|line| Place { line, column: 1 });
        Self {
            place,
            hint: problem.hint.map(str::to_owned),
            ..Self::of_file(&problem.file, problem.message)
        }
    }
}

impl fmt::Display for Fault {
    /// `policies.yaml:12:9: spec.schedule[1].mode: "deny" is none of Audit, Warn, Deny; did you mean Deny?`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// An object and where it was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The object.
    pub value: Value,
    /// The file.
    pub file: Arc<str>,
    /// Steps from the document's root, as for an item of a List.
    at: Vec<String>,
    places: Arc<Places>,
}

impl Written {
    /// Its kind; empty if it has none.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.value["kind"].as_str().unwrap_or_default()
    }

    /// Its API version; empty if it has none.
    #[must_use]
    pub fn api_version(&self) -> &str {
        self.value["apiVersion"].as_str().unwrap_or_default()
    }

    /// Its name; empty if it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.value["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// Whether it is one of trainshift's own objects, or meant to be.
    #[must_use]
    pub fn is_own(&self) -> bool {
        let group = self.api_version().split('/').next();
        group == Some(OWN_GROUP)
    }

    /// Where a field such as `spec.schedule[0].mode` stands, or what is left of the way to it.
    #[must_use]
    pub fn place(&self, field: &str) -> Option<Place> {
        self.places.field(&self.whole(&path::steps(field)))
    }

    /// A mistake in the field of that path.
    #[must_use]
    pub fn fault(&self, field: &str, message: impl Into<String>) -> Fault {
        Fault {
            place: self.place(field),
            field: field.to_owned(),
            ..Fault::of_file(&self.file, message)
        }
    }

    /// Reads it by `schema`, whose root is the object.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read<T: DeserializeOwned>(&self, schema: &Value) -> Result<T, Vec<Fault>> {
        let flaws = schema::flaws(&self.value, schema);
        if !flaws.is_empty() {
            return Err(flaws.iter().map(|flaw| self.of_flaw(flaw)).collect());
        }
        serde_path_to_error::deserialize(&self.value).map_err(|error| {
            let misfit = Misfit::new(&self.value, &error);
            vec![self.fault(&path::path(&misfit.steps), misfit.message)]
        })
    }

    fn of_flaw(&self, flaw: &schema::Flaw) -> Fault {
        let path = self.whole(&flaw.path);
        let place = if flaw.of_key {
            self.places.key(&path)
        } else {
            self.places.field(&path)
        };
        Fault {
            place,
            field: path::path(&flaw.path),
            hint: flaw.hint.clone(),
            ..Fault::of_file(&self.file, flaw.message.clone())
        }
    }

    fn whole(&self, path: &[String]) -> Vec<String> {
        self.at.iter().chain(path).cloned().collect()
    }
}

/// Every object of a text, and what can't be read of it.
#[must_use]
pub fn objects(file: &str, text: &str) -> (Vec<Written>, Vec<Fault>) {
    let mut objects = Vec::new();
    let mut faults = Vec::new();
    for document in split::documents(text) {
        let value = match parse::strict(&document) {
            Ok(value) => value,
            Err((place, message)) => {
                faults.push(Fault {
                    place,
                    ..Fault::of_file(file, message)
                });
                continue;
            }
        };
        let written = Written {
            value,
            file: file.into(),
            at: Vec::new(),
            places: Arc::new(Places::of(&document)),
        };
        for object in items(written) {
            if object.value.is_object() {
                objects.push(object);
            } else {
                let found = found(&object.value);
                faults.push(object.fault("", format!("expected an object, found {found}")));
            }
        }
    }
    (objects, faults)
}

/// The items of a List, or the object itself.
fn items(mut list: Written) -> Vec<Written> {
    let is_list = list.kind().ends_with("List");
    match list.value.get_mut("items").filter(|_| is_list) {
        Some(Value::Array(items)) => std::mem::take(items)
            .into_iter()
            .enumerate()
            .map(|(index, value)| Written {
                value,
                at: vec!["items".to_owned(), index.to_string()],
                ..list.clone()
            })
            .collect(),
        _ => vec![list],
    }
}
