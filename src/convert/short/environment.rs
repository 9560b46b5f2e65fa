//! Variables of the training container, and what a torch policy of the runtime says in their place.

use std::collections::HashSet;

use super::Writer;
use crate::api::Rest;
use crate::api::pod::{Container, EnvVar};
use crate::api::trainjob::Trainer;
use crate::convert::dialect::Dialect;
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
        self.moved(&at, "spec.trainer.env");
        let own = self.plan.node.own_variables(index);
        self.keep_within_limit(&at, &own, to);
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

    /// Leaves out the last of the user's own variables where there are too many. Never the launch's: without them each
    /// pod would train by itself.
    fn keep_within_limit(&mut self, at: &str, own: &[String], to: &mut Trainer) {
        let launch = &self.plan.node.launch.env;
        let is_own = |variable: &EnvVar| launch.iter().all(|set| set.name != variable.name);
        let most = self.plan.dialect.most_items("env");
        let room = most.saturating_sub(to.env.iter().filter(|set| !is_own(set)).count());
        let mut kept = 0;
        let mut left_out = HashSet::new();
        to.env.retain(|variable| {
            kept += usize::from(is_own(variable));
            let fits = !is_own(variable) || kept <= room;
            if !fits {
                left_out.insert(variable.name.clone());
            }
            fits
        });
        for (position, name) in own.iter().enumerate() {
            if left_out.contains(name) {
                let note = format!("a TrainJob has room for {most} variables");
                let field = format!("{at}[{position}]");
                let finding = self.finding(Code::RuntimeCannot, Outcome::Lost, &field);
                self.unsaid.push(finding.had(name.as_str()).note(note));
            }
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
        let finding = |outcome| Finding::new(Code::ProcPerNode, outcome, field.clone());
        match value(PROCESSES).map(|text| (text, text.parse::<i32>())) {
            Some((text, Ok(number))) => {
                to.num_proc_per_node = Some(number);
                if text == number.to_string() {
                    self.ledger
                        .to_trainjob(field, "spec.trainer.numProcPerNode");
                } else {
                    let finding = finding(Outcome::Adapted);
                    self.ledger.find(finding.change(text, number.to_string()));
                }
            }
            Some(("auto", _)) if stays_auto(&from.resources, self.plan.dialect) => {
                let finding = Finding::new(Code::SmallDifference, Outcome::Adapted, field);
                self.ledger.find(finding.note("auto under Trainer as well"));
            }
            Some(("auto", _)) => {
                let becomes = if names(&from.resources, |key| key == "cpu") {
                    "the number of CPUs"
                } else {
                    "1"
                };
                let note = "Trainer asks torchrun for as many processes as CPUs, and for one where none are named: no resource is called gpu";
                self.ledger
                    .find(finding(Outcome::Adapted).change("auto", becomes).note(note));
            }
            Some((other, _)) => self.unsaid.push(
                finding(Outcome::Lost)
                    .had(other)
                    .note("a torch policy takes a number only"),
            ),
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
        let pods = self.plan.topology.total();
        let same = format!("{pods}:{pods}");
        if let Some(range) =
            value("PET_NNODES").filter(|range| range.contains(':') && *range != same)
        {
            let fields =
                ["minReplicas", "maxReplicas"].map(|field| format!("spec.elasticPolicy.{field}"));
            let finding = Finding::about(Code::ElasticRange, Outcome::Lost, "PET_NNODES");
            self.unsaid.push(
                finding
                    .covering(fields.to_vec())
                    .change(range, pods.to_string())
                    .note("a torch policy sets it to the number of pods"),
            );
        }
    }
}

/// Whether a torch policy leaves `auto` to torchrun: with a GPU (trainer v2.3.0 `pkg/runtime/runtime.go`,
/// `GetNumGPUPerNode`), and under Trainer 2.0 where no resources are given (v2.0.1 `plugins/torch/torch.go`).
fn stays_auto(resources: &Rest, dialect: Dialect) -> bool {
    let none = resources.is_empty() && dialect.needs_requests();
    none || names(resources, |key| key.to_lowercase().contains("gpu"))
}

/// Whether there is some of a resource that is called so.
fn names(resources: &Rest, called: impl Fn(&str) -> bool) -> bool {
    ["requests", "limits"]
        .iter()
        .filter_map(|list| resources.get(*list)?.as_object())
        .flatten()
        .any(|(key, amount)| called(key) && amount != "0" && amount != 0)
}
