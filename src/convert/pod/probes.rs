//! Commands of probes that name a variable of v1's. In those alone the kubelet puts the text that stands in the manifest,
//! which for a reference to a field is none (kubernetes v1.36.3 `pkg/kubelet/container/helpers.go`,
//! `ExpandContainerCommandOnlyStatic`).

use std::collections::HashMap;

use super::Sources;
use super::env::with_values;
use crate::api::meta::PROBES;
use crate::api::pod::{Container, EnvVar};
use crate::convert::finding::{Code, Outcome};
use crate::convert::launch::Launch;
use crate::convert::ledger::Ledger;

/// Notes where the command of a probe of `container` names a variable that v1 sets to a text, and v2 finds in the pod.
pub(super) fn report(
    container: &Container,
    launch: &Launch,
    sources: &Sources,
    at: &str,
    ledger: &mut Ledger,
) {
    let is_text = |variable: &&EnvVar| {
        let value = variable.value.as_deref();
        value.is_some_and(|value| !value.contains("$("))
    };
    let found: HashMap<_, _> = launch
        .env
        .iter()
        .filter(|variable| !is_text(variable))
        .map(|variable| (variable.name.clone(), None))
        .collect();
    for probe in PROBES {
        let command = container.rest.get(probe);
        let command = command.and_then(|probe| probe.pointer("/exec/command")?.as_array());
        for (index, item) in command.into_iter().flatten().enumerate() {
            let text = item.as_str().unwrap_or_default();
            for name in with_values(text, &found, &mut 0).2 {
                let at = format!("{at}.{probe}.exec.command[{index}]");
                let finding = sources.finding(Code::ProbeVariable, Outcome::Lost, &at);
                ledger.find(finding.had(format!("$({name})")));
            }
        }
    }
}
