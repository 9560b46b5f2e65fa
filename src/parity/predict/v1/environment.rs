//! The variables that v1 appends to every container of a pod, in its order
//! (training-operator v1.9.3 `pkg/controller.v1/pytorch/{envvar,master,elastic}.go`).

use super::{Defaulted, port, replicas};
use crate::api::meta::{MASTER, WORKER};
use crate::api::pod::EnvVar;
use crate::api::pytorchjob::ElasticPolicy;

impl Defaulted<'_> {
    /// The variables of one pod.
    pub(super) fn environment(&self, role: &str, index: i32) -> Vec<EnvVar> {
        let mut env = vec![EnvVar::literal("PYTHONUNBUFFERED", "1")];
        let mut set = |name: &str, value: String| env.push(EnvVar::literal(name, value));
        if let Some(master) = &self.master {
            let (port, address) = (port(master), self.replica_name(MASTER, 0));
            let rank = if role == WORKER { index + 1 } else { index };
            set("MASTER_PORT", port.to_string());
            set("PET_MASTER_PORT", port.to_string());
            set("MASTER_ADDR", address.clone());
            set("PET_MASTER_ADDR", address);
            set("WORLD_SIZE", self.world_size().to_string());
            set("RANK", rank.to_string());
            set("PET_NODE_RANK", rank.to_string());
        }
        if let Some(processes) = self.processes() {
            set("PET_NPROC_PER_NODE", processes.to_owned());
        }
        match &self.job.spec.elastic_policy {
            Some(policy) => self.elastic(policy, &mut set),
            None => set("PET_NNODES", self.total().to_string()),
        }
        env
    }

    /// `nprocPerNode`, which is `auto` unless the elastic policy has its own.
    fn processes(&self) -> Option<&str> {
        let spec = &self.job.spec;
        let elastic = spec.elastic_policy.as_ref();
        let default = elastic
            .is_none_or(|policy| policy.nproc_per_node.is_none())
            .then_some("auto");
        spec.nproc_per_node.as_deref().or(default)
    }

    /// A number of processes that isn't a number counts as one.
    fn world_size(&self) -> i64 {
        let processes = self
            .processes()
            .and_then(|text| text.parse().ok())
            .unwrap_or(1);
        i64::from(self.total()).saturating_mul(processes)
    }

    fn elastic(&self, policy: &ElasticPolicy, set: &mut impl FnMut(&str, String)) {
        let host = policy
            .rdzv_host
            .clone()
            .unwrap_or_else(|| self.replica_name(WORKER, 0));
        let port = policy
            .rdzv_port
            .or_else(|| self.worker.as_ref().map(port))
            .unwrap_or_default();
        set("PET_RDZV_ENDPOINT", format!("{host}:{port}"));
        set(
            "PET_RDZV_BACKEND",
            policy
                .rdzv_backend
                .clone()
                .unwrap_or_else(|| "c10d".to_owned()),
        );
        let workers = self.worker.as_ref().map_or(0, replicas);
        let (least, most) = match (policy.min_replicas, policy.max_replicas) {
            (Some(least), Some(most)) => (least, most),
            (Some(only), None) | (None, Some(only)) => (only, only),
            (None, None) => (workers, workers),
        };
        set("PET_NNODES", format!("{least}:{most}"));
        if let Some(restarts) = policy.max_restarts {
            set("PET_MAX_RESTARTS", restarts.to_string());
        }
        if let Some(processes) = policy.nproc_per_node {
            set("PET_NPROC_PER_NODE", processes.to_string());
        }
        if let Some(id) = &policy.rdzv_id {
            set("PET_RDZV_ID", id.clone());
        }
        if !policy.rdzv_conf.is_empty() {
            let entries = policy
                .rdzv_conf
                .iter()
                .map(|conf| format!("{}={}", conf.key, conf.value));
            set("PET_RDZV_CONF", entries.collect::<Vec<_>>().join(","));
        }
        if policy.standalone == Some(true) {
            set("PET_STANDALONE", String::new());
        }
    }
}
