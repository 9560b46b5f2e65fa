//! Any PyTorchJob in any world: converted without a panic, the same way twice, with an account of every leaf.

#![no_main]

use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target, fuzzer_mutate};
use serde_json::Value;
use trainshift::api::pytorchjob::PyTorchJob;
use trainshift_fuzz::{check, mutate, world};

fuzz_target!(|data: &[u8]| {
    let Some((target, number, text)) = world::choose(data) else {
        return;
    };
    let Ok(input) = serde_json::from_slice::<Value>(text) else {
        return;
    };
    let Ok(job) = serde_json::from_slice::<PyTorchJob>(text) else {
        return;
    };
    let conversion = check::conversion(&input, &job, target);
    // One input in eight is converted and read back a second time, which is most of the work.
    if (usize::from(number) + data.len()).is_multiple_of(8) {
        check::again(&conversion, &job, target);
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::json(data, size, max_size, seed, fuzzer_mutate)
});

fuzz_crossover!(|data1: &[u8], data2: &[u8], out: &mut [u8], seed: u32| {
    mutate::cross(data1, data2, out, seed)
});
