//! The port that v1 adds to the training container where none has its name (training-operator v1.9.3
//! `pytorch_defaults.go`): information only, but on the host's network.

use serde_json::Value;

use crate::api::Rest;
use crate::api::meta::{V1_CONTAINER, V1_DEFAULT_PORT, V1_PORT_NAME};
use crate::api::pod::{ContainerPort, PodTemplate};
use crate::convert::finding::{Code, Finding, Outcome};
use crate::convert::ledger::Ledger;
use crate::convert::topology::{Role, has_default_port_only};

/// The template of `role`, which it shares with all of `sharers`, with the ports that its pods need.
pub(super) fn template(role: &Role, sharers: &[&Role], ledger: &mut Ledger) -> PodTemplate {
    if is_on_host_network(role) {
        with_default_port(role)
    } else {
        without_odd_port(role, sharers, ledger)
    }
}

fn is_on_host_network(role: &Role) -> bool {
    role.spec.template.spec.rest.get("hostNetwork") == Some(&Value::Bool(true))
}

/// The template of `role`, with the port that v1 adds. On the host's network a port is the node's, and keeps a second pod off
/// it (kubernetes v1.36.3 `pkg/apis/core/v1/defaults.go`, `defaultHostNetworkPorts`).
fn with_default_port(role: &Role) -> PodTemplate {
    let mut template = role.spec.template.clone();
    for container in &mut template.spec.containers {
        let is_named = |port: &ContainerPort| port.name.as_deref() == Some(V1_PORT_NAME);
        if container.name == V1_CONTAINER && !container.ports.iter().any(is_named) {
            container.ports.push(ContainerPort {
                name: Some(V1_PORT_NAME.to_owned()),
                container_port: V1_DEFAULT_PORT,
                rest: Rest::new(),
            });
        }
    }
    template
}

/// The template of `role`, without v1's default port where only one of the sharers spells it out.
fn without_odd_port(role: &Role, sharers: &[&Role], ledger: &mut Ledger) -> PodTemplate {
    let mut template = role.spec.template.clone();
    let ports = |role: &&Role| -> Vec<_> {
        let containers = &role.spec.template.spec.containers;
        containers
            .iter()
            .map(|container| &container.ports)
            .cloned()
            .collect()
    };
    let [one, other] = sharers else {
        return template;
    };
    if ports(one) == ports(other) {
        return template;
    }
    for sharer in sharers {
        let containers = &sharer.spec.template.spec.containers;
        if let Some(index) = containers.iter().position(has_default_port_only) {
            let at = format!("{}.template.spec.containers[{index}].ports", sharer.path());
            let finding = Finding::new(Code::Ports, Outcome::Adapted, at);
            let port = format!("{V1_PORT_NAME} {V1_DEFAULT_PORT}");
            ledger.find(finding.change(port, "left out"));
        }
    }
    template
        .spec
        .containers
        .iter_mut()
        .filter(|container| has_default_port_only(container))
        .for_each(|container| container.ports.clear());
    template
}
