//! Launch parity: the environment that v1 gives a training process, said in v2's terms.
//!
//! v1 appends these variables to every container (training-operator v1.9.3 `pkg/controller.v1/pytorch/envvar.go`,
//! `master.go`, `elastic.go`). Trainer sets no RANK, WORLD_SIZE, MASTER_ADDR or MASTER_PORT, so that without them
//! `python train.py` on four nodes would train four models.

mod report;

use crate::api::meta::{
    JOB_COMPLETION_INDEX, JOBSET_GLOBAL_INDEX, JOBSET_NAME, V1_CONTAINER, V1_DEFAULT_PORT,
    V1_PORT_NAME,
};
use crate::api::pod::EnvVar;
use crate::api::pytorchjob::{ElasticPolicy, PyTorchJob};

use super::names::{JobName, Names, Rewritten, V1Pod, rewrite_hosts};
use super::topology::{Role, Topology};

pub use report::report;

/// Variables that Trainer's torch policy sets by itself and refuses in `trainer.env`
/// (trainer v2.3.0 `pkg/constants`, `TorchRunReservedEnvNames`).
pub const RESERVED: [&str; 5] = [
    "PET_MASTER_ADDR",
    "PET_MASTER_PORT",
    "PET_NNODES",
    "PET_NODE_RANK",
    "PET_NPROC_PER_NODE",
];

/// Name of the variable that the literal number of processes stands in.
pub const PROCESSES: &str = "PET_NPROC_PER_NODE";

/// The variables of one role, in v1's order, and which input field each comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Launch {
    /// Variables to append to every container.
    pub env: Vec<EnvVar>,
    /// Input fields that stand in a variable as they are: path and name of the variable.
    pub carried: Vec<(String, &'static str)>,
}

/// Who a launch is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum For {
    /// Every pod of the one pod set.
    All,
    /// The Master of two roles.
    Master,
    /// The Workers of two roles.
    Workers,
}

/// The environment of `role`'s pods.
#[must_use]
pub fn environment(job: &PyTorchJob, topology: &Topology, names: &Names, role: For) -> Launch {
    let mut launch = Launch::default();
    let mut set = |variable| launch.env.push(variable);
    if matches!(names.job, JobName::Generated(_)) {
        set(EnvVar::field(
            names.variable,
            &format!("metadata.labels['{JOBSET_NAME}']"),
        ));
    }
    set(EnvVar::literal("PYTHONUNBUFFERED", "1"));
    if let Some(master) = &topology.master {
        let port = port(master).to_string();
        let host = names.first_host();
        set(EnvVar::literal("MASTER_PORT", port.clone()));
        set(EnvVar::literal("PET_MASTER_PORT", port));
        set(EnvVar::literal("MASTER_ADDR", host.clone()));
        set(EnvVar::literal("PET_MASTER_ADDR", host));
        let processes = job
            .spec
            .nproc_per_node
            .as_deref()
            .and_then(|text| text.parse::<i32>().ok())
            .unwrap_or(1);
        set(EnvVar::literal(
            "WORLD_SIZE",
            (i64::from(topology.total()) * i64::from(processes)).to_string(),
        ));
        set(rank("RANK", topology, role));
        set(rank("PET_NODE_RANK", topology, role));
    }
    let elastic = job.spec.elastic_policy.as_ref();
    if let Some(processes) = &job.spec.nproc_per_node {
        set(EnvVar::literal(PROCESSES, processes.clone()));
        launch
            .carried
            .push(("spec.nprocPerNode".to_owned(), PROCESSES));
    } else if elastic.is_none_or(|elastic| elastic.nproc_per_node.is_none()) {
        set(EnvVar::literal(PROCESSES, "auto"));
    }
    match elastic {
        Some(elastic) => elastic_environment(elastic, topology, names, &mut launch),
        None => launch
            .env
            .push(EnvVar::literal("PET_NNODES", topology.total().to_string())),
    }
    launch
}

fn rank(name: &str, topology: &Topology, role: For) -> EnvVar {
    match role {
        For::All if topology.total() > 1 => EnvVar::field(
            name,
            &format!("metadata.annotations['{JOB_COMPLETION_INDEX}']"),
        ),
        For::All | For::Master => EnvVar::literal(name, "0"),
        For::Workers => EnvVar::field(
            name,
            &format!("metadata.annotations['{JOBSET_GLOBAL_INDEX}']"),
        ),
    }
}

