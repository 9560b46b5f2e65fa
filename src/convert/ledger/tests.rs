use serde_json::json;

use super::*;
use crate::convert::finding::Code;

fn fate(ledger: &mut Ledger, path: &str) -> String {
    ledger.sort();
    let input = json!({"spec": {"a": {"b": 1, "c.d/e": [true]}, "empty": {}}});
    let lines = ledger.account(&input);
    let line = lines.iter().find(|line| line.path == path).unwrap();
    match &line.fate {
        Fate::Kept(Destination::TrainJob(path)) => path.clone(),
        Fate::Kept(other) => format!("{other:?}"),
        Fate::Found(finding) => finding.code.to_string(),
        Fate::Unaccounted => "unaccounted".to_owned(),
    }
}

fn found(code: Code, outcome: Outcome, at: &str) -> Finding {
    Finding::new(code, outcome, at)
}

#[test]
fn leaf_goes_where_its_subtree_went() {
    let mut ledger = Ledger::default();
    ledger.to_trainjob("spec.a", "x");
    assert_eq!(fate(&mut ledger, "spec.a.b"), "x.b");
    assert_eq!(fate(&mut ledger, "spec.a[c.d/e][0]"), "x[c.d/e][0]");
    assert_eq!(fate(&mut ledger, "spec.empty"), "unaccounted");
}

#[test]
fn most_specific_entry_tells() {
    let mut ledger = Ledger::default();
    ledger.find(found(Code::UnknownField, Outcome::Lost, "spec"));
    ledger.to_trainjob("spec.a.b", "x");
    assert_eq!(fate(&mut ledger, "spec.a.b"), "x");
    assert_eq!(fate(&mut ledger, "spec.empty"), "TS001");
}

#[test]
fn finding_says_more_than_a_move() {
    let mut ledger = Ledger::default();
    ledger.to_trainjob("spec.a.b", "x");
    ledger.find(found(Code::NodeCount, Outcome::Adapted, "spec.a.b"));
    assert_eq!(fate(&mut ledger, "spec.a.b"), "TS033");
}

#[test]
fn worse_of_two_findings_tells() {
    let mut ledger = Ledger::default();
    ledger.find(found(Code::MasterAddress, Outcome::Adapted, "spec.a.b"));
    ledger.find(found(Code::RuntimeCannot, Outcome::Lost, "spec.a.b"));
    ledger.find(found(Code::HostName, Outcome::Adapted, "spec.a.b"));
    assert_eq!(fate(&mut ledger, "spec.a.b"), "TS035");
}

#[test]
fn field_that_may_be_empty_hides_nothing_below_it() {
    let mut ledger = Ledger::default();
    ledger.says_nothing("spec.empty");
    ledger.says_nothing("spec.a");
    assert_eq!(fate(&mut ledger, "spec.empty"), "Default");
    assert_eq!(fate(&mut ledger, "spec.a.b"), "unaccounted");
}

#[test]
fn nulls_and_empty_lists_are_no_leaves() {
    let mut paths = Vec::new();
    let input = json!({"a": null, "b": [], "c": {"d": [null, {}]}});
    leaves(&input, &mut String::new(), &mut |path, _| {
        paths.push(path.to_owned());
    });
    assert_eq!(paths, ["c.d[1]"]);
}
