//! Variables: v1's after the user's, each name once.

use std::collections::HashMap;

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
    // By name, the last place: a search for each variable would take seconds for as many as an object has room for.
    let last: HashMap<String, usize> = container
        .env
        .iter()
        .enumerate()
        .map(|(place, variable)| (variable.name.clone(), place))
        .collect();
    let mut index = 0;
    container.env.retain(|variable| {
        let here = index;
        index += 1;
        let field = || format!("{at}.env[{here}]");
        let overridden = launch.env.iter().any(|set| set.name == variable.name);
        let again = last.get(&variable.name) > Some(&here);
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
