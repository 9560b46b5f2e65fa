//! Golden cases: a job in, and everything that the converter makes of it, file by file.
//!
//! `tests/fixtures/convert/{pass,refuse}/CASE/` holds `pytorchjob.yaml`, the TrainJob (and its runtime) in both styles,
//! and every finding, for Trainer 2.3. For an earlier version there is a file only where it differs from the next later
//! one's: where there is none, it is the same. `UPDATE_GOLDEN=1 cargo test --test convert` writes the files anew; read the
//! difference before you commit it. A case may have a `target.yaml` with `gang`, `layout`, `generate`, `shipped` or
//! `runtime`.

// A helper that fails is a test that fails.
#![allow(clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use trainshift::api::meta::SHIPPED_RUNTIME;
use trainshift::api::pytorchjob::PyTorchJob;
use trainshift::convert::finding::{Code, Finding};
use trainshift::convert::ledger::Fate;
use trainshift::convert::target::{Dialect, GangScheduler, Layout, Style, Target};
use trainshift::convert::{Conversion, Output, convert};

/// The longest line that a person reads in one go; names of 50 characters need more than the usual 200.
const LONGEST_LINE: usize = 240;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    gang: Option<String>,
    layout: Option<String>,
    generate: Option<bool>,
    shipped: Option<bool>,
    runtime: Option<String>,
}

fn target(case: &Path, dialect: Dialect, style: Style) -> Target {
    let settings: Settings = fs::read_to_string(case.join("target.yaml"))
        .map(|text| serde_saphyr::from_str(&text).expect("target.yaml"))
        .unwrap_or_default();
    let mut target = Target {
        dialect,
        style,
        runtime: settings.runtime,
        ..Target::default()
    };
    target.generate = settings.generate.unwrap_or(target.generate);
    if settings.shipped == Some(false) {
        target.cluster_runtimes.remove(SHIPPED_RUNTIME);
    }
    target.gang = match settings.gang.as_deref() {
        None => GangScheduler::None,
        Some("volcano") => GangScheduler::Volcano,
        Some("scheduler-plugins") => GangScheduler::SchedulerPlugins,
        Some(other) => panic!("gang {other}"),
    };
    target.layout = match settings.layout.as_deref() {
        None => Layout::Auto,
        Some("one") => Layout::One,
        Some("roles") => Layout::Roles,
        Some(other) => panic!("layout {other}"),
    };
    target
}

fn yaml<T: serde::Serialize>(value: &T) -> String {
    // Through JSON, so that what is written is what a client would send.
    let value = serde_json::to_value(value).expect("JSON");
    serde_saphyr::to_string(&value).expect("YAML")
}

fn documents(output: &Output) -> String {
    let mut text = String::new();
    if let Some(runtime) = &output.runtime {
        text.push_str(&yaml(runtime));
        text.push_str("---\n");
    }
    text.push_str(&yaml(&output.trainjob));
    text
}

fn report(style: &str, conversion: &Conversion) -> String {
    let mut text = format!("{style}: {}\n", conversion.verdict.as_str());
    for finding in &conversion.ledger.findings {
        let routine = if finding.is_routine() {
            ", routine"
        } else {
            ""
        };
        let outcome = finding.outcome.as_str();
        let _ = writeln!(text, "  [{outcome}{routine}] {finding}");
    }
    text
}

/// The files that the case should have, and what is wrong with the conversion itself.
fn expected(case: &Path, problems: &mut Vec<String>) -> BTreeMap<String, String> {
    let text = fs::read_to_string(case.join("pytorchjob.yaml")).expect("pytorchjob.yaml");
    let input: serde_json::Value = serde_saphyr::from_str(&text).expect("YAML");
    let job: PyTorchJob = serde_json::from_value(input.clone()).expect("a PyTorchJob");
    let refuse = case
        .parent()
        .is_some_and(|folder| folder.ends_with("refuse"));
    let mut files = BTreeMap::new();
    let mut later: Option<[Option<String>; 3]> = None;
    for dialect in Dialect::ALL.into_iter().rev() {
        let mut findings = String::new();
        let mut outputs = [None, None];
        for ((style, style_name), output) in
            [(Style::Exact, "exact"), (Style::Idiomatic, "idiomatic")]
                .into_iter()
                .zip(&mut outputs)
        {
            let conversion = convert(&job, &target(case, dialect, style));
            let name = format!("{dialect} {style_name}");
            problems.extend(unsound(&input, &conversion).map(|what| format!("{name}: {what}")));
            findings.push_str(&report(style_name, &conversion));
            *output = conversion.output.as_ref().map(documents);
        }
        if dialect == Dialect::V2_3 && refuse == outputs[0].is_some() {
            problems.push("is in the wrong folder".to_owned());
        }
        let [exact, idiomatic] = outputs;
        let these = [exact, idiomatic, Some(findings)];
        for (index, this) in these.iter().enumerate() {
            if later.as_ref().map(|later| &later[index]) != Some(this) {
                let refused = || format!("# Trainer {dialect}: refused\n");
                let text = match (this, &later) {
                    (Some(text), _) => text.clone(),
                    (None, Some(_)) => refused(),
                    (None, None) => continue,
                };
                files.insert(file_name(index, dialect), text);
            }
        }
        later = Some(these);
    }
    files
}

fn file_name(index: usize, dialect: Dialect) -> String {
    match (index, dialect) {
        (0, _) => format!("trainjob-{dialect}.yaml"),
        (1, _) => format!("trainjob-{dialect}-idiomatic.yaml"),
        (_, Dialect::V2_3) => "findings.txt".to_owned(),
        (_, _) => format!("findings-{dialect}.txt"),
    }
}

