//! What the flags of `serve` mean: checked, with defaults filled in.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Error, ensure};
use tracing_subscriber::EnvFilter;

use super::flags::{Bounds, Flags};
use crate::convert::target::Target;
use crate::discovery::Connection;
use crate::policy::Mode;
use crate::server::{self, Limits, Patience};
use crate::telemetry::logs::{self, Format};

/// Everything that `serve` needs to know.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) server: server::Settings,
    /// For what no policy speaks of.
    pub(super) mode: Mode,
    /// Absent: the cluster's policies count.
    pub(super) policy: Option<PathBuf>,
    /// Absent: no cluster is asked.
    pub(super) cluster: Option<Connection>,
    /// What conversions should be like, as far as the cluster doesn't say.
    pub(super) wishes: Target,
    /// Who may start what waits in a queue.
    pub(super) queue_controllers: Vec<String>,
    /// Absent: a certificate is made.
    pub(super) tls_dir: Option<PathBuf>,
    /// How many namespaces have metrics of their own.
    pub(super) metrics_namespaces: usize,
    pub(super) log_format: Format,
    pub(super) log_filter: EnvFilter,
}

impl TryFrom<Flags> for Settings {
    type Error = Error;

    fn try_from(flags: Flags) -> Result<Self, Error> {
        let Flags {
            drain_seconds,
            grace_seconds,
            ref log_level,
            ..
        } = flags;
        ensure!(
            drain_seconds < grace_seconds,
            "--drain-seconds {drain_seconds} leaves nothing of --grace-seconds {grace_seconds} for requests to end; make it smaller"
        );
        let log_filter = logs::filter(log_level)
            .with_context(|| format!("--log-level (or RUST_LOG) {log_level:?} is no filter; try info or info,trainshift=debug"))?;
        let named = flags.kubeconfig.is_some() || flags.context.is_some();
        let cluster = (named || (in_a_pod() && !flags.offline)).then_some(Connection {
            kubeconfig: flags.kubeconfig,
            context: flags.context,
        });
        let unset = if cluster.is_some() {
            Mode::Audit
        } else {
            Mode::Warn
        };
        Ok(Self {
            server: server::Settings {
                bind: flags.bind,
                admin: flags.admin,
                drain: Duration::from_secs(drain_seconds),
                grace: Duration::from_secs(grace_seconds),
                connections: flags.bounds.max_connections,
                patience: patience(&flags.bounds),
                limits: limits(&flags.bounds),
            },
            mode: flags.mode.unwrap_or(unset),
            policy: flags.policy,
            cluster,
            wishes: Target {
                gang: flags.gang_scheduler.meant(),
                ..Target::default()
            },
            queue_controllers: flags.queue_controller,
            tls_dir: flags.tls_dir,
            metrics_namespaces: flags.metrics_namespaces.into(),
            log_format: flags.log_format,
            log_filter,
        })
    }
}

/// Whether Kubernetes runs this process. A kubeconfig that merely lies about is nobody's wish to have that cluster asked.
fn in_a_pod() -> bool {
    std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
}

fn patience(bounds: &Bounds) -> Patience {
    let usual = Patience::default();
    let or = |given: Option<u64>, usual| given.map_or(usual, Duration::from_millis);
    Patience {
        handshake: or(bounds.handshake_timeout, usual.handshake),
        headers: or(bounds.header_timeout, usual.headers),
        idle: or(bounds.idle_timeout, usual.idle),
    }
}

fn limits(bounds: &Bounds) -> Limits {
    let usual = Limits::default();
    Limits {
        concurrency: bounds.max_requests.unwrap_or(usual.concurrency),
        deadline: bounds
            .request_deadline
            .map_or(usual.deadline, Duration::from_millis),
        ..usual
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        flags: Flags,
    }

    fn settings(args: &[&str]) -> Result<Settings, Error> {
        let typed = Typed::try_parse_from([&["serve"], args].concat())?;
        Settings::try_from(typed.flags)
    }

    #[test]
    fn warns_without_a_cluster_and_audits_with_one() {
        assert_eq!(settings(&[]).unwrap().mode, Mode::Warn);
        assert_eq!(settings(&["--context", "test"]).unwrap().mode, Mode::Audit);
        assert_eq!(
            settings(&["--context", "test", "--mode", "Deny"])
                .unwrap()
                .mode,
            Mode::Deny
        );
    }

    #[test]
    fn answers_before_the_api_server_gives_up() {
        let server = settings(&[]).unwrap().server;
        assert!(server.limits.deadline < Duration::from_secs(10));
        assert!(server.drain < server.grace);
    }

    #[test]
    fn rejects_a_drain_that_takes_the_whole_grace() {
        let error = settings(&["--drain-seconds", "25"])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("--drain-seconds 25") && error.contains("--grace-seconds 25"),
            "{error}"
        );
    }

    #[test]
    fn rejects_words_that_mean_nothing_and_names_those_that_do() {
        for (args, hint) in [
            (["--mode", "strict"], "choose audit, warn or deny"),
            (["--log-format", "xml"], "choose text or json"),
            (
                ["--log-level", "trainshift=loud"],
                "--log-level (or RUST_LOG)",
            ),
        ] {
            let error = settings(&args).unwrap_err().to_string();
            assert!(error.contains(hint), "{args:?}: {error}");
        }
    }

    #[test]
    fn rejects_a_cluster_and_none() {
        assert!(settings(&["--offline", "--context", "test"]).is_err());
    }
}
