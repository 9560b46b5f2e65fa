//! Whatever job comes in, every one of its fields is accounted for, and what is said to be kept really stands there.
//!
//! Jobs are made up at random, well-formed for v1 but otherwise as odd as the API admits: unknown fields at every level,
//! strange strings, keys with dots and slashes, empty lists and objects, nulls. The resolver that looks kept values up
//! in the output knows nothing of the converter.

// A helper that fails is a test that fails.
#![allow(clippy::expect_used)]

#[path = "ledger/dialects.rs"]
mod dialects;
#[path = "ledger/jobs.rs"]
mod jobs;
#[path = "ledger/pods.rs"]
mod pods;
#[path = "ledger/resolve.rs"]
mod resolve;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::Value;
use trainshift::api::meta::{SHIPPED_RUNTIME, TORCH_DISTRIBUTED};
use trainshift::api::pytorchjob::PyTorchJob;
use trainshift::convert::finding::Outcome;
use trainshift::convert::ledger::{Destination, Fate};
use trainshift::convert::target::{Dialect, GangScheduler, Layout, Style, Target};
use trainshift::convert::{Conversion, Verdict, convert};

/// Fields that may be left out of the output when they have this value: leaving them out says the same.
const DEFAULTS: [(&str, &str); 9] = [
    ("spec.runPolicy.suspend", "false"),
    ("spec.runPolicy.backoffLimit", "2147483647"),
    ("spec.runPolicy.backoffLimit", "6"),
    ("spec.elasticPolicy.standalone", "false"),
    ("spec.runPolicy", "{}"),
    ("spec.runPolicy.schedulingPolicy", "{}"),
    ("spec.runPolicy.schedulingPolicy.queue", "\"\""),
    ("spec.runPolicy.schedulingPolicy.priorityClass", "\"\""),
    ("spec.runPolicy.cleanPodPolicy", "\"Running\""),
];
/// The same for fields of a replica or its template, by the end of their path.
const TEMPLATE_DEFAULTS: [(&str, &str); 13] = [
    (".affinity", "{}"),
    (".securityContext", "{}"),
    (".terminationGracePeriodSeconds", "30"),
    (".metadata.labels", "{}"),
    (".metadata.annotations", "{}"),
    (".restartPolicy", "\"OnFailure\""),
    (".imagePullPolicy", "\"Always\""),
    (".imagePullPolicy", "\"IfNotPresent\""),
    (".resources", "{}"),
    (".template.metadata", "{}"),
    (".schedulerName", "\"\""),
    (".priorityClassName", "\"\""),
    (".stdin", "false"),
];

/// Every way to convert for the newest Trainer, and each style for the others.
fn targets() -> Vec<Target> {
    let mut targets = newest();
    let older = Dialect::ALL.into_iter().filter(|d| *d != Dialect::V2_3);
    for dialect in older {
        let is_plain = |target: &Target| {
            target.layout == Layout::Auto && target.gang != GangScheduler::SchedulerPlugins
        };
        targets.extend(
            newest()
                .into_iter()
                .filter(is_plain)
                .map(|target| Target { dialect, ..target }),
        );
        targets.push(Target {
            dialect,
            runtime: Some(TORCH_DISTRIBUTED.to_owned()),
            ..Target::default()
        });
    }
    targets
}

fn newest() -> Vec<Target> {
    let mut targets = Vec::new();
    for style in [Style::Exact, Style::Idiomatic] {
        for generate in [true, false] {
            for shipped in [true, false] {
                for layout in [Layout::Auto, Layout::One, Layout::Roles] {
                    for gang in [
                        GangScheduler::None,
                        GangScheduler::Volcano,
                        GangScheduler::SchedulerPlugins,
                    ] {
                        let mut target = Target {
                            style,
                            layout,
                            generate,
                            gang,
                            ..Target::default()
                        };
                        if !shipped {
                            target.cluster_runtimes.remove(SHIPPED_RUNTIME);
                        }
                        targets.push(target);
                    }
                }
            }
        }
    }
    targets
}

fn is_default(path: &str, value: &Value) -> bool {
    let text = value.to_string();
    DEFAULTS.contains(&(path, text.as_str()))
        || TEMPLATE_DEFAULTS
            .iter()
            .any(|(end, default)| path.ends_with(end) && *default == text)
}

/// Checks one conversion; the error says what doesn't hold.
fn check(input: &Value, job: &PyTorchJob, target: &Target) -> Result<(), String> {
    let conversion = convert(job, target);
    if conversion != convert(job, target) {
        return Err("a second conversion differs".to_owned());
    }
    let lines = conversion.ledger.account(input);
    for line in &lines {
        if line.fate == Fate::Unaccounted {
            return Err(format!(
                "nobody accounts for {} = {}",
                line.path, line.value
            ));
        }
    }
    let Some(output) = &conversion.output else {
        return refused(&conversion);
    };
    if conversion.verdict == Verdict::Refused {
        return Err("refused, and yet there is an output".to_owned());
    }
    let trainjob = serde_json::to_value(&output.trainjob).map_err(|error| error.to_string())?;
    let runtime = serde_json::to_value(&output.runtime).map_err(|error| error.to_string())?;
    for line in &lines {
        let found = match &line.fate {
            Fate::Kept(Destination::TrainJob(path)) => resolve::at(&trainjob, path),
            Fate::Kept(Destination::Runtime(path)) => resolve::at(&runtime, path),
            Fate::Kept(Destination::Default) if is_default(&line.path, line.value) => continue,
            Fate::Kept(Destination::Default) => {
                return Err(format!("{} = {} is no default", line.path, line.value));
            }
            Fate::Found(_) | Fate::Unaccounted => continue,
        };
        if !resolve::is_same(&line.path, line.value, found) {
            return Err(format!(
                "{} = {} should stand at {:?}, where there is {found:?}",
                line.path, line.value, line.fate
            ));
        }
    }
    dialects::can_be_said(target.dialect, &trainjob, &runtime)?;
    resolve::well_formed(input, &trainjob, &runtime)
}

fn refused(conversion: &Conversion) -> Result<(), String> {
    let any = conversion
        .ledger
        .findings
        .iter()
        .any(|finding| finding.outcome == Outcome::Refused);
    (any && conversion.verdict == Verdict::Refused)
        .then_some(())
        .ok_or_else(|| "no output, and no reason".to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 2000, failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/ledger/regressions.txt"))), ..ProptestConfig::default() })]

    #[test]
    fn every_field_is_accounted_for(input in jobs::job()) {
        let job: PyTorchJob = serde_json::from_value(input.clone()).expect("a PyTorchJob");
        for target in targets() {
            if let Err(problem) = check(&input, &job, &target) {
                return Err(TestCaseError::fail(format!("{target:?}\n{problem}")));
            }
        }
    }
}

#[test]
fn most_jobs_that_are_made_up_are_converted() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let converted = (0..100)
        .filter(|_| {
            let input = jobs::job().new_tree(&mut runner).expect("a job").current();
            let job: PyTorchJob = serde_json::from_value(input).expect("a PyTorchJob");
            convert(&job, &Target::default()).output.is_some()
        })
        .count();
    assert!(converted >= 80, "{converted} of 100");
}