/// The port named `pytorchjob-port` of the role's training container, as v1 defaults it.
fn port(role: &Role) -> i32 {
    let containers = &role.spec.template.spec.containers;
    containers
        .iter()
        .filter(|container| container.name == V1_CONTAINER)
        .flat_map(|container| &container.ports)
        .find(|port| port.name.as_deref() == Some(V1_PORT_NAME))
        .map_or(V1_DEFAULT_PORT, |port| port.container_port)
}

fn elastic_environment(
    elastic: &ElasticPolicy,
    topology: &Topology,
    names: &Names,
    launch: &mut Launch,
) {
    let carried = |launch: &mut Launch, field: &str, name: &'static str, value: String| {
        launch.env.push(EnvVar::literal(name, value));
        launch
            .carried
            .push((format!("spec.elasticPolicy.{field}"), name));
    };
    let port = elastic
        .rdzv_port
        .or_else(|| topology.worker.as_ref().map(port))
        .unwrap_or(V1_DEFAULT_PORT);
    let host = match &elastic.rdzv_host {
        None => names.worker_host(0, topology.roles, topology.master.is_some()),
        Some(host) => rewrite(host, topology, names).map_or_else(|| host.clone(), |new| new.text),
    };
    launch.env.push(EnvVar::literal(
        "PET_RDZV_ENDPOINT",
        format!("{host}:{port}"),
    ));
    match &elastic.rdzv_backend {
        Some(backend) => carried(launch, "rdzvBackend", "PET_RDZV_BACKEND", backend.clone()),
        None => launch.env.push(EnvVar::literal("PET_RDZV_BACKEND", "c10d")),
    }
    let (min, max) = range(elastic, topology);
    launch
        .env
        .push(EnvVar::literal("PET_NNODES", format!("{min}:{max}")));
    if let Some(restarts) = elastic.max_restarts {
        carried(
            launch,
            "maxRestarts",
            "PET_MAX_RESTARTS",
            restarts.to_string(),
        );
    }
    if let Some(processes) = elastic.nproc_per_node {
        carried(launch, "nProcPerNode", PROCESSES, processes.to_string());
    }
    if let Some(id) = &elastic.rdzv_id {
        carried(launch, "rdzvId", "PET_RDZV_ID", id.clone());
    }
    if !elastic.rdzv_conf.is_empty() {
        let pairs: Vec<_> = elastic
            .rdzv_conf
            .iter()
            .map(|conf| format!("{}={}", conf.key, conf.value))
            .collect();
        launch
            .env
            .push(EnvVar::literal("PET_RDZV_CONF", pairs.join(",")));
    }
    if elastic.standalone == Some(true) {
        launch.env.push(EnvVar::literal("PET_STANDALONE", "1"));
    }
}

/// Smallest and largest number of workers, as v1 defaults them (`pytorch_defaults.go`).
fn range(elastic: &ElasticPolicy, topology: &Topology) -> (i32, i32) {
    match (elastic.min_replicas, elastic.max_replicas) {
        (Some(min), Some(max)) => (min, max),
        (Some(only), None) | (None, Some(only)) => (only, only),
        (None, None) => {
            let workers = topology.worker.as_ref().map_or(1, |worker| worker.replicas);
            (workers, workers)
        }
    }
}

/// Puts v2 addresses in place of the names of v1's pods. A name that the API server has yet to make up can't stand in
/// any text.
#[must_use]
pub fn rewrite(text: &str, topology: &Topology, names: &Names) -> Option<Rewritten> {
    let JobName::Fixed(job) = &names.job else {
        return None;
    };
    let has_master = topology.master.is_some();
    let workers = topology.worker.as_ref().map_or(0, |worker| worker.replicas);
    rewrite_hosts(text, job, |pod| match pod {
        V1Pod::Master => has_master.then(|| names.first_host()),
        V1Pod::Worker(index) => {
            (index < workers).then(|| names.worker_host(index, topology.roles, has_master))
        }
    })
}

#[cfg(test)]
mod tests;
