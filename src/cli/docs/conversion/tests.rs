use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::probe::{Catalogue, Probe, steps};
use super::*;
use crate::api::meta::{MASTER, WORKER};
use crate::convert::convert;
use crate::convert::ledger::{Fate, leaves};

fn probes(catalogue: &Catalogue) -> Vec<(&probe::Row, Probe)> {
    let groups = catalogue.groups.iter();
    groups
        .flat_map(|group| group.rows.iter().map(move |row| (group, row)))
        .map(|(group, row)| (row, Probe::new(catalogue, group, row).unwrap()))
        .collect()
}

fn leaf_paths(value: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    leaves(value, &mut String::new(), &mut |path, _| {
        paths.push(path.to_owned());
    });
    paths
}

/// The path's steps without indexes and with `*` for a replica type: one of the schema, and not of a job.
fn schema_path(path: &str) -> Vec<String> {
    let mut path: Vec<_> = steps(path)
        .into_iter()
        .filter(|step| step.parse::<usize>().is_err())
        .map(str::to_owned)
        .collect();
    let roles = [MASTER, WORKER];
    let is_role = |step: &&mut String| roles.iter().any(|role| role.eq_ignore_ascii_case(step));
    if let Some(role) = path.get_mut(2).filter(is_role) {
        "*".clone_into(role);
    }
    path
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn fixtures() -> Vec<(String, Value)> {
    let folder = root().join("tests/fixtures/convert/pass");
    let mut jobs = Vec::new();
    for case in fs::read_dir(folder).unwrap() {
        let case = case.unwrap();
        let text = fs::read_to_string(case.path().join("pytorchjob.yaml")).unwrap();
        let name = case.file_name().to_string_lossy().into_owned();
        jobs.push((name, serde_saphyr::from_str(&text).unwrap()));
    }
    jobs
}

#[test]
fn every_field_of_the_golden_cases_has_a_row() {
    let catalogue = Catalogue::read().unwrap();
    let mut rows: BTreeSet<Vec<String>> = BTreeSet::new();
    for (row, probe) in probes(&catalogue) {
        // A row about an empty object, or about a whole container, says nothing of the fields in it.
        let is_empty = row
            .value
            .as_ref()
            .and_then(Value::as_object)
            .is_some_and(serde_json::Map::is_empty);
        if !is_empty && !row.field.starts_with('[') {
            rows.insert(schema_path(&probe.paths[0]));
        }
    }
    let mut missing = BTreeSet::new();
    for (case, input) in fixtures() {
        let conversion = convert(&probe::job(&input).unwrap(), &Target::default());
        for line in conversion.ledger.account(&input) {
            let path = schema_path(&line.path);
            let is_unknown =
                matches!(line.fate, Fate::Found(finding) if finding.code == Code::UnknownField);
            let has_row = (1..=path.len()).any(|length| rows.contains(&path[..length]));
            // An empty object says nothing.
            if !has_row && !is_unknown && !line.value.is_object() {
                missing.insert(format!("{} ({case})", path.join(".")));
            }
        }
    }
    assert!(missing.is_empty(), "add rows to probes.yaml:\n{missing:#?}");
}

/// The fields of the types in `file`, as they are spelt in a manifest.
fn fields(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let mut fields = Vec::new();
    let mut renamed = None;
    for line in text.lines().map(str::trim) {
        if let Some((_, rest)) = line.split_once("(rename = \"") {
            renamed = rest.split('"').next().map(str::to_owned);
        }
        let Some((name, _)) = line
            .strip_prefix("pub ")
            .and_then(|rest| rest.split_once(": "))
        else {
            continue;
        };
        let mut words = name.split('_');
        let first = words.next().unwrap_or_default().to_owned();
        let camel = words.fold(first, |name, word| {
            name + &word[..1].to_uppercase() + &word[1..]
        });
        if name.contains(' ') {
            continue;
        }
        fields.push(renamed.take().unwrap_or(camel));
    }
    fields
}

#[test]
fn every_field_that_the_types_know_is_tried() {
    let catalogue = Catalogue::read().unwrap();
    let mut tried = BTreeSet::new();
    for (_, probe) in probes(&catalogue) {
        for path in leaf_paths(&probe.manifest) {
            tried.extend(steps(&path).into_iter().map(str::to_owned));
        }
    }
    let mut known = Vec::new();
    for file in ["pytorchjob.rs", "pod.rs"] {
        known.extend(fields(&root().join("src/api").join(file)));
    }
    assert!(
        known.contains(&"nProcPerNode".to_owned())
            && known.contains(&"envFrom".to_owned()).eq(&false)
    );
    let missing: Vec<_> = known
        .iter()
        .filter(|field| *field != "rest" && !tried.contains(*field))
        .collect();
    assert!(missing.is_empty(), "add rows to probes.yaml: {missing:?}");
}

#[test]
fn a_conversion_sets_v1s_variables_in_v1s_order() {
    let catalogue = Catalogue::read().unwrap();
    for launch in &catalogue.launch {
        let job = variables::job(&catalogue, launch).unwrap();
        let v1: Vec<_> = launch.v1.iter().map(|set| set.variable.as_str()).collect();
        for dialect in Dialect::ALL {
            for form in [Form::Shared, Form::Own] {
                let output = convert(&job, &form.target(dialect, GangScheduler::None))
                    .output
                    .unwrap();
                let set = variables::of(&output, "node");
                let set: Vec<_> = set.iter().map(|variable| variable.name.as_str()).collect();
                // A name that the API server makes up stands in a variable of its own, before all others.
                let set = set.strip_prefix(&["JOBSET_NAME"]).unwrap_or(&set);
                assert_eq!(set, v1, "{} {form:?} {dialect}", launch.job);
            }
        }
    }
}

#[test]
fn every_cell_says_something() {
    let catalogue = Catalogue::read().unwrap();
    for (row, probe) in probes(&catalogue) {
        for dialect in Dialect::ALL {
            let cells = Form::COLUMNS.map(|form| fate::cell(&probe, form, dialect));
            assert!(
                !cells.contains(&fate::NOBODY.to_owned()),
                "{} {cells:?}",
                row.field
            );
            if row.value.is_some() {
                assert!(!cells.contains(&String::new()), "{} {cells:?}", row.field);
            }
        }
    }
}

#[test]
fn a_place_is_told_by_names() {
    let catalogue = Catalogue::read().unwrap();
    let cell = |title: &str, field: &str, form| {
        let group = catalogue
            .groups
            .iter()
            .find(|group| group.title == title)
            .unwrap();
        let row = group.rows.iter().find(|row| row.field == field).unwrap();
        let probe = Probe::new(&catalogue, group, row).unwrap();
        fate::cell(&probe, form, Dialect::V2_3)
    };
    assert_eq!(
        cell("Pods", "nodeSelector", Form::Shared),
        "`patch.spec.nodeSelector`"
    );
    assert_eq!(cell("Pods", "hostIPC", Form::Shared), fate::OWN);
    assert_eq!(
        cell("Pods", "hostIPC", Form::Own),
        "`runtime.pod.spec.hostIPC`"
    );
    assert_eq!(
        cell("Pods", "hostIPC", Form::Idiomatic),
        "lost [TS035](findings.md#ts035)"
    );
    assert_eq!(
        cell("The training container", "envFrom", Form::Own),
        "`runtime.pod.spec.containers[node].envFrom`"
    );
    assert_eq!(
        cell(
            "Number of processes, and elastic training",
            "elasticPolicy.rdzvId",
            Form::Idiomatic
        ),
        "`spec.trainer.env[PET_RDZV_ID].value`"
    );
}

#[test]
fn a_cell_names_versions_only_where_they_differ() {
    let cells = |texts: [&str; 4]| grouped(Dialect::ALL.into_iter().zip(texts.map(str::to_owned)));
    assert_eq!(cells(["a", "a", "a", "a"]), "a");
    assert_eq!(cells(["a", "b", "b", "a"]), "2.0, 2.3: a<br>2.1, 2.2: b");
    assert_eq!(cells(["", "b", "b", "b"]), "2.0: –<br>2.1, 2.2, 2.3: b");
}
