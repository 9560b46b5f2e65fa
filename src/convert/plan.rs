//! Everything about a job that doesn't depend on the form in which it is written: pods, names, endings.

mod ports;

use crate::api::meta::MULTIKUEUE;
use crate::api::pod::PodTemplate;
use crate::api::pytorchjob::{ElasticPolicy, PyTorchJob};

use super::finding::{Code, Finding, Outcome};
use super::gang::{self, Gang};
use super::launch::{self, For, Launch};
use super::ledger::{Ledger, child};
use super::lifecycle::{self, JobPolicy};
use super::names::{JobName, NAME_VARIABLE, Names, OTHER_NAME_VARIABLE};
use super::pod::{self, Context};
use super::sdk;
use super::target::{Dialect, Style, Target};
use super::topology::{Role, Topology};

/// Most pods of one Indexed Job (kubernetes v1.36.3 `pkg/apis/batch/validation`, `maxParallelismForIndexedJob`). Trainer
/// admits more, and then no Job is created.
const MOST_PODS: i32 = 100_000;

/// The pods of one replicated job.
#[derive(Debug)]
pub struct PodSet<'a> {
    /// The template as it stands in the input; the first, where two roles share the pod set.
    pub original: &'a PodTemplate,
    /// Paths of the input's templates that it is made of.
    pub sources: Vec<String>,
    /// The converted template.
    pub template: PodTemplate,
    /// Input fields that stand in variables of its containers.
    pub launch: Launch,
    /// How its pods end.
    pub policy: JobPolicy,
}

impl PodSet<'_> {
    /// Names of the variables that the input gives the container at `index`.
    #[must_use]
    pub fn own_variables(&self, index: usize) -> Vec<String> {
        let container = self.original.spec.containers.get(index);
        container
            .into_iter()
            .flat_map(|container| &container.env)
            .map(|variable| variable.name.clone())
            .collect()
    }
}

/// A job, ready to be written in one form or another.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The input.
    pub job: &'a PyTorchJob,
    /// The version of Trainer that it is written for.
    pub dialect: Dialect,
    /// Its pods.
    pub topology: Topology<'a>,
    /// The v2 names.
    pub names: Names,
    /// Gang scheduling, if there is any.
    pub gang: Option<Gang>,
    /// The one pod set, or the Master's.
    pub node: PodSet<'a>,
    /// The Workers', in two roles.
    pub worker: Option<PodSet<'a>>,
}

impl<'a> Plan<'a> {
    /// Plans a valid job.
    ///
    /// # Errors
    /// The finding that refuses it.
    pub fn new(job: &'a PyTorchJob, target: &Target, ledger: &mut Ledger) -> Result<Self, Finding> {
        lifecycle::refuse(&job.spec.run_policy, target.dialect)?;
        let topology = Topology::read(job, target.layout, ledger)?;
        if !topology.roles && topology.total() > MOST_PODS {
            let at = "spec.pytorchReplicaSpecs";
            let refused = Finding::new(Code::LayoutImpossible, Outcome::Refused, at);
            return Err(refused
                .had(format!("{} pods", topology.total()))
                .note(format!("a Job runs at most {MOST_PODS}")));
        }
        let names = names(job, &topology, target, ledger)?;
        let gang = gang::plan(job, &topology, target, ledger)?;
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
        let mut pod_set = |role: &Role<'a>, sharers: &[&Role<'a>], whose| {
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
            let mut template = ports::template(role, sharers, ledger);
            template = pod::convert(&template, &sources, context, ledger)?;
            if let Some(gang) = &gang {
                gang.mark(&mut template);
            }
            let policy = lifecycle::job_policy(role, job, &topology, target.dialect);
            Ok::<_, Finding>(PodSet {
                original: &role.spec.template,
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
        sdk::report(&node, ledger);
        Ok(Self {
            job,
            dialect: target.dialect,
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
    let mut names = Names::choose(&name, first, workers, short_allowed).map_err(|too_long| {
        Finding::new(Code::NameTooLong, Outcome::Refused, at)
            .had(format!("{} characters", too_long.length))
            .note(format!(
                "at most {} characters leave room for the names of its pods",
                too_long.limit
            ))
    })?;
    let taken = topology.each().any(|role| {
        let spec = &role.spec.template.spec;
        let containers = spec.containers.iter().chain(&spec.init_containers);
        let mut variables = containers.flat_map(|container| &container.env);
        variables.any(|variable| variable.name == NAME_VARIABLE)
    });
    if taken {
        names.variable = OTHER_NAME_VARIABLE;
    }
    if names.is_short() {
        let about = Finding::about(Code::ShortJobName, Outcome::Adapted, at);
        ledger.find(if workers.is_some() {
            about.change("node, worker", format!("{}, {}", names.node, names.worker))
        } else {
            about.change("node", names.node)
        });
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
    ledger.says_nothing("spec.runPolicy");
    if job.spec.elastic_policy == Some(ElasticPolicy::default()) {
        let finding = Finding::new(
            Code::SmallDifference,
            Outcome::Adapted,
            "spec.elasticPolicy",
        );
        ledger.find(finding.note("its defaults stand in PET_RDZV_* and PET_NNODES"));
    }
    for role in topology.each() {
        ledger.says_nothing(format!("{}.template.metadata", role.path()));
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
    if job.spec.run_policy.managed_by.as_deref() == Some(MULTIKUEUE) {
        ledger.to_trainjob("spec.runPolicy.managedBy", "spec.managedBy");
    }
}

fn report_unknown<'k>(below: &str, keys: impl Iterator<Item = &'k String>, ledger: &mut Ledger) {
    for key in keys {
        let at = child(below, key);
        ledger.find(Finding::new(Code::UnknownField, Outcome::Lost, at));
    }
}
