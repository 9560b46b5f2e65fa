//! docs/parity.md: what was seen on every minor, for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;
use trainshift::parity::declared::DECLARED;

use super::cases::{self, LEFT_OUT};
use super::coverage::UNSET;
use super::mutants;
use super::seen::{Outcome, Seen};

/// Styles and layouts, in the order of the marks of a case.
const FORMS: [&str; 4] = ["exact", "exact, one", "exact, roles", "idiomatic"];

/// The minors that were seen, oldest first.
type Minors = [(&'static str, Seen)];

/// The whole document.
pub(super) fn render(minors: &Minors) -> Result<String> {
    let mut text = String::from(INTRODUCTION);
    runs(minors, &mut text);
    text.push_str(CASES);
    marks(minors, &mut text);
    text.push_str(DETAILS);
    details(minors, &mut text);
    text.push_str(DIFFERENCES);
    declared(minors, &mut text);
    behaviour(minors, &mut text);
    left_out(&mut text)?;
    text.push_str(MUTANTS);
    for mutant in mutants::all() {
        let _ = writeln!(
            text,
            "| {} | `{}` |",
            mutant.name.replace('_', " "),
            mutant.field
        );
    }
    Ok(text)
}

const INTRODUCTION: &str = "\
<!-- Written by `make parity-all`; don't edit. -->
# Parity: the pods of v1 and v2, compared

Each job here was created as a PyTorchJob under the real Training Operator and, converted, as a TrainJob under the real
Kubeflow Trainer, on a control plane of real programs without nodes. Every pod that came of it was compared with the pod of the
same rank: commands and variables as the kubelet would resolve them, and every other field that a pod has; and the rules by
which the job restarts, fails and succeeds. What may differ is [a closed list](#what-may-differ), with a reason for each
entry. Anything else fails the tests.

`make parity` runs this on Trainer 2.3 and 2.0, `make parity-all` on every minor and with more random jobs.

## Runs

";

const CASES: &str = "
## Cases

One mark for each form: style exact, exact in one pod set, exact in two roles, style idiomatic. A form that is the same objects
as an earlier one is not compared again (`.`).

| mark | |
|---|---|
| `=` | the same pods, but for what differs for every job |
| `~` | besides that, differences that the conversion announces: [details](#details) |
| `x` | the converter refuses it, by a code: [details](#details) |

";

const DETAILS: &str = "
## Details

What differs besides what differs for every job, by name, or the code by which the converter refuses. Where nothing does,
there is no line.

| case | form | Trainer | differences |
|---|---|---|---|
";

const DIFFERENCES: &str = "
## What may differ

Each with the codes of which the conversion must report one; without a code, it is so for every job, by what v2 is. The
numbers are those of comparisons in which it was seen.

";

const MUTANTS: &str = "
## What the comparison itself is worth

`make mutants` breaks a conversion on purpose, in each of these ways, creates it for real, and fails unless the comparison names the
field.

| a conversion that | is caught at |
|---|---|
";

fn runs(minors: &Minors, text: &mut String) {
    text.push_str("| Trainer | JobSet | Training Operator | Kubernetes | seen | cases | comparisons | random jobs |\n");
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for (_, seen) in minors {
        let version = |name: &str| seen.versions.get(name).cloned().unwrap_or_default();
        let random = &seen.random;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} from seed {}: {} compared, {} refused by name, {} that v1 doesn't run |",
            version("Trainer"),
            version("JobSet"),
            version("Training Operator"),
            version("Kubernetes"),
            seen.date,
            seen.cases.len(),
            outcomes(seen)
                .filter(|outcome| matches!(outcome, Outcome::Same(_)))
                .count(),
            random.jobs(),
            random.seed,
            random.compared,
            random.refused,
            random.not_under_v1,
        );
    }
}

fn outcomes(seen: &Seen) -> impl Iterator<Item = &Outcome> {
    seen.cases.values().flat_map(BTreeMap::values)
}

fn marks(minors: &Minors, text: &mut String) {
    header(&["case"], minors, text);
    let names: BTreeSet<&String> = minors
        .iter()
        .flat_map(|(_, seen)| seen.cases.keys())
        .collect();
    for name in names {
        let _ = write!(text, "| {name} |");
        for (_, seen) in minors {
            let forms = seen.cases.get(name);
            let mark = |form: &&str| match forms.and_then(|forms| forms.get(*form)) {
                None => '.',
                Some(Outcome::Same(names)) if names.is_empty() => '=',
                Some(Outcome::Same(_)) => '~',
                Some(Outcome::Refused(_)) => 'x',
            };
            let marks: String = FORMS.iter().map(mark).collect();
            let _ = write!(text, " `{marks}` |");
        }
        text.push('\n');
    }
}

/// The head of a table with a column for each minor.
fn header(first: &[&str], minors: &Minors, text: &mut String) {
    let minors = minors.iter().map(|(minor, _)| *minor);
    let names: Vec<&str> = first.iter().copied().chain(minors).collect();
    let _ = writeln!(text, "| {} |", names.join(" | "));
    let _ = writeln!(text, "|{}", "---|".repeat(names.len()));
}

/// What was said of something, and of which minors.
type Alike<'m> = Vec<(String, Vec<&'m str>)>;

/// Minors that say the same share a line.
fn details(minors: &Minors, text: &mut String) {
    let mut lines: BTreeMap<(&String, usize), Alike> = BTreeMap::new();
    for (minor, seen) in minors {
        for (case, forms) in &seen.cases {
            for (form, outcome) in forms {
                let said = match outcome {
                    Outcome::Same(names) if names.is_empty() => continue,
                    Outcome::Same(names) => names.join("; "),
                    Outcome::Refused(codes) => format!("refused: {}", codes.join(", ")),
                };
                let place = FORMS
                    .iter()
                    .position(|known| known == form)
                    .unwrap_or_default();
                let alike = lines.entry((case, place)).or_default();
                match alike.iter_mut().find(|(known, _)| *known == said) {
                    Some((_, minors)) => minors.push(minor),
                    None => alike.push((said, vec![minor])),
                }
            }
        }
    }
    for ((case, form), alike) in lines {
        for (said, in_minors) in alike {
            let which = if in_minors.len() == minors.len() {
                "all".to_owned()
            } else {
                in_minors.join(", ")
            };
            let _ = writeln!(text, "| {case} | {} | {which} | {said} |", FORMS[form]);
        }
    }
}

fn declared(minors: &Minors, text: &mut String) {
    header(&["difference", "why", "announced by"], minors, text);
    for entry in DECLARED {
        let codes: Vec<String> = entry.announced_by.iter().map(ToString::to_string).collect();
        let _ = write!(
            text,
            "| {} | {} | {} |",
            entry.name,
            entry.reason,
            codes.join(", ")
        );
        for (_, seen) in minors {
            let count = seen.counts.get(entry.name).copied().unwrap_or_default();
            let _ = write!(text, " {count} |");
        }
        text.push('\n');
    }
}

fn behaviour(minors: &Minors, text: &mut String) {
    if minors.iter().all(|(_, seen)| seen.behaviour.is_empty()) {
        return;
    }
    text.push_str("\n## What becomes of a job\n\nThe same thing happens to the pods on both sides; this is how both jobs end.\n\n");
    text.push_str("| what happens | Trainer | v1 | v2 | |\n|---|---|---|---|---|\n");
    let mut lines: BTreeMap<&str, Alike> = BTreeMap::new();
    for (minor, seen) in minors {
        for scenario in &seen.behaviour {
            let declared = match (&scenario.declared, &scenario.reason) {
                (Some(name), Some(reason)) => format!("{name}: {reason}"),
                (Some(name), None) => name.clone(),
                (None, _) => "same".to_owned(),
            };
            let said = format!(
                "{} | {} | {declared}",
                words(&scenario.v1),
                words(&scenario.v2)
            );
            let alike = lines.entry(&scenario.name).or_default();
            match alike.iter_mut().find(|(known, _)| *known == said) {
                Some((_, minors)) => minors.push(minor),
                None => alike.push((said, vec![minor])),
            }
        }
    }
    for (scenario, alike) in lines {
        for (said, in_minors) in alike {
            let _ = writeln!(text, "| {scenario} | {} | {said} |", in_minors.join(", "));
        }
    }
}

/// A state in words, whatever its shape.
fn words(state: &serde_json::Value) -> String {
    match state {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| format!("{key}: {}", words(value)));
            fields.collect::<Vec<_>>().join("; ")
        }
        serde_json::Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn left_out(text: &mut String) -> Result<()> {
    text.push_str("\n## What is not compared\n\n");
    let _ = writeln!(
        text,
        "{} golden cases are compared, and {} examples of the Training Operator. Not these:\n",
        cases::all()?.len() - cases::examples()?.len(),
        cases::examples()?.len()
    );
    text.push_str("| case | why |\n|---|---|\n");
    for (name, reason) in LEFT_OUT {
        let _ = writeln!(text, "| {name} | {reason} |");
    }
    text.push_str("\nEvery field of a PyTorchJob that its CRD has down to the fields of a container is set by a case, except:\n\n");
    text.push_str("| field | why |\n|---|---|\n");
    for (field, reason) in UNSET {
        let _ = writeln!(text, "| {field} | {reason} |");
    }
    Ok(())
}
