//! What every conversion must hold, whatever came in.

use std::hint::black_box;

use serde::Serialize;
use serde_json::Value;
use trainshift::api::pytorchjob::PyTorchJob;
use trainshift::api::yaml::{Comment, to_yaml_with};
use trainshift::convert::comments;
use trainshift::convert::ledger::Fate;
use trainshift::convert::target::Target;
use trainshift::convert::{Conversion, Verdict, convert};

/// Converts `job`, which was read from `input`, and fails when the conversion doesn't hold what it promises: an account
/// of every leaf, a reason for each refusal, and an output that has a JSON form.
#[must_use]
pub fn conversion(input: &Value, job: &PyTorchJob, target: &Target) -> Conversion {
    let conversion = convert(job, target);
    assert_eq!(
        conversion.output.is_none(),
        conversion.verdict == Verdict::Refused
    );
    for line in conversion.ledger.account(input) {
        assert!(
            line.fate != Fate::Unaccounted,
            "{} = {}",
            line.path,
            line.value
        );
    }
    for finding in &conversion.ledger.findings {
        black_box(finding.to_string());
    }
    if let Some(output) = &conversion.output {
        serde_json::to_string(&output.trainjob).expect("JSON");
        serde_json::to_string(&output.runtime).expect("JSON");
    }
    conversion
}

/// Fails unless a second conversion is the same, and its YAML reads back as the same objects.
pub fn again(first: &Conversion, job: &PyTorchJob, target: &Target) {
    assert_eq!(first, &convert(job, target), "a second conversion differs");
    let comments = comments::of(first);
    if let Some(output) = &first.output {
        reads_back(&output.trainjob, &comments.trainjob);
        if let Some(runtime) = &output.runtime {
            reads_back(runtime, &comments.runtime);
        }
    }
}

fn reads_back(object: &impl Serialize, comments: &[Comment]) {
    let text = to_yaml_with(object, comments).expect("YAML");
    let back: Value = serde_saphyr::from_str(&text).expect("what was written can be read");
    assert_eq!(back, serde_json::to_value(object).expect("JSON"), "{text}");
}
