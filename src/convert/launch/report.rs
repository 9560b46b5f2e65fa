//! What a launch changes, in words.

use crate::api::pytorchjob::{ElasticPolicy, PyTorchJob};

use super::{range, rewrite};
use crate::convert::finding::{Code, Finding, Outcome};
use crate::convert::ledger::Ledger;
use crate::convert::names::{JobName, Names};
use crate::convert::topology::Topology;

/// Notes what the launch changes, whatever form it is written in.
pub fn report(job: &PyTorchJob, topology: &Topology, names: &Names, ledger: &mut Ledger) {
    if topology.master.is_some() {
        let about = Finding::about(Code::MasterAddress, Outcome::Adapted, "MASTER_ADDR");
        ledger.find(about.change(old_host(names, "master"), names.first_host()));
    }
    let Some(elastic) = &job.spec.elastic_policy else {
        return;
    };
    report_range(elastic, topology, ledger);
    report_rendezvous(elastic, topology, names, ledger);
    match elastic.standalone {
        Some(true) => {
            let finding = Finding::new(Code::Standalone, Outcome::Adapted, field("standalone"));
            ledger.find(finding.change("PET_STANDALONE=\"\"", "PET_STANDALONE=1"));
        }
        Some(false) => ledger.is_default(field("standalone")),
        None => {}
    }
    if elastic
        .metrics
        .as_ref()
        .is_some_and(|metrics| *metrics != serde_json::json!([]))
    {
        let finding = Finding::new(Code::Autoscaling, Outcome::Lost, field("metrics"));
        ledger.find(finding.had("the HorizontalPodAutoscaler"));
    }
}

fn field(name: &str) -> String {
    format!("spec.elasticPolicy.{name}")
}

/// What v1 calls its first Master or Worker.
fn old_host(names: &Names, role: &str) -> String {
    match &names.job {
        JobName::Fixed(job) => format!("{job}-{role}-0"),
        JobName::Generated(prefix) => format!("{prefix}*-{role}-0"),
    }
}

fn report_range(elastic: &ElasticPolicy, topology: &Topology, ledger: &mut Ledger) {
    let given: Vec<_> = [
        ("minReplicas", elastic.min_replicas),
        ("maxReplicas", elastic.max_replicas),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|_| field(name)))
    .collect();
    let (min, max) = range(elastic, topology);
    let workers = topology.worker.as_ref().map_or(1, |worker| worker.replicas);
    if let Some(first) = given.first().cloned() {
        ledger.find(if (min, max) == (workers, workers) {
            let finding = Finding::new(Code::SmallDifference, Outcome::Adapted, first);
            finding
                .covering(given)
                .note("as many as there are workers; stands in PET_NNODES")
        } else {
            let finding = Finding::new(Code::ElasticRange, Outcome::Adapted, first);
            finding
                .covering(given)
                .change(
                    format!("{min} to {max} workers"),
                    format!("always {workers}"),
                )
                .note("torchrun still takes the range, but v2 adds and removes no pods")
        });
    }
    if topology.master.is_some() {
        let about = Finding::about(Code::ElasticRange, Outcome::Adapted, "PET_NNODES");
        ledger.find(
            about
                .had(format!("{min}:{max}"))
                .note("as under v1, the Master isn't counted, though torchrun runs there too"),
        );
    }
}

fn report_rendezvous(
    elastic: &ElasticPolicy,
    topology: &Topology,
    names: &Names,
    ledger: &mut Ledger,
) {
    let default_host = names.worker_host(0, topology.roles, topology.master.is_some());
    let new_host = match &elastic.rdzv_host {
        None => Some((old_host(names, "worker"), default_host)),
        Some(host) => rewrite(host, topology, names).map(|new| (host.clone(), new.text)),
    };
    let host = elastic.rdzv_host.is_some().then(|| field("rdzvHost"));
    if let Some((old, new)) = new_host {
        let at = "PET_RDZV_ENDPOINT";
        let finding = Finding::new(Code::RendezvousEndpoint, Outcome::Adapted, at);
        ledger.find(
            finding
                .covering(host.into_iter().collect())
                .change(old, new),
        );
    } else if let Some(host) = host {
        stands_in(host, "PET_RDZV_ENDPOINT", ledger);
    }
    if elastic.rdzv_port.is_some() {
        stands_in(field("rdzvPort"), "PET_RDZV_ENDPOINT", ledger);
    }
    if !elastic.rdzv_conf.is_empty() {
        stands_in(field("rdzvConf"), "PET_RDZV_CONF", ledger);
    }
}

fn stands_in(field: String, variable: &str, ledger: &mut Ledger) {
    let finding = Finding::new(Code::SmallDifference, Outcome::Adapted, field);
    ledger.find(finding.note(format!("stands in {variable}")));
}
