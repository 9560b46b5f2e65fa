//! Ports of a container, which Trainer merges: two of one number, or two without a name, it takes for the same one, and
//! then makes a `JobSet` that the API server refuses (trainer v2.3.0 `pkg/apply/apply.go`, `byContainerPortOrName`).

use std::collections::BTreeSet;

use crate::api::pod::{Container, ContainerPort, PodTemplate};
use crate::convert::finding::{Code, Finding, Outcome};
use crate::convert::ledger::Ledger;
use crate::convert::plan::PodSet;

/// Makes the ports of each container of `template` different in Trainer's eyes. The template will stand at `place`.
pub(super) fn tell_apart(
    pods: &PodSet,
    template: &mut PodTemplate,
    place: &str,
    ledger: &mut Ledger,
) {
    let spec = &mut template.spec;
    for (list, containers) in [
        ("containers", &mut spec.containers),
        ("initContainers", &mut spec.init_containers),
    ] {
        for (index, container) in containers.iter_mut().enumerate() {
            let at = format!(".spec.{list}[{index}].ports");
            if !is_clear(&container.ports) {
                one_container(pods, container, &at, place, ledger);
            }
        }
    }
}

fn is_clear(ports: &[ContainerPort]) -> bool {
    let mut numbers = BTreeSet::new();
    let nameless = ports.iter().filter(|port| is_nameless(port)).count();
    nameless <= 1 && ports.iter().all(|port| numbers.insert(port.container_port))
}

fn is_nameless(port: &ContainerPort) -> bool {
    port.name.as_deref().is_none_or(str::is_empty)
}

fn one_container(
    pods: &PodSet,
    container: &mut Container,
    at: &str,
    place: &str,
    ledger: &mut Ledger,
) {
    let finding = |position: usize, outcome| {
        let fields: Vec<_> = pods
            .sources
            .iter()
            .map(|source| format!("{source}{at}[{position}]"))
            .collect();
        let first = fields.first().cloned().unwrap_or_default();
        Finding::new(Code::Ports, outcome, first).covering(fields)
    };
    let ports = std::mem::take(&mut container.ports);
    let taken: BTreeSet<_> = ports.iter().filter_map(|port| port.name.clone()).collect();
    let mut numbers = BTreeSet::new();
    let mut kept: Vec<ContainerPort> = Vec::new();
    for (position, mut port) in ports.into_iter().enumerate() {
        let number = port.container_port;
        if !numbers.insert(number) {
            let lost = finding(position, Outcome::Lost).had(number.to_string());
            ledger.find(lost.note("Trainer takes two ports of one number for the same"));
            continue;
        }
        if is_nameless(&port) {
            let mut name = format!("port-{number}");
            while taken.contains(&name) {
                name.insert(0, 'x');
            }
            let about = finding(position, Outcome::Adapted).covering(Vec::new());
            let note = "Trainer takes two ports without a name for the same";
            ledger.find(about.change(number.to_string(), name.as_str()).note(note));
            port.name = Some(name);
        }
        for source in &pods.sources {
            ledger.to_runtime(
                format!("{source}{at}[{position}]"),
                format!("{place}{at}[{}]", kept.len()),
            );
        }
        kept.push(port);
    }
    container.ports = kept;
}
