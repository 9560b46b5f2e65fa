//! What policies say that look at the object.
//!
//! Each has a validation of its own: a condition that fails is an error, which denies (failurePolicy Fail), as it counts as
//! holding for trainshift, and must do so only where everything else about the policy holds.

use super::base::{inside, reason};
use super::text::quoted;
use super::{Floor, Ranked, Validation, may_pass, place, refused, span};
use crate::policy::expression::Expression;

/// Adds the variables and validations of the narrow policies to `floor`.
pub(super) fn add(floor: &mut Floor, ranked: &[Ranked]) {
    let mut before = Vec::new();
    let mut passed: Option<String> = None;
    for policy in ranked {
        if !policy.policy.looks_at_object() {
            before.push(inside(policy));
            continue;
        }
        let id = &policy.id;
        let above = before.iter().map(|name| format!("!variables.{name}"));
        let place = place::of_namespace(&policy.policy.spec().matches);
        let excused = policy.excused_now().map(|excused| format!("!{excused}"));
        let terms: Vec<_> = std::iter::once("variables.base.size() == 0".to_owned())
            .chain(above)
            .chain(place)
            .chain(span::one_holds(&policy.spans))
            .chain(excused)
            .collect();
        floor.set(id.clone(), terms.join(" && "));
        let about = [vec![format!("variables.{id}")], about(floor, policy)].concat();
        let about = about.join(" && ");
        // Whoever may pass the first denial passes; which one that is can't be told where its conditions fail.
        let may = may_pass(&quoted(policy.policy.name()));
        let own = format!("(variables.{id} && {may})");
        let pass = match &passed {
            None => own,
            Some(earlier) => format!("variables.{earlier} || {own}"),
        };
        let name = format!("{id}_passed");
        floor.set(name.clone(), pass);
        floor.validations.push(Validation {
            expression: format!("!({about}) || !variables.judged || variables.{name}"),
            message_expression: refused(&reason(policy)),
        });
        passed = Some(name);
    }
}

/// Whether the object is what the policy is about. A condition that trainshift can't compile counts as holding.
fn about(floor: &mut Floor, ranked: &Ranked) -> Vec<String> {
    let matches = &ranked.policy.spec().matches;
    let mut terms: Vec<_> = place::of_object(matches).into_iter().collect();
    for (index, condition) in matches.conditions.iter().enumerate() {
        if Expression::compile(&condition.expression).is_ok() {
            let name = format!("{}_condition{}", ranked.id, index + 1);
            floor.set(name.clone(), condition.expression.clone());
            terms.push(format!("variables.{name}"));
        }
    }
    terms
}
