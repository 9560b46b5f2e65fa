//! The end in order: not ready, wait until nobody is sent here any more, no new connections, let requests end.
//!
//! What comes in: the first signal, and the future of a second one. What goes out: `Ok` when every request had its
//! answer, else the error that says how many had none. The wait is there because endpoints, kube-proxy and the API
//! server's own connections learn of a pod that ends some seconds after it does.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::info;

use super::ServerError;
use super::in_flight::InFlight;
use super::ready::Part;
use super::tasks::{Ended, How, Tasks};

/// The one task that ends in a shutdown, once its last connection is closed.
pub(super) const WEBHOOK_LISTENER: &str = "webhook listener";

/// SIGTERM, which Kubernetes sends, and SIGINT, which a terminal sends. Neither ends the process by itself any more.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn receive() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The name of the next signal.
    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// What a shutdown needs.
#[derive(Debug)]
pub(super) struct Shutdown {
    pub(super) drain: Duration,
    pub(super) grace: Duration,
    /// The part of readiness that is given up first.
    pub(super) accepting: Part,
    /// Set to true when no new connection is to be accepted.
    pub(super) stop: watch::Sender<bool>,
    /// The requests to wait for.
    pub(super) in_flight: InFlight,
}

impl Shutdown {
    /// Goes through the steps. A task other than the listener that ends meanwhile is as fatal as ever.
    pub(super) async fn run(
        self,
        signal: &'static str,
        tasks: &mut Tasks,
        second: impl Future<Output = &'static str>,
    ) -> Result<(), ServerError> {
        let Self {
            drain,
            grace,
            accepting,
            stop,
            in_flight,
        } = self;
        accepting.unready("shutting down");
        info!(
            signal,
            drain_seconds = drain.as_secs(),
            "not ready any more; waiting until nobody is sent here"
        );

        let steps = async {
            tokio::select! {
                ended = tasks.next_end() => return Err(ServerError::Task(ended)),
                () = sleep(drain) => {}
            }
            info!(
                in_flight = in_flight.now(),
                "accepting no more connections; requests in flight may end"
            );
            stop.send_replace(true);
            match tasks.next_end().await {
                Ended {
                    name: WEBHOOK_LISTENER,
                    how: How::Finished,
                } => Ok(()),
                other => Err(ServerError::Task(other)),
            }
        };
        tokio::select! {
            _ = second => Err(ServerError::SecondSignal { requests: in_flight.now() }),
            ended = timeout(grace, steps) => match ended {
                Ok(ended) => ended.inspect(|()| info!("every request was answered; ends")),
                Err(_) => match in_flight.now() {
                    0 => Ok(()),
                    requests => Err(ServerError::CutOff { requests, grace }),
                },
            },
        }
    }
}

#[cfg(test)]
mod tests;
