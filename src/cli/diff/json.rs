//! The differences for machines: one JSON document, described in docs/cli.md.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::groups::Group;
use super::objects::Place;
use super::pairs::Input;
use super::work::{Compared, Outcome};
use crate::cli::Io;
use crate::convert::target::Target;
use crate::parity::facts::ranks;
use crate::parity::predict::Caveat;

/// Prints the document.
pub(super) fn print(
    jobs: &[Compared<'_>],
    input: &Input,
    target: &Target,
    io: &mut Io<'_>,
) -> anyhow::Result<()> {
    let mut reasons = BTreeMap::new();
    let jobs: Vec<_> = jobs
        .iter()
        .map(|compared| job(compared, &mut reasons))
        .collect();
    let document = json!({
        "trainer": target.dialect.as_str(),
        "jobs": jobs,
        "reasons": reasons,
        "unpaired": input.unpaired.iter().map(place).collect::<Vec<_>>(),
        "unreadable": input.problems,
    });
    writeln!(io.out, "{}", serde_json::to_string_pretty(&document)?)?;
    Ok(())
}

fn job<'a>(compared: &Compared<'_>, reasons: &mut BTreeMap<&'a str, &'a str>) -> Value {
    let mut job = json!({
        "name": compared.pair.place.full_name(),
        "v1": place(&compared.pair.place),
        "v2": compared.pair.written.as_ref().map(|written| place(&written.place)),
    });
    match &compared.outcome {
        Outcome::Refused(findings) => {
            job["verdict"] = json!("refused");
            job["findings"] = json!(findings);
        }
        Outcome::Pods(pods) => {
            job["verdict"] = json!(match pods.undeclared {
                0 if compared.is_equal() => "equal",
                0 => "uncertain",
                _ => "different",
            });
            job["caveats"] = pods.caveats.iter().map(caveat).collect();
            job["runtime"] = json!(pods.runtime);
            job["pods"] = json!({"v1": pods.v1, "v2": pods.v2});
            job["equal"] = json!(pods.equal);
            job["undeclared"] = json!(pods.undeclared);
            job["declared"] = json!(pods.declared);
            job["differences"] = pods.groups.iter().map(difference).collect();
            let declared = pods.groups.iter().filter_map(|group| group.declared);
            reasons.extend(declared.map(|declared| (declared.name, declared.reason)));
        }
    }
    job
}

fn caveat(caveat: &Caveat) -> Value {
    let taken_by: Vec<_> = caveat
        .taken_by
        .iter()
        .map(|dialect| dialect.as_str())
        .collect();
    json!({"field": caveat.field, "reason": caveat.reason, "taken_by": taken_by})
}

fn difference(group: &Group) -> Value {
    let value = |text: &Option<String>| match text {
        // Values with a rank in them are no JSON any more.
        Some(text) if group.is_pattern => json!(text),
        Some(text) => serde_json::from_str(text).unwrap_or_default(),
        None => Value::Null,
    };
    json!({
        "ranks": group.ranks.as_ref().map(ranks::spans),
        "field": group.field,
        "v1": value(&group.v1),
        "v2": value(&group.v2),
        "pattern": group.is_pattern,
        "example": group.is_example,
        "declared": group.declared.map(|declared| declared.name),
    })
}

fn place(place: &Place) -> Value {
    json!({"file": place.file, "kind": place.kind, "namespace": place.namespace, "name": place.name})
}
