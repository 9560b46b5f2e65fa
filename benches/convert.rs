//! One conversion of a job of real size (60 to 100 lines of YAML), in each form that the converter writes.
//!
//! It stands in the way of every `kubectl apply`: at most 200 µs is what it may take.

// A fixture that cannot be read ends the bench.
#![allow(clippy::expect_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use trainshift::api::pytorchjob::PyTorchJob;
use trainshift::convert::convert;
use trainshift::convert::target::Target;

const JOBS: [(&str, &str); 3] = [
    (
        "exact, shipped runtime",
        include_str!("../tests/fixtures/convert/pass/llm-fine-tune-of-real-size/pytorchjob.yaml"),
    ),
    (
        "exact, generated runtime",
        include_str!("../tests/fixtures/convert/pass/pretraining-of-real-size/pytorchjob.yaml"),
    ),
    (
        "exact, two roles",
        include_str!("../tests/fixtures/convert/pass/roles-of-real-size/pytorchjob.yaml"),
    ),
];

fn conversions(c: &mut Criterion) {
    let target = Target::default();
    for (name, text) in JOBS {
        let job: PyTorchJob = serde_saphyr::from_str(text).expect("a PyTorchJob");
        c.bench_function(name, |b| b.iter(|| convert(black_box(&job), &target)));
        let input = serde_json::to_value(&job).expect("JSON");
        let conversion = convert(&job, &target);
        c.bench_function(&format!("{name}: account"), |b| {
            b.iter(|| conversion.ledger.account(black_box(&input)).len());
        });
    }
}

criterion_group!(benches, conversions);
criterion_main!(benches);
