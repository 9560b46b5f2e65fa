//! `PyTorchJob` in, `TrainJob` out, with an account of every field.
//!
//! ```text
//! validate -> plan (topology, names, gang, launch, pod, lifecycle) -> short form, or runtime -> ledger
//! ```
//!
//! Pure: the same job and the same [`Target`] give the same [`Conversion`], anywhere and at any time.

pub mod dialect;
pub mod finding;
pub mod gang;
pub mod launch;
pub mod ledger;
pub mod lifecycle;
pub mod names;
pub mod plan;
pub mod pod;
pub mod runtime;
pub mod sdk;
pub mod short;
pub mod target;
pub mod topology;
pub mod trainjob;
pub mod validate;

use serde::Serialize;

use crate::api::meta::{SHIPPED_RUNTIME, TORCH_DISTRIBUTED};
use crate::api::pytorchjob::PyTorchJob;
use crate::api::runtime::TrainingRuntime;
use crate::api::trainjob::TrainJob;

use finding::{Code, Finding, Outcome};
use ledger::Ledger;
use plan::Plan;
use short::Base;
use target::{Style, Target};

/// Most bytes of a generated runtime, as JSON: a ConfigMap holds 1 MiB, and YAML is somewhat longer.
const MAX_RUNTIME: usize = 900_000;

/// What a conversion comes to, from best to worst.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every field is kept, or follows by routine.
    Exact,
    /// Nothing is lost; some things are said in another way.
    Adapted,
    /// Something can't be said.
    Lossy,
    /// There is no `TrainJob`.
    Refused,
}

impl Verdict {
    /// The word that reports, annotations and metrics use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Adapted => "adapted",
            Self::Lossy => "lossy",
            Self::Refused => "refused",
        }
    }
}

/// The v2 objects of one job.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The job.
    pub trainjob: TrainJob,
    /// A runtime of its own, which must exist before the job does.
    pub runtime: Option<TrainingRuntime>,
}

/// What became of one `PyTorchJob`.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversion {
    /// The v2 objects; none when the job is refused.
    pub output: Option<Output>,
    /// Findings and moves, which together account for every field.
    pub ledger: Ledger,
    /// What it comes to.
    pub verdict: Verdict,
}

impl Conversion {
    /// Findings that a person should read: worst first.
    pub fn notable(&self) -> impl Iterator<Item = &Finding> {
        self.ledger
            .findings
            .iter()
            .filter(|finding| !finding.is_routine())
    }
}

/// Converts `job` for `target`.
#[must_use]
pub fn convert(job: &PyTorchJob, target: &Target) -> Conversion {
    let mut ledger = Ledger::default();
    let output = write(job, target, &mut ledger)
        .and_then(refuse_unreadable)
        .map_err(|refusal| {
            ledger.moves.clear();
            ledger
                .findings
                .retain(|finding| finding.outcome == Outcome::Refused);
            ledger.findings.extend(refusal);
            // Nothing is put out, so every field is refused with the one that is to blame.
            if let Some(first) = ledger.findings.first_mut() {
                first.covers.push(String::new());
            }
        })
        .ok();
    ledger.sort();
    let notable = ledger
        .findings
        .iter()
        .filter(|finding| !finding.is_routine());
    let verdict = match notable.map(|finding| finding.outcome).max() {
        None | Some(Outcome::Kept) => Verdict::Exact,
        Some(Outcome::Adapted) => Verdict::Adapted,
        Some(Outcome::Lost) => Verdict::Lossy,
        Some(Outcome::Refused) => Verdict::Refused,
    };
    Conversion {
        output,
        ledger,
        verdict,
    }
}

/// Refuses what Trainer would admit and then fail on. It sends the JobSet, and keeps a copy of the runtime in a ConfigMap,
/// in a form that go-yaml reads back (trainer v2.3.0 `pkg/runtime/core/snapshot.go`). go-yaml takes no control characters,
/// and NEL for a line break; Go's JSON escapes only those below U+0020.
fn refuse_unreadable(output: Output) -> Result<Output, Option<Finding>> {
    let is_unreadable = |character: char| {
        matches!(
            character,
            '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
    };
    let at = "spec.pytorchReplicaSpecs";
    let job = serde_json::to_string(&output.trainjob.spec).unwrap_or_default();
    let runtime = serde_json::to_string(&output.runtime).unwrap_or_default();
    if runtime.len() > MAX_RUNTIME {
        let refused = Finding::about(Code::RuntimeTooLarge, Outcome::Refused, at);
        return Err(Some(refused.had(format!("{} bytes", runtime.len()))));
    }
    match job
        .chars()
        .chain(runtime.chars())
        .find(|c| is_unreadable(*c))
    {
        None => Ok(output),
        Some(character) => {
            let refused = Finding::about(Code::ControlCharacter, Outcome::Refused, at);
            Err(Some(refused.had(format!("U+{:04X}", u32::from(character)))))
        }
    }
}

/// Chooses the form and writes it. The error holds a refusal that isn't in the ledger yet.
fn write(
    job: &PyTorchJob,
    target: &Target,
    ledger: &mut Ledger,
) -> Result<Output, Option<Finding>> {
    validate::check(job, ledger);
    if !ledger.findings.is_empty() {
        return Err(None);
    }
    let plan = Plan::new(job, target, ledger)?;
    let base = match (target.style, target.runtime.as_deref()) {
        (_, Some(named)) => Some(named),
        (Style::Idiomatic, None) => Some(TORCH_DISTRIBUTED),
        (Style::Exact, None) => target.has_shipped_runtime().then_some(SHIPPED_RUNTIME),
    };
    let fits = plan.worker.is_none() && !plan.names.is_short();
    let may_generate = target.style == Style::Exact && target.generate;
    if let Some(base) = base.filter(|_| fits) {
        let mut attempt = ledger.clone();
        let (trainjob, unsaid) = short::write(&plan, Base { name: base }, &mut attempt);
        if unsaid.is_empty() || !may_generate {
            let refusal = |finding: &&Finding| finding.outcome == Outcome::Refused;
            if let Some(refused) = unsaid.iter().find(refusal) {
                return Err(Some(refused.clone()));
            }
            attempt.findings.extend(unsaid);
            *ledger = attempt;
            return Ok(Output {
                trainjob,
                runtime: None,
            });
        }
    }
    if may_generate {
        let (trainjob, runtime) = runtime::generate(&plan, ledger);
        if let Some(named) = &target.runtime {
            let about = Finding::about(Code::RuntimeCannot, Outcome::Adapted, "--runtime");
            ledger.find(about.change(named, "a runtime of its own").note(format!(
                "{named} can't carry everything; --style idiomatic says what would be lost"
            )));
        }
        return Ok(Output {
            trainjob,
            runtime: Some(runtime),
        });
    }
    let why = if fits {
        "no runtime to start from is known"
    } else {
        "Master and Worker in pods of their own take a generated runtime"
    };
    let refused = Finding::about(
        Code::LayoutImpossible,
        Outcome::Refused,
        "spec.pytorchReplicaSpecs",
    );
    Err(Some(refused.note(why)))
}
