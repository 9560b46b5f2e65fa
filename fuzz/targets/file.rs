//! Any bytes as a file for `trainshift convert`: taken apart and read without a panic, and what is a job is converted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trainshift::cli::input::{Object, objects, split};
use trainshift::convert::target::Target;
use trainshift_fuzz::check;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // A carriage return by itself ends a line in YAML.
    let most_lines = text.matches(['\n', '\r']).count() + 2;
    for (index, document) in split::documents(text).iter().enumerate() {
        for object in objects("fuzz.yaml", document, Some(index + 1)) {
            match object {
                Ok(Object::Job(job, value)) => {
                    let conversion = check::conversion(&value, &job, &Target::default());
                    if data.len().is_multiple_of(8) {
                        check::again(&conversion, &job, &Target::default());
                    }
                }
                Ok(Object::Other { .. }) => {}
                Err(problem) => {
                    assert!(
                        problem.line.is_none_or(|line| line <= most_lines),
                        "{problem}"
                    );
                    std::hint::black_box(problem.to_string());
                }
            }
        }
    }
});
