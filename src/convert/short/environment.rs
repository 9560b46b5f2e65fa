//! Variables of the training container, and what a torch policy of the runtime says in their place.

use super::Writer;
use crate::api::pod::Container;
use crate::api::trainjob::Trainer;
use crate::convert::dialect::MAX_ITEMS;
use crate::convert::finding::{Code, Finding, Outcome};
use crate::convert::launch::{PROCESSES, RESERVED};

impl Writer<'_, '_> {
    /// Writes the variables of the container at `index`.
    pub(super) fn environment(&mut self, index: usize, from: &Container, to: &mut Trainer) {
        let at = format!(".spec.containers[{index}].env");
        let torch = self.base.has_torch_policy();
        to.env.clone_from(&from.env);
        if torch {
            to.env
                .retain(|variable| !RESERVED.contains(&variable.name.as_str()));
        }
        if to.env.len() > MAX_ITEMS {
            self.cannot(&at, format!("{} variables", to.env.len()));
            to.env.truncate(MAX_ITEMS);
        } else {
            self.moved(&at, "spec.trainer.env");
            let own = self.plan.node.own_variables(index);
            // Where variables were left out, the others stand elsewhere in the list, and are found by name.
            for (position, name) in own.iter().enumerate() {
                if to.env.get(position).is_none_or(|set| set.name != *name) {
                    self.moved(
                        &format!("{at}[{position}]"),
                        &format!("spec.trainer.env[{name}]"),
                    );
                }
            }
            if torch {
                self.reserved(&at, &own);
            }
        }
        for (field, name) in self.plan.node.launch.carried.clone() {
            if !torch || name != PROCESSES {
                self.ledger
                    .to_trainjob(field, format!("spec.trainer.env[{name}].value"));
            }
        }
        if torch {
            self.torch_policy(from, to);
        }
    }

    /// Variables of the user's own that a torch policy sets otherwise: v1 let them be, because without a Master it
    /// doesn't set them.
    fn reserved(&mut self, at: &str, own: &[String]) {
        let set_by_v1 = |name: &str| {
            self.plan
                .node
                .launch
                .env
                .iter()
                .any(|variable| variable.name == name)
        };
        let effective: Vec<_> = own
            .iter()
            .enumerate()
            .filter(|(_, name)| RESERVED.contains(&name.as_str()) && !set_by_v1(name))
            .collect();
        for (position, name) in effective {
            let finding = self.finding(
                Code::RuntimeCannot,
                Outcome::Lost,
                &format!("{at}[{position}]"),
            );
            self.unsaid.push(
                finding
                    .had(name.as_str())
                    .note("the runtime's torch policy sets this variable itself"),
            );
        }
    }

    /// What a torch policy of the runtime says instead of variables (trainer v2.3.0 `plugins/torch/torch.go`).
    fn torch_policy(&mut self, from: &Container, to: &mut Trainer) {
        let value = |name: &str| {
            from.env
                .iter()
                .rev()
                .find(|variable| variable.name == name)
                .and_then(|variable| variable.value.as_deref())
        };
        let carried = self
            .plan
            .node
            .launch
            .carried
            .iter()
            .find(|(_, name)| *name == PROCESSES);
        let field = carried
            .map_or("spec.nprocPerNode", |(field, _)| field.as_str())
            .to_owned();
        match value(PROCESSES) {
            Some(processes) if processes.parse::<i32>().is_ok() => {
                to.num_proc_per_node = processes.parse().ok();
                self.ledger
                    .to_trainjob(field, "spec.trainer.numProcPerNode");
            }
            Some("auto") => {
                let finding = Finding::new(Code::ProcPerNode, Outcome::Adapted, field);
                self.ledger
                    .find(finding.change("auto", "auto, as Trainer computes it"));
            }
            Some(other) => {
                let finding = Finding::new(Code::ProcPerNode, Outcome::Lost, field);
                self.unsaid.push(
                    finding
                        .had(other)
                        .note("a torch policy takes a number only"),
                );
            }
            None => {}
        }
        if let Some(port) = value("PET_MASTER_PORT").filter(|port| *port != "29500") {
            let about = Finding::about(Code::MasterAddress, Outcome::Adapted, "PET_MASTER_PORT");
            self.ledger.find(
                about
                    .change(port, "29500")
                    .note("torchrun's port is Trainer's own; MASTER_PORT is kept"),
            );
        }
        if let Some(range) = value("PET_NNODES").filter(|range| range.contains(':')) {
            let finding = Finding::new(
                Code::ElasticRange,
                Outcome::Lost,
                "spec.elasticPolicy.minReplicas",
            );
            let covers =
                ["minReplicas", "maxReplicas"].map(|field| format!("spec.elasticPolicy.{field}"));
            let note = "a torch policy sets PET_NNODES to the number of pods";
            self.unsaid
                .push(finding.covering(covers.to_vec()).had(range).note(note));
        }
    }
}
