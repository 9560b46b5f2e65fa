//! The work on one source, which shares nothing with that on any other: text in, written objects and reports out.

use rayon::prelude::*;
use serde_json::Value;

use super::settings::Settings;
use crate::api::meta::SHIPPED_RUNTIME;
use crate::api::pytorchjob::PyTorchJob;
use crate::cli::input::files::Source;
use crate::cli::input::split::{self, Document};
use crate::cli::input::{self, Object, Problem};
use crate::cli::output::Format;
use crate::cli::report::{Job, Report};
use crate::convert::{Conversion, Verdict, comments, convert};

/// What became of one object of the input.
#[derive(Debug)]
pub(super) enum Piece {
    /// A job.
    Job(Box<Done>),
    /// Another object, written.
    Other {
        /// What it is.
        what: String,
        /// The object in the output's format.
        object: String,
    },
    /// Something that can't be read.
    Problem(Problem),
}

/// A job that was converted, or refused.
#[derive(Debug)]
pub(super) struct Done {
    /// `namespace/name`.
    pub(super) name: String,
    /// The runtime, if there is one, and the TrainJob, written.
    pub(super) objects: Vec<String>,
    pub(super) verdict: Verdict,
    /// Why there is no TrainJob.
    pub(super) refusals: Vec<String>,
    pub(super) report: Option<Report>,
    /// Whether the TrainJob refers to the runtime that trainshift ships.
    pub(super) shipped_runtime: bool,
}

/// Reads and converts one source.
pub(super) fn source(source: &Source, settings: &Settings) -> Vec<Piece> {
    let text = match source.read() {
        Ok(text) => text,
        Err(problem) => return vec![Piece::Problem(problem)],
    };
    let documents = split::documents(&text);
    if documents.is_empty() && source.path.is_none() {
        let problem = Problem::of_file(&source.label, "nothing came in on stdin");
        return vec![Piece::Problem(problem)];
    }
    let several = documents.len() > 1;
    documents
        .par_iter()
        .enumerate()
        .flat_map_iter(|(index, document)| {
            let number = several.then_some(index + 1);
            of_document(&source.label, document, number, settings)
        })
        .collect()
}

fn of_document(
    file: &str,
    document: &Document<'_>,
    number: Option<usize>,
    settings: &Settings,
) -> Vec<Piece> {
    input::objects(file, document, number)
        .into_par_iter()
        .map(|object| match object {
            Ok(Object::Job(job, value)) => {
                let conversion = convert(&job, &settings.target);
                done(file, number, &job, &value, &conversion, settings)
                    .map(|done| Piece::Job(Box::new(done)))
            }
            Ok(Object::Other { what, value, text }) => match (settings.format, text) {
                (Format::Yaml, Some(text)) => Ok(text.to_owned()),
                (format, _) => format.write(&value),
            }
            .map(|object| Piece::Other { what, object }),
            Err(problem) => Ok(Piece::Problem(problem)),
        })
        .map(|piece| {
            piece.unwrap_or_else(|error| {
                Piece::Problem(Problem {
                    document: number,
                    ..Problem::of_file(file, format!("can't be written: {error:#}"))
                })
            })
        })
        .collect()
}

fn done(
    file: &str,
    document: Option<usize>,
    job: &PyTorchJob,
    value: &Value,
    conversion: &Conversion,
    settings: &Settings,
) -> anyhow::Result<Done> {
    let lines = if settings.wants_account() {
        conversion.ledger.account(value)
    } else {
        Vec::new()
    };
    let about = Job {
        file,
        document,
        name: name(job),
        conversion,
        lines,
    };
    let mut objects = Vec::new();
    let mut shipped_runtime = false;
    if let Some(output) = &conversion.output {
        let comments = comments::of(conversion);
        if let Some(runtime) = &output.runtime {
            objects.push(settings.format.write_with(runtime, &comments.runtime)?);
        }
        let trainjob = &output.trainjob;
        objects.push(settings.format.write_with(trainjob, &comments.trainjob)?);
        shipped_runtime = output.trainjob.spec.runtime_ref.name == SHIPPED_RUNTIME;
    }
    let verdict = about.verdict();
    let refusals = conversion.notable().map(ToString::to_string);
    Ok(Done {
        objects,
        verdict,
        refusals: refusals.filter(|_| verdict == Verdict::Refused).collect(),
        report: about.report(settings.report)?,
        shipped_runtime,
        name: about.name,
    })
}

/// `namespace/name`; a job whose name the API server has yet to make up is called by its prefix.
fn name(job: &PyTorchJob) -> String {
    let meta = &job.metadata;
    let name = match (&meta.name, &meta.generate_name) {
        (Some(name), _) => name.clone(),
        (None, Some(prefix)) => format!("{prefix}*"),
        (None, None) => "(no name)".to_owned(),
    };
    match &meta.namespace {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name,
    }
}
