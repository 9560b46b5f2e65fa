//! Accepts connections, so many at a time, until it is told to stop; then waits for those that are open.
//!
//! More connections than may be open wait in the kernel's queue: those that are open are closed when their clients are
//! silent ([`Patience`]), so the wait has an end, and a client that waits a moment is better off than one that is reset.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tracing::warn;

use super::connection::{Connection, Patience, stop};
use super::in_flight::InFlight;
use super::tasks::Failure;
use crate::telemetry::Metrics;

/// How long to wait when the system has no file or memory left for another connection.
const EXHAUSTED: Duration = Duration::from_millis(500);

/// A socket, and what is served on it.
pub(super) struct Listener {
    pub(super) socket: TcpListener,
    /// Absent: plain HTTP.
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) app: Router,
    /// How many connections may be open.
    pub(super) connections: usize,
    pub(super) patience: Patience,
    /// Where this socket's requests are counted.
    pub(super) in_flight: InFlight,
    /// Absent: its connections aren't counted.
    pub(super) metrics: Option<Arc<Metrics>>,
    pub(super) stopped: watch::Receiver<bool>,
}

impl Listener {
    /// Serves until `stopped` turns true, and then until the last connection is closed.
    pub(super) async fn serve(self) -> Result<(), Failure> {
        let Self {
            socket,
            tls,
            app,
            connections,
            patience,
            in_flight,
            metrics,
            mut stopped,
        } = self;
        let seats = Arc::new(Semaphore::new(connections));
        let connection = Connection {
            tls,
            app,
            patience,
            in_flight,
            metrics,
            stopped: stopped.clone(),
        };
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                () = stop(&mut stopped) => break,
                Some(_) = open.join_next() => {}
                accepted = accept(&socket, &seats) => {
                    let (stream, client, seat) = accepted?;
                    let connection = connection.clone();
                    open.spawn(async move {
                        connection.serve(stream, client).await;
                        drop(seat);
                    });
                }
            }
        }
        drop(socket);
        while open.join_next().await.is_some() {}
        Ok(())
    }
}

/// Waits for a free seat, then for a client to take it.
async fn accept(
    socket: &TcpListener,
    seats: &Arc<Semaphore>,
) -> Result<(TcpStream, SocketAddr, OwnedSemaphorePermit), Failure> {
    let seat = Arc::clone(seats).acquire_owned().await?;
    loop {
        match socket.accept().await {
            Ok((stream, client)) => return Ok((stream, client, seat)),
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                warn!(%error, "no connection could be accepted; trying again");
                sleep(EXHAUSTED).await;
            }
        }
    }
}

/// A client that left before it was accepted is no matter of ours.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

#[cfg(test)]
mod tests;
