//! Sockets, certificates, readiness and shutdown.
//!
//! What comes in: [`Settings`], a router that judges, and [`Parts`] that the caller shares with the server. What goes out:
//! nothing while all is well, and one [`ServerError`] that says why it ended otherwise. What an admission review is, only
//! [`cluster`] and [`count`] know, which join admission to the live cluster and to the metrics.
//!
//! ```text
//! bind -> Listening -> run: listener (admin), listener (webhook: TLS -> limits -> router) -> ready
//!         SIGTERM: not ready -> drain time -> no new connections -> what is in flight ends -> Ok
//! ```
//!
//! HTTP is served with tokio-rustls and hyper-util rather than axum-server. axum-server has a handshake timeout, but no
//! bound on open connections, no limit on a client that finishes the handshake and then sends nothing (hyper's header
//! timeout begins only once a connection is known to be HTTP/1), and it doesn't tell whether a shutdown cut a request
//! off. The listener that does is [`listener`] and [`connection`], some 200 lines.

mod admin;
mod answers;
pub mod cluster;
mod connection;
pub mod count;
pub mod events;
mod in_flight;
mod limits;
mod listener;
pub mod policies;
pub mod ready;
pub mod self_signed;
mod shutdown;
pub mod standing;
pub mod tasks;
pub mod tls;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::telemetry::Metrics;
pub use connection::Patience;
use in_flight::InFlight;
pub use limits::Limits;
use listener::Listener;
use ready::Readiness;
use shutdown::{Shutdown, Signals};
use tasks::{Ended, Tasks};
use tls::{Certificates, TlsError};

/// How to serve.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the webhook listens (HTTPS). Port 0 takes a free one.
    pub bind: SocketAddr,
    /// Where `/livez`, `/readyz` and `/metrics` are (plain HTTP). Port 0 takes a free one.
    pub admin: SocketAddr,
    /// How long after a signal new connections are still accepted, so that those who route to us learn of it.
    pub drain: Duration,
    /// How long after a signal the process ends at the latest.
    pub grace: Duration,
    /// How many connections to the webhook may be open; more wait.
    pub connections: usize,
    /// How long a client may keep a connection waiting.
    pub patience: Patience,
    /// What one request may cost.
    pub limits: Limits,
}

/// The administrator's port serves kubelet and Prometheus: few, and never more than this.
const ADMIN_CONNECTIONS: usize = 128;

/// What the server shares with whoever starts it.
#[derive(Debug)]
pub struct Parts {
    /// The pair to show. Exchanging it while the server runs is up to its owner.
    pub certificates: Arc<Certificates>,
    /// Where requests and connections are counted.
    pub metrics: Arc<Metrics>,
    /// What `/readyz` reports. The server adds its own parts.
    pub readiness: Readiness,
    /// What must run as long as the server does.
    pub tasks: Tasks,
}

/// Why the server did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A socket could not be opened.
    #[error("cannot listen on {address} ({port}): {why}; free the address, or choose another one")]
    Listen {
        /// Which of the two.
        port: Port,
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        why: io::Error,
    },
    /// Signals can't be received.
    #[error("cannot receive SIGTERM and SIGINT: {0}")]
    Signals(io::Error),
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Something that must run has ended.
    #[error("{0}; the server goes down with it")]
    Task(Ended),
    /// The time after a signal was over.
    #[error(
        "{requests} request(s) were cut off: not answered {} s after the signal; a longer --grace-seconds (and terminationGracePeriodSeconds) would let them end",
        grace.as_secs()
    )]
    CutOff {
        /// How many had no answer yet.
        requests: usize,
        /// The time they had.
        grace: Duration,
    },
    /// A second signal came.
    #[error("ended at once by a second signal; {requests} request(s) were cut off")]
    SecondSignal {
        /// How many had no answer yet.
        requests: usize,
    },
}

/// Which socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// The one of the webhook.
    Webhook,
    /// The one of health and metrics.
    Admin,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Webhook => "--bind",
            Self::Admin => "--admin",
        })
    }
}

/// Both sockets are open: from here on clients are heard, and are answered once it runs.
#[derive(Debug)]
pub struct Listening {
    settings: Settings,
    webhook: TcpListener,
    admin: TcpListener,
    signals: Signals,
    /// The address of the webhook, with its real port.
    pub webhook_address: SocketAddr,
    /// The address of health and metrics, with its real port.
    pub admin_address: SocketAddr,
}

/// Opens both sockets, and begins to receive signals.
///
/// # Errors
/// When an address is taken or isn't ours, or signals can't be received.
pub async fn bind(settings: Settings) -> Result<Listening, ServerError> {
    let signals = Signals::receive().map_err(ServerError::Signals)?;
    let (webhook, webhook_address) = open(Port::Webhook, settings.bind).await?;
    let (admin, admin_address) = open(Port::Admin, settings.admin).await?;
    Ok(Listening {
        settings,
        webhook,
        admin,
        signals,
        webhook_address,
        admin_address,
    })
}

async fn open(port: Port, address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServerError> {
    let failed = |why| ServerError::Listen { port, address, why };
    let socket = TcpListener::bind(address).await.map_err(failed)?;
    let address = socket.local_addr().map_err(failed)?;
    Ok((socket, address))
}

impl Listening {
    /// Serves `webhook` until a signal comes, then shuts down in order.
    ///
    /// # Errors
    /// When a task ends, or a shutdown could not let every request end.
    pub async fn run(mut self, webhook: Router, parts: Parts) -> Result<(), ServerError> {
        let Parts {
            certificates,
            metrics,
            readiness,
            mut tasks,
        } = parts;
        let tls = readiness.part("tls");
        let accepting = readiness.part("webhook listener");
        let acceptor = TlsAcceptor::from(tls::server_config(certificates)?);
        tls.ready();

        let (stop, stopped) = watch::channel(false);
        let (_never, never_stopped) = watch::channel(false);
        let in_flight = InFlight::default();
        tasks.spawn(
            "admin listener",
            Listener {
                socket: self.admin,
                tls: None,
                app: admin::router(readiness.clone(), Arc::clone(&metrics)),
                connections: ADMIN_CONNECTIONS,
                patience: self.settings.patience,
                in_flight: InFlight::default(),
                metrics: None,
                stopped: never_stopped,
            }
            .serve(),
        );
        tasks.spawn(
            shutdown::WEBHOOK_LISTENER,
            Listener {
                socket: self.webhook,
                tls: Some(acceptor),
                app: limits::protect(webhook, self.settings.limits, Arc::clone(&metrics)),
                connections: self.settings.connections,
                patience: self.settings.patience,
                in_flight: in_flight.clone(),
                metrics: Some(metrics),
                stopped,
            }
            .serve(),
        );
        accepting.ready();

        let signal = tokio::select! {
            ended = tasks.next_end() => return Err(ServerError::Task(ended)),
            signal = self.signals.next() => signal,
        };
        Shutdown {
            drain: self.settings.drain,
            grace: self.settings.grace,
            accepting,
            stop,
            in_flight,
        }
        .run(signal, &mut tasks, self.signals.next())
        .await
    }
}

#[cfg(test)]
mod tests;
