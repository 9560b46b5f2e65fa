//! Variables: v1's after the user's, each name once.

use std::collections::{BTreeSet, HashMap};

use crate::api::pod::Container;

use super::Sources;
use crate::convert::finding::{Code, Outcome};
use crate::convert::launch::Launch;
use crate::convert::ledger::Ledger;

/// Appends v1's variables, and takes out the user's variables that v1's override and those that are set again later:
/// of two variables with one name Kubernetes takes the last, and v2 admits one only.
pub(super) fn append(
    container: &mut Container,
    launch: &Launch,
    sources: &Sources,
    at: &str,
    ledger: &mut Ledger,
) {
    // Where each name stands last: thousands of variables must not be compared with each other.
    let last: HashMap<String, usize> = container
        .env
        .iter()
        .enumerate()
        .map(|(index, variable)| (variable.name.clone(), index))
        .collect();
    keep_references(container, launch, &last, sources, at, ledger);
    let mut index = 0;
    container.env.retain(|variable| {
        let here = index;
        index += 1;
        let field = || format!("{at}.env[{here}]");
        let overridden = launch.env.iter().any(|set| set.name == variable.name);
        let again = last.get(&variable.name).is_some_and(|last| *last > here);
        if overridden {
            let finding = sources.finding(Code::EnvOverridden, Outcome::Adapted, &field());
            let value = variable.value.as_deref().unwrap_or("valueFrom");
            ledger.find(finding.change(format!("{}={value}", variable.name), "left out"));
        } else if again {
            // Only the name: the value of a variable of the user's own may be a secret.
            let finding = sources.finding(Code::EnvDuplicate, Outcome::Adapted, &field());
            ledger.find(finding.change(variable.name.as_str(), "left out"));
        }
        !(overridden || again)
    });
    container.env.extend(launch.env.iter().cloned());
}

/// Most bytes that values add to a container's variables: twice twice twice the same soon fills any memory.
const MOST_ADDED: usize = 32 * 1024;

/// A variable that is left out may stand in the values of those that follow it, as `$(NAME)`, which Kubernetes replaces
/// in order. Puts its value there, where that is known.
fn keep_references(
    container: &mut Container,
    launch: &Launch,
    last: &HashMap<String, usize>,
    sources: &Sources,
    at: &str,
    ledger: &mut Ledger,
) {
    // What is left out, and was set before the variable in hand.
    let mut gone: HashMap<String, Option<String>> = HashMap::new();
    let mut room = MOST_ADDED;
    for (index, variable) in container.env.iter_mut().enumerate() {
        if let Some(text) = variable.value.as_deref().filter(|_| !gone.is_empty()) {
            let (new, names, unknown) = with_values(text, &gone, &mut room);
            let field = format!("{at}.env[{index}].value");
            for name in unknown {
                let finding = sources.finding(Code::EnvOverridden, Outcome::Lost, &field);
                let note = "it refers to a variable that is left out, whose value can't be put in its place";
                ledger.find(finding.had(format!("$({name})")).note(note));
            }
            for name in names {
                let finding = sources.finding(Code::EnvOverridden, Outcome::Adapted, &field);
                let note = "it refers to a variable that is left out";
                ledger.find(finding.change(format!("$({name})"), "its value").note(note));
            }
            variable.value = Some(new);
        }
        let overridden = launch.env.iter().any(|set| set.name == variable.name);
        if overridden || last.get(&variable.name).is_some_and(|last| *last > index) {
            let value = match &variable.value_from {
                None => Some(variable.value.clone().unwrap_or_default()),
                Some(_) => None,
            };
            gone.insert(variable.name.clone(), value);
        } else {
            gone.remove(&variable.name);
        }
    }
}

/// `text` with the values of `gone` in place of their names, as far as there is `room`; whose value stands there now, and
/// whose doesn't.
pub(super) fn with_values<'t>(
    text: &'t str,
    gone: &HashMap<String, Option<String>>,
    room: &mut usize,
) -> (String, BTreeSet<&'t str>, BTreeSet<&'t str>) {
    let (mut new, mut known, mut unknown) = (String::new(), BTreeSet::new(), BTreeSet::new());
    let mut rest = text;
    while let Some(found) = rest.find('$') {
        let (before, from) = rest.split_at(found);
        new.push_str(before);
        let name = from
            .strip_prefix("$(")
            .and_then(|tail| tail.split_once(')'))
            .map(|(name, _)| name);
        let taken = match name.and_then(|name| Some((name, gone.get(name)?))) {
            Some((name, Some(value))) if value.len() <= *room => {
                *room -= value.len();
                known.insert(name);
                new.push_str(value);
                name.len() + "$()".len()
            }
            other => {
                unknown.extend(other.map(|(name, _)| name));
                // Two signs are one that refers to nothing.
                let length = if from.starts_with("$$") { 2 } else { 1 };
                new.push_str(&from[..length]);
                length
            }
        };
        rest = &from[taken..];
    }
    new.push_str(rest);
    (new, known, unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_place_of_names() {
        let gone = HashMap::from([
            ("A".to_owned(), Some("1".to_owned())),
            ("SECRET".to_owned(), None),
        ]);
        let new = |text| with_values(text, &gone, &mut 100).0;
        assert_eq!(new("x$(A)y$(A)"), "x1y1");
        assert_eq!(new("$$(A) $(B) $ $(A"), "$$(A) $(B) $ $(A");
        assert_eq!(new("$$$(A)"), "$$1");
        assert_eq!(new("$(SECRET)"), "$(SECRET)");
        assert_eq!(
            with_values("$(SECRET)", &gone, &mut 100).2,
            BTreeSet::from(["SECRET"])
        );
    }
    #[test]
    fn values_that_double_come_to_an_end() {
        let gone = HashMap::from([("A".to_owned(), Some("12345".to_owned()))]);
        let mut room = 12;
        let (new, known, unknown) = with_values("$(A)$(A)$(A)", &gone, &mut room);
        assert_eq!((new.as_str(), room), ("1234512345$(A)", 2));
        assert_eq!((known.len(), unknown.len()), (1, 1));
    }
}
