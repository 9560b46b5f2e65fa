//! What policies say that look at the object.
//!
//! Each has a validation of its own: a condition that fails is an error, which denies (failurePolicy Fail), as it counts as
//! holding for trainshift, and must do so only where everything else about the policy holds.

use super::base::{inside, reason};
use super::text::quoted;
use super::{Floor, PASSED, Ranked, Validation, may_pass, place, refused, span};
use crate::policy::expression::Expression;

/// Adds the variables and validations of the narrow policies to `floor`.
pub(super) fn add(floor: &mut Floor, ranked: &[Ranked]) {
    let mut before = Vec::new();
    // Which denial began first, and so counts, can't be told where conditions fail: whoever may pass one of them passes.
    let mut passed = format!(
        "variables.base.size() > 0 && {}",
        may_pass("variables.base[0]")
    );
    for policy in ranked {
        if !policy.policy.looks_at_object() {
            before.push(inside(policy));
            continue;
        }
        let id = &policy.id;
        let matches = &policy.policy.spec().matches;
        let above = before.iter().map(|name| format!("!variables.{name}"));
        let excused = policy.excused_now().map(|excused| format!("!{excused}"));
        let mut terms: Vec<_> = above
            .chain(place::of_namespace(matches))
            .chain(span::one_holds(&policy.spans))
            .chain(excused)
            .chain(place::of_object(matches))
            .collect();
        if terms.is_empty() {
            terms.push("true".to_owned());
        }
        floor.set(id.clone(), terms.join(" && "));
        let mut about = vec![
            "variables.base.size() == 0".to_owned(),
            format!("variables.{id}"),
        ];
        about.extend(conditions(floor, policy));
        floor.validations.push(Validation {
            expression: format!(
                "!({}) || !variables.judged || variables.{PASSED}",
                about.join(" && ")
            ),
            message_expression: refused(&reason(policy)),
        });
        let name = format!("{id}_passed");
        let may = may_pass(&quoted(policy.policy.name()));
        let counts = comes_first(policy);
        floor.set(
            name.clone(),
            format!("{passed} || (variables.{id} && {counts} && {may})"),
        );
        passed = format!("variables.{name}");
    }
    floor.set(PASSED, format!("variables.reason && ({passed})"));
}

/// Whether its denial may come before that of `base`, by having begun earlier.
fn comes_first(ranked: &Ranked) -> String {
    let dated = "variables.base.size() == 3";
    let later = match ranked.spans.first().and_then(|span| span.since) {
        None => dated.to_owned(),
        Some(since) => {
            let since = quoted(&since.to_string());
            format!("{dated} && timestamp({since}) < timestamp(variables.base[2])")
        }
    };
    format!("(variables.base.size() == 0 || {later})")
}

/// Whether the policy's conditions hold. One that trainshift can't compile counts as holding.
fn conditions(floor: &mut Floor, ranked: &Ranked) -> Vec<String> {
    let mut terms = Vec::new();
    for (index, condition) in ranked.policy.spec().matches.conditions.iter().enumerate() {
        if Expression::compile(&condition.expression).is_ok() {
            let name = format!("{}_condition{}", ranked.id, index + 1);
            floor.set(name.clone(), condition.expression.clone());
            terms.push(format!("variables.{name}"));
        }
    }
    terms
}
