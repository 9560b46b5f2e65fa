//! Everything about a job that doesn't depend on the form in which it is written: pods, names, endings.

use crate::api::meta::MULTIKUEUE;
use crate::api::pod::PodTemplate;
use crate::api::pytorchjob::PyTorchJob;

use super::finding::{Code, Finding, Outcome};
use super::gang::{self, Gang};
use super::launch::{self, For, Launch};
use super::ledger::{Ledger, push_key};
use super::lifecycle::{self, JobPolicy};
use super::names::{JobName, Names};
use super::pod::{self, Context};
use super::target::{Style, Target};
use super::topology::{Role, Topology};

/// The pods of one replicated job.
#[derive(Debug)]
pub struct PodSet {
    /// Paths of the input's templates that it is made of.
    pub sources: Vec<String>,
    /// The converted template.
    pub template: PodTemplate,
    /// Input fields that stand in variables of its containers.
    pub launch: Launch,
    /// How its pods end.
    pub policy: JobPolicy,
}

/// A job, ready to be written in one form or another.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The input.
    pub job: &'a PyTorchJob,
    /// Its pods.
    pub topology: Topology<'a>,
    /// The v2 names.
    pub names: Names,
    /// Gang scheduling, if there is any.
    pub gang: Option<Gang>,
    /// The one pod set, or the Master's.
    pub node: PodSet,
    /// The Workers', in two roles.
    pub worker: Option<PodSet>,
}

impl<'a> Plan<'a> {
    /// Plans a valid job.
    ///
    /// # Errors
    /// The finding that refuses it.
    pub fn new(job: &'a PyTorchJob, target: &Target, ledger: &mut Ledger) -> Result<Self, Finding> {
        let topology = Topology::read(job, target.layout, ledger)?;
        let names = names(job, &topology, target, ledger)?;
        let gang = gang::plan(job, &topology, target.gang, ledger)?;
        for role in topology.each() {
            pod::report_ignored(
                &role.spec.template,
                &format!("{}.template", role.path()),
                ledger,
            );
            report_unknown(&role.path(), role.spec.rest.keys(), ledger);
        }
        launch::report(job, &topology, &names, ledger);
        lifecycle::report(job, &topology, ledger);
        report_object(job, &topology, ledger);
        let mut pod_set = |role: &Role, sharers: &[&Role], whose| {
            let launch = launch::environment(job, &topology, &names, whose);
            let sources: Vec<_> = sharers
                .iter()
                .map(|role| format!("{}.template", role.path()))
                .collect();
            let context = Context {
                topology: &topology,
                names: &names,
                role: whose,
                launch: &launch,
            };
            let mut template = pod::convert(&role.spec.template, &sources, context, ledger)?;
            if let Some(gang) = &gang {
                gang.mark(&mut template);
            }
            let policy = lifecycle::job_policy(role, job, &topology);
            Ok::<_, Finding>(PodSet {
                sources,
                template,
                launch,
                policy,
            })
        };
        let (node, worker) = match (&topology.master, &topology.worker) {
            (Some(master), Some(worker)) if topology.roles => (
                pod_set(master, &[master], For::Master)?,
                Some(pod_set(worker, &[worker], For::Workers)?),
            ),
            _ => {
                let sharers: Vec<_> = topology.each().collect();
                let first = topology.first().ok_or_else(no_replicas)?;
                (pod_set(first, &sharers, For::All)?, None)
            }
        };
        Ok(Self {
            job,
            topology,
            names,
            gang,
            node,
            worker,
        })
    }

    /// The name by which people know the job: without what the API server appends.
    #[must_use]
    pub fn base_name(&self) -> &str {
        match &self.names.job {
            JobName::Fixed(name) => name,
            JobName::Generated(prefix) => prefix.trim_end_matches('-'),
        }
    }
}

fn no_replicas() -> Finding {
    Finding::new(
        Code::InvalidJob,
        Outcome::Refused,
        "spec.pytorchReplicaSpecs",
    )
    .had("no replicas")
}

fn names(
    job: &PyTorchJob,
    topology: &Topology,
    target: &Target,
    ledger: &mut Ledger,
) -> Result<Names, Finding> {
    let (at, name) = match (&job.metadata.name, &job.metadata.generate_name) {
        (None, Some(prefix)) => ("metadata.generateName", JobName::Generated(prefix.clone())),
        (name, _) => (
            "metadata.name",
            JobName::Fixed(name.clone().unwrap_or_default()),
        ),
    };
    let (first, workers) = match (&topology.master, &topology.worker) {
        (Some(master), Some(worker)) if topology.roles => (master.replicas, Some(worker.replicas)),
        _ => (topology.total(), None),
    };
    let short_allowed = target.style == Style::Exact && target.generate;
    let names = Names::choose(&name, first, workers, short_allowed).map_err(|too_long| {
        Finding::new(Code::NameTooLong, Outcome::Refused, at)
            .had(format!("{} characters", too_long.length))
            .note(format!(
                "at most {} characters leave room for the names of its pods",
                too_long.limit
            ))
    })?;
    if names.is_short() {
        let about = Finding::about(Code::ShortJobName, Outcome::Adapted, at);
        ledger.find(about.change("node, worker", format!("{}, {}", names.node, names.worker)));
    }
    Ok(names)
}

/// Notes what is the same for every form: kind, status, replicas, and fields that nobody knows.
fn report_object(job: &PyTorchJob, topology: &Topology, ledger: &mut Ledger) {
    for at in ["apiVersion", "kind"] {
        ledger.find(Finding::new(Code::ObjectKind, Outcome::Adapted, at));
    }
    if job.status.is_some() {
        ledger.find(Finding::new(Code::ServerFields, Outcome::Adapted, "status"));
    }
    report_unknown("", job.rest.keys(), ledger);
    report_unknown("spec", job.spec.rest.keys(), ledger);
    report_unknown("spec.runPolicy", job.spec.run_policy.rest.keys(), ledger);
    if let Some(elastic) = &job.spec.elastic_policy {
        report_unknown("spec.elasticPolicy", elastic.rest.keys(), ledger);
        for (index, conf) in elastic.rdzv_conf.iter().enumerate() {
            report_unknown(
                &format!("spec.elasticPolicy.rdzvConf[{index}]"),
                conf.rest.keys(),
                ledger,
            );
        }
    }
    let pods = topology.total();
    for role in topology.each().filter(|role| role.spec.replicas.is_some()) {
        let finding = Finding::new(
            Code::NodeCount,
            Outcome::Adapted,
            format!("{}.replicas", role.path()),
        );
        let new = if topology.roles {
            format!("replicas {}", role.replicas)
        } else {
            format!("numNodes {pods}")
        };
        ledger.find(finding.change(role.replicas.to_string(), new));
    }
    match job.spec.run_policy.suspend {
        Some(true) => ledger.to_trainjob("spec.runPolicy.suspend", "spec.suspend"),
        Some(false) => ledger.is_default("spec.runPolicy.suspend"),
        None => {}
    }
    ledger.to_trainjob(
        "spec.runPolicy.activeDeadlineSeconds",
        "spec.activeDeadlineSeconds",
    );
    if job.spec.run_policy.managed_by.as_deref() == Some(MULTIKUEUE) {
        ledger.to_trainjob("spec.runPolicy.managedBy", "spec.managedBy");
    }
}

fn report_unknown<'k>(below: &str, keys: impl Iterator<Item = &'k String>, ledger: &mut Ledger) {
    for key in keys {
        let mut at = below.to_owned();
        push_key(&mut at, key);
        ledger.find(Finding::new(Code::UnknownField, Outcome::Lost, at));
    }
}
