//! Launch parity: the environment that v1 gives a training process, said in v2's terms.
//!
//! v1 appends these variables to every container (training-operator v1.9.3 `pkg/controller.v1/pytorch/envvar.go`,
//! `master.go`, `elastic.go`). Trainer sets no RANK, WORLD_SIZE, MASTER_ADDR or MASTER_PORT, so that without them
//! `python train.py` on four nodes would train four models.

use crate::api::meta::{
    JOB_COMPLETION_INDEX, JOBSET_GLOBAL_INDEX, JOBSET_NAME, V1_CONTAINER, V1_DEFAULT_PORT,
    V1_PORT_NAME,
};
use crate::api::pod::EnvVar;
use crate::api::pytorchjob::{ElasticPolicy, PyTorchJob};

use super::finding::{Code, Finding, Outcome};
use super::ledger::Ledger;
use super::names::{JobName, NAME_VARIABLE, Names, V1Pod, rewrite_hosts};
use super::topology::{Role, Topology};

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
            NAME_VARIABLE,
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
            topology.total().saturating_mul(processes).to_string(),
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
    let workers = topology.worker.as_ref().map_or(1, |worker| worker.replicas);
    let port = elastic
        .rdzv_port
        .or_else(|| topology.worker.as_ref().map(port))
        .unwrap_or(V1_DEFAULT_PORT);
    let host = match &elastic.rdzv_host {
        None => names.worker_host(0, topology.roles, topology.master.is_some()),
        Some(host) => rewrite(host, topology, names).unwrap_or_else(|| host.clone()),
    };
    launch.env.push(EnvVar::literal(
        "PET_RDZV_ENDPOINT",
        format!("{host}:{port}"),
    ));
    match &elastic.rdzv_backend {
        Some(backend) => carried(launch, "rdzvBackend", "PET_RDZV_BACKEND", backend.clone()),
        None => launch.env.push(EnvVar::literal("PET_RDZV_BACKEND", "c10d")),
    }
    let (min, max) = match (elastic.min_replicas, elastic.max_replicas) {
        (Some(min), Some(max)) => (min, max),
        (Some(only), None) | (None, Some(only)) => (only, only),
        (None, None) => (workers, workers),
    };
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

/// Puts v2 addresses in place of v1 pod names. A name that the API server has yet to make up can't stand in any text.
#[must_use]
pub fn rewrite(text: &str, topology: &Topology, names: &Names) -> Option<String> {
    let JobName::Fixed(job) = &names.job else {
        return None;
    };
    let has_master = topology.master.is_some();
    rewrite_hosts(text, job, |pod| match pod {
        V1Pod::Master => names.first_host(),
        V1Pod::Worker(index) => names.worker_host(index, topology.roles, has_master),
    })
}

/// Notes what the launch changes, whatever form it is written in.
pub fn report(job: &PyTorchJob, topology: &Topology, names: &Names, ledger: &mut Ledger) {
    if topology.master.is_some() {
        let old = match &names.job {
            JobName::Fixed(job) => format!("{job}-master-0"),
            JobName::Generated(prefix) => format!("{prefix}*-master-0"),
        };
        let about = Finding::about(Code::MasterAddress, Outcome::Adapted, "MASTER_ADDR");
        ledger.find(about.change(old, names.first_host()));
    }
    let Some(elastic) = &job.spec.elastic_policy else {
        return;
    };
    let field = |name: &str| format!("spec.elasticPolicy.{name}");
    let range = [
        ("minReplicas", elastic.min_replicas),
        ("maxReplicas", elastic.max_replicas),
    ];
    let given: Vec<_> = range
        .iter()
        .filter_map(|(name, value)| value.map(|_| field(name)))
        .collect();
    if elastic.min_replicas != elastic.max_replicas || !given.is_empty() {
        let pods = topology.total();
        let old = range
            .map(|(_, value)| value.map_or_else(|| "unset".to_owned(), |value| value.to_string()))
            .join(" to ");
        let finding = Finding::new(Code::ElasticRange, Outcome::Adapted, field("minReplicas"))
            .covering(given);
        ledger.find(finding.change(
            format!("{old} workers"),
            format!("{pods} pods, PET_NNODES keeps the range"),
        ));
    }
    report_rendezvous(elastic, topology, names, ledger);
    if elastic.standalone.is_some() {
        let finding = Finding::new(Code::Standalone, Outcome::Adapted, field("standalone"));
        if elastic.standalone == Some(true) {
            ledger.find(finding.change("PET_STANDALONE=\"\"", "PET_STANDALONE=1"));
        } else {
            ledger.is_default(field("standalone"));
        }
    }
    if elastic.metrics.is_some() {
        let finding = Finding::new(Code::Autoscaling, Outcome::Lost, field("metrics"));
        ledger.find(finding.had("the HorizontalPodAutoscaler"));
    }
}

fn report_rendezvous(
    elastic: &ElasticPolicy,
    topology: &Topology,
    names: &Names,
    ledger: &mut Ledger,
) {
    let field = |name: &str| format!("spec.elasticPolicy.{name}");
    let default_host = names.worker_host(0, topology.roles, topology.master.is_some());
    let new_host = match &elastic.rdzv_host {
        None => Some(("<job>-worker-0".to_owned(), default_host)),
        Some(host) => rewrite(host, topology, names).map(|new| (host.clone(), new)),
    };
    let hosts = elastic.rdzv_host.is_some().then(|| field("rdzvHost"));
    match new_host {
        Some((old, new)) => {
            let finding = Finding::new(
                Code::RendezvousEndpoint,
                Outcome::Adapted,
                "PET_RDZV_ENDPOINT",
            );
            ledger.find(
                finding
                    .covering(hosts.into_iter().collect())
                    .change(old, new),
            );
        }
        None => same(hosts, "part of PET_RDZV_ENDPOINT", ledger),
    }
    same(
        elastic.rdzv_port.map(|_| field("rdzvPort")),
        "part of PET_RDZV_ENDPOINT",
        ledger,
    );
    same(
        (!elastic.rdzv_conf.is_empty()).then(|| field("rdzvConf")),
        "PET_RDZV_CONF",
        ledger,
    );
}

fn same(field: Option<String>, place: &str, ledger: &mut Ledger) {
    if let Some(field) = field {
        ledger.find(
            Finding::new(Code::SmallDifference, Outcome::Adapted, field)
                .note(format!("stands in {place}")),
        );
    }
}
