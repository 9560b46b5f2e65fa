//! The structure that docs/architecture.md draws, held against the code: imports point one way, pure layers know no I/O
//! and no clock, and every file is reached.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each layer may import of the others.
const MAY_IMPORT: [(&str, &[&str]); 9] = [
    ("api", &[]),
    ("convert", &["api"]),
    ("parity", &["api", "convert"]),
    ("policy", &["api", "convert"]),
    ("admission", &["api", "convert", "policy"]),
    ("discovery", &["api", "convert"]),
    ("telemetry", &[]),
    (
        "server",
        &[
            "api",
            "convert",
            "policy",
            "admission",
            "discovery",
            "telemetry",
        ],
    ),
    (
        "cli",
        &[
            "api",
            "convert",
            "policy",
            "admission",
            "discovery",
            "parity",
            "telemetry",
            "server",
        ],
    ),
];

/// Layers that are functions of their arguments.
const PURE: [&str; 4] = ["api", "convert", "parity", "policy"];

/// Parts of kube that are types and nothing else.
const PLAIN: [&str; 3] = [
    "kube::core::",
    "use kube::ResourceExt",
    "use kube::{CustomResource, KubeSchema}",
];

/// What a function of its arguments has no use for.
const IMPURE: [&str; 12] = [
    "async fn",
    ".await",
    "tokio",
    "kube::",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "tracing",
];

/// Every `.rs` file below `directory`.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The layer that a file of `src` belongs to; none for `lib.rs` and `main.rs`.
fn layer(file: &Path) -> Option<String> {
    let relative = file.strip_prefix(root().join("src")).unwrap();
    let first = relative
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    let name = first.trim_end_matches(".rs").to_owned();
    (!matches!(name.as_str(), "lib" | "main")).then_some(name)
}

/// The code of a file, without comments and without its tests.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn imports_point_one_way() {
    let allowed: BTreeMap<_, _> = MAY_IMPORT.into_iter().collect();
    let mut wrong = Vec::new();
    for file in sources(&root().join("src")) {
        let Some(layer) = layer(&file) else { continue };
        let may = allowed
            .get(layer.as_str())
            .unwrap_or_else(|| panic!("{layer} is no layer of docs/architecture.md"));
        let code = code(&file);
        for other in allowed
            .keys()
            .filter(|other| **other != layer && !may.contains(other))
        {
            if code.contains(&format!("crate::{other}")) {
                wrong.push(format!("{} imports {other}", file.display()));
            }
        }
        assert!(
            !code.contains("use crate::{"),
            "{}: name the layers one by one, so that this test sees them",
            file.display()
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn pure_layers_know_no_io_and_no_clock() {
    let mut wrong = Vec::new();
    for file in sources(&root().join("src")) {
        if layer(&file).is_some_and(|layer| PURE.contains(&layer.as_str())) {
            let code = PLAIN
                .iter()
                .fold(code(&file), |code, plain| code.replace(plain, ""));
            wrong.extend(
                IMPURE
                    .iter()
                    .filter(|word| code.contains(**word))
                    .map(|word| format!("{}: {word}", file.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The files that `file` declares as modules, and those that they declare.
fn reach(file: &Path, reached: &mut BTreeSet<PathBuf>) {
    if !reached.insert(file.to_owned()) {
        return;
    }
    let stem = file.file_stem().unwrap().to_string_lossy();
    let here = file.parent().unwrap();
    let below = if matches!(&*stem, "main" | "lib" | "up") {
        here.to_owned()
    } else {
        here.join(&*stem)
    };
    for line in fs::read_to_string(file).unwrap().lines() {
        let line = line.trim();
        let declared = ["mod ", "pub mod ", "pub(crate) mod ", "pub(super) mod "]
            .iter()
            .find_map(|start| line.strip_prefix(start)?.strip_suffix(';'));
        if let Some(name) = declared {
            let path = below.join(format!("{name}.rs"));
            assert!(
                path.exists(),
                "{} declares {name}, and {} is not there",
                file.display(),
                path.display()
            );
            reach(&path, reached);
        }
    }
}

#[test]
fn every_file_is_reached() {
    let root = root();
    let mut reached = BTreeSet::new();
    let mut roots = vec![
        root.join("src/lib.rs"),
        root.join("src/main.rs"),
        root.join("tests/cluster/up.rs"),
        root.join("fuzz/seeds.rs"),
        root.join("fuzz/src/lib.rs"),
    ];
    for directory in ["tests", "benches", "examples", "fuzz/targets"] {
        let Ok(entries) = fs::read_dir(root.join(directory)) else {
            continue;
        };
        for path in entries.map(|entry| entry.unwrap().path()) {
            // A file is a target of its own; a folder is one when it has a main.rs.
            roots.push(if path.is_dir() {
                path.join("main.rs")
            } else {
                path
            });
        }
    }
    for target in roots
        .into_iter()
        .filter(|path| path.exists() && path.extension().is_some_and(|e| e == "rs"))
    {
        reach(&target, &mut reached);
    }
    let all: Vec<_> = ["src", "tests", "benches", "examples", "fuzz"]
        .iter()
        .map(|directory| root.join(directory))
        .filter(|directory| directory.exists())
        .flat_map(|directory| sources(&directory))
        .collect();
    let orphans: Vec<_> = all.iter().filter(|file| !reached.contains(*file)).collect();
    assert!(all.len() > 40, "the walk sees the project");
    assert!(orphans.is_empty(), "no module declares {orphans:#?}");
}
