//! What can be typed after `trainshift serve`. Its text is the help; what it means is [`super::settings`].

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::api::meta::KUEUE_CONTROLLER;
use crate::cli::cluster::GangScheduler;
use crate::policy::Mode;
use crate::telemetry::logs::Format;

/// Serve the admission webhook. Without flags: a self-signed certificate, mode warn, no cluster.
#[derive(Args, Debug)]
pub(in crate::cli) struct Flags {
    /// Where the webhook listens (HTTPS); port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:8443")]
    pub(super) bind: SocketAddr,

    /// Where /livez, /readyz and /metrics are (HTTP); port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:8080")]
    pub(super) admin: SocketAddr,

    /// What happens to a new PyTorchJob for which no policy says otherwise [default: audit with a cluster, warn without]
    #[arg(long, value_name = "audit|warn|deny")]
    pub(super) mode: Option<Mode>,

    /// File of MigrationPolicies that count instead of the cluster's; read again whenever it changes
    #[arg(long, value_name = "FILE")]
    pub(super) policy: Option<PathBuf>,

    /// What the v1 operator runs with as --gang-scheduler-name
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    pub(super) gang_scheduler: GangScheduler,

    /// A user whose business it is to start jobs that wait in a queue, instead of Kueue's; may be repeated
    #[arg(
        long,
        value_name = "USER",
        default_value = KUEUE_CONTROLLER
    )]
    pub(super) queue_controller: Vec<String>,

    /// Directory with tls.crt and tls.key; without it a certificate is made at every start
    #[arg(long, value_name = "DIR")]
    pub(super) tls_dir: Option<PathBuf>,

    /// The cluster to ask for Trainer's version, runtimes and rights [default: the pod's own; outside a pod, none]
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    pub(super) kubeconfig: Option<PathBuf>,

    /// A context of the kubeconfig
    #[arg(long, value_name = "NAME", conflicts_with = "offline")]
    pub(super) context: Option<String>,

    /// Ask no cluster, in a pod as well
    #[arg(long)]
    pub(super) offline: bool,

    /// Seconds between a signal and the last new connection, for others to learn that this one ends
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub(super) drain_seconds: u64,

    /// Seconds between a signal and the end at the latest; keep it below terminationGracePeriodSeconds
    #[arg(long, value_name = "SECONDS", default_value_t = 25)]
    pub(super) grace_seconds: u64,

    /// Count requests by namespace in the metrics, for the first N namespaces that are seen; the rest are one. 0: not at all
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=1000))]
    pub(super) metrics_namespaces: u16,

    /// How the log is written
    #[arg(long, value_name = "text|json", default_value = "text")]
    pub(super) log_format: Format,

    /// What is logged: error, warn, info, debug, trace, or by module, such as info,trainshift=debug
    #[arg(long, value_name = "FILTER", env = "RUST_LOG", default_value = "info")]
    pub(super) log_level: String,

    #[command(flatten)]
    pub(super) bounds: Bounds,
}

/// Bounds that nobody should have to change, for tests and emergencies.
#[derive(Args, Debug)]
pub(super) struct Bounds {
    // With those of the admin port below 1024, the usual limit on open files outside containers.
    #[arg(long, hide = true, value_name = "N", default_value_t = 512)]
    pub(super) max_connections: usize,

    #[arg(long, hide = true, value_name = "N")]
    pub(super) max_requests: Option<usize>,

    #[arg(long, hide = true, value_name = "MILLISECONDS")]
    pub(super) request_deadline: Option<u64>,

    #[arg(long, hide = true, value_name = "MILLISECONDS")]
    pub(super) handshake_timeout: Option<u64>,

    #[arg(long, hide = true, value_name = "MILLISECONDS")]
    pub(super) header_timeout: Option<u64>,

    #[arg(long, hide = true, value_name = "MILLISECONDS")]
    pub(super) idle_timeout: Option<u64>,
}