/// What is wrong with a conversion, whatever its golden files say.
fn unsound(
    input: &serde_json::Value,
    conversion: &Conversion,
) -> impl Iterator<Item = String> + use<> {
    let lines = conversion.ledger.account(input);
    let unaccounted = lines.iter().filter(|line| line.fate == Fate::Unaccounted);
    let mut problems: Vec<_> = unaccounted
        .map(|line| format!("nobody accounts for {}", line.path))
        .collect();
    for finding in &conversion.ledger.findings {
        let length = finding.to_string().chars().count();
        if length > LONGEST_LINE {
            problems.push(format!("{length} characters: {finding}"));
        }
    }
    problems.into_iter()
}

/// Compares the case's files, or writes them.
fn check(case: &Path, update: bool) -> Vec<String> {
    let mut problems = Vec::new();
    let files = expected(case, &mut problems);
    let present: BTreeSet<String> = fs::read_dir(case)
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| !matches!(name.as_str(), "pytorchjob.yaml" | "target.yaml"))
        .collect();
    for stale in present
        .iter()
        .filter(|name| !files.contains_key(name.as_str()))
    {
        if update {
            fs::remove_file(case.join(stale)).expect("removed");
        } else {
            problems.push(format!("{stale} should not be there"));
        }
    }
    for (name, wanted) in &files {
        let path = case.join(name);
        if update {
            fs::write(&path, wanted).expect("written");
            continue;
        }
        match fs::read_to_string(&path) {
            Ok(found) if found == *wanted => {}
            Ok(found) => problems.push(format!(
                "{name} differs:\n{}",
                first_difference(&found, wanted)
            )),
            Err(error) => problems.push(format!("{name}: {error}")),
        }
    }
    problems
}

fn first_difference(found: &str, wanted: &str) -> String {
    let (mut left, mut right) = (found.lines(), wanted.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (left.next(), right.next()) {
            (Some(one), Some(other)) if one == other => {}
            (None, None) => return "    line ends differ".to_owned(),
            (one, other) => {
                let show = |line: Option<&str>| line.unwrap_or("(end)").to_owned();
                return format!(
                    "    line {number}\n    - {}\n    + {}",
                    show(one),
                    show(other)
                );
            }
        }
    }
}

fn cases(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/convert")
        .join(kind);
    let mut cases: Vec<_> = fs::read_dir(&folder)
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_case_is_converted_as_its_files_say() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut report = String::new();
    for case in cases("pass").iter().chain(&cases("refuse")) {
        for problem in check(case, update) {
            let name = case.file_name().unwrap_or_default().to_string_lossy();
            let _ = writeln!(report, "{name}: {problem}");
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn there_are_enough_cases() {
    assert!(cases("pass").len() >= 45);
    assert!(cases("refuse").len() >= 20);
}

/// Compared with each other, as many would take minutes.
#[test]
fn fifty_thousand_variables_are_converted_in_seconds() {
    let env: Vec<_> = (0..50_000)
        .map(|index| json!({"name": format!("V{index}"), "value": "1"}))
        .chain((0..50_000).map(|_| json!({"name": "AGAIN", "value": "1"})))
        .collect();
    let mounts: Vec<_> = (0..50_000)
        .map(|index| json!({"name": format!("v{index}"), "mountPath": format!("/{index}")}))
        .collect();
    let hosts: Vec<_> = (0..50_000).map(|i| format!("many-worker-{i}")).collect();
    let job: PyTorchJob = serde_json::from_value(json!({
        "metadata": {"name": "many"},
        "spec": {"pytorchReplicaSpecs": {"Worker": {"replicas": 50_000, "template": {"spec": {"containers": [{
            "name": "pytorch", "image": "train", "args": [hosts.join(",")], "env": env, "volumeMounts": mounts,
        }]}}}}},
    }))
    .expect("a PyTorchJob");
    let start = Instant::now();
    for style in [Style::Exact, Style::Idiomatic] {
        let target = Target {
            style,
            ..Target::default()
        };
        let conversion = convert(&job, &target);
        // A runtime of this size is more than Trainer can copy.
        let too_large = |finding: &Finding| finding.code == Code::RuntimeTooLarge;
        match style {
            Style::Exact => assert!(conversion.ledger.findings.iter().any(too_large)),
            Style::Idiomatic => assert!(conversion.output.is_some()),
        }
    }
    let took = start.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
}

/// Trainer 2.2 takes 65,536 characters, 2.3 takes 1,048,576, and earlier ones as many as the API server does.
#[test]
fn an_argument_that_a_version_has_no_room_for_takes_a_runtime() {
    let has_runtime = |dialect, length: usize| {
        let job: PyTorchJob = serde_json::from_value(json!({
            "metadata": {"name": "long"},
            "spec": {"pytorchReplicaSpecs": {"Worker": {"replicas": 1, "template": {"spec": {"containers": [
                {"name": "pytorch", "image": "train", "command": ["python", "\u{e9}".repeat(length)]},
            ]}}}}},
        }))
        .expect("a PyTorchJob");
        let target = Target {
            dialect,
            ..Target::default()
        };
        let output = convert(&job, &target).output.expect("an output");
        output.runtime.is_some()
    };
    for (dialect, length, expected) in [
        (Dialect::V2_0, 65_537, false),
        (Dialect::V2_1, 65_537, false),
        (Dialect::V2_2, 65_536, false),
        (Dialect::V2_2, 65_537, true),
        (Dialect::V2_3, 65_537, false),
    ] {
        assert_eq!(has_runtime(dialect, length), expected, "{dialect} {length}");
    }
}
