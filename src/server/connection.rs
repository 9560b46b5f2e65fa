//! One connection, from its first byte to its last.
//!
//! What comes in: an accepted socket. What goes out: nothing; the connection is served until the client leaves, has been
//! silent for too long, or the server stops. Nothing that a client leaves undone keeps it open: not the TLS handshake, not
//! the first request, not a pause between requests, not an answer that it doesn't read.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tower::{ServiceExt, service_fn};
use tracing::{debug, warn};

use super::in_flight::InFlight;
use crate::telemetry::{HandshakeFailure, Metrics};

/// How long a client may keep a connection waiting.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For the first request of a connection, and in HTTP/1 for each next one: hyper's clock for the headers begins with
    /// the pause before them.
    pub headers: Duration,
    /// In HTTP/2 between two requests, and for reading an answer. Longer than a request may take.
    pub idle: Duration,
}

impl Default for Patience {
    /// The API server speaks HTTP/2, and closes an idle connection of its own after 90 s: before we do.
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            headers: Duration::from_secs(5),
            idle: Duration::from_mins(2),
        }
    }
}

/// HTTP/2: how many requests one client may have open, of one connection.
const STREAMS: u32 = 128;

/// HTTP/2: how often a client that is silent is asked whether it is still there, and how long it may take to say so.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_ANSWER: Duration = Duration::from_secs(10);

/// What a connection needs to be served.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) app: Router,
    pub(super) patience: Patience,
    pub(super) in_flight: InFlight,
    pub(super) metrics: Option<Arc<Metrics>>,
    pub(super) stopped: watch::Receiver<bool>,
}

impl Connection {
    /// Serves one client until the end.
    pub(super) async fn serve(self, stream: TcpStream, client: SocketAddr) {
        let _open = self
            .metrics
            .as_ref()
            .map(|metrics| Open::count(&metrics.open_connections));
        // An answer is small and awaited: it must not wait for more bytes.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%client, %error, "connection: no TCP_NODELAY");
        }
        match self.tls.clone() {
            None => self.speak(stream, client).await,
            Some(acceptor) => {
                let mut stopped = self.stopped.clone();
                let handshake = timeout(self.patience.handshake, acceptor.accept(stream));
                tokio::select! {
                    () = stop(&mut stopped) => {}
                    shaken = handshake => match shaken {
                        Ok(Ok(stream)) => self.speak(stream, client).await,
                        Ok(Err(error)) => self.not_shaken(&error, client),
                        Err(_) => {
                            self.count(HandshakeFailure::Timeout);
                            debug!(%client, "connection: TLS handshake took too long");
                        }
                    }
                }
            }
        }
    }

    async fn speak(
        mut self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        client: SocketAddr,
    ) {
        let here = InFlight::default();
        let service = TowerToHyperService::new(service_fn({
            let (here, everywhere) = (here.clone(), self.in_flight.clone());
            move |request: hyper::Request<Incoming>| {
                let flights = (here.begin(), everywhere.begin());
                let answered = self.app.clone().oneshot(request.map(Body::new));
                async move {
                    // In flight until the last byte of the answer is handed over.
                    let answer: Result<_, Infallible> = answered.await;
                    answer.map(|answer| {
                        answer.map(|body| {
                            body.map_frame(move |frame| {
                                let _held = &flights;
                                frame
                            })
                        })
                    })
                }
            }
        }));
        let http = http(self.patience);
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
        let (mut leaving, mut stopping) = (false, false);
        let mut begun = 0;
        let mut look = Instant::now() + self.patience.headers;
        loop {
            tokio::select! {
                // What has arrived is read before it is judged to be missing.
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        debug!(%client, error, "connection: broke off");
                    }
                    return;
                }
                () = stop(&mut self.stopped), if !stopping => {
                    (leaving, stopping) = (true, true);
                    connection.as_mut().graceful_shutdown();
                    begun = here.begun();
                    look = Instant::now() + self.patience.headers;
                }
                () = sleep_until(look) => {
                    let quiet = here.begun() == begun;
                    begun = here.begun();
                    look = Instant::now() + if quiet || stopping { self.patience.headers } else { self.patience.idle };
                    // While the server stops, the grace is the limit for what is in flight. At other times a request that
                    // is in flight for all of a pause has its answer, and the client doesn't read it.
                    if !quiet || (stopping && here.now() > 0) {
                        continue;
                    }
                    if leaving {
                        debug!(%client, "connection: closed, the client was silent");
                        return;
                    }
                    leaving = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    /// A client that sends an alert nearly always does so because it doesn't trust the certificate: the one mistake in
    /// an installation that otherwise shows in the API server's log only.
    fn not_shaken(&self, error: &io::Error, client: SocketAddr) {
        let alert = error
            .get_ref()
            .and_then(|inner| match inner.downcast_ref() {
                Some(rustls::Error::AlertReceived(alert)) => Some(alert),
                _ => None,
            });
        if let Some(alert) = alert {
            self.count(HandshakeFailure::RefusedByClient);
            warn!(%client, ?alert, "the client refuses the certificate: does the webhook's caBundle belong to it?");
        } else {
            self.count(HandshakeFailure::Other);
            debug!(%client, %error, "connection: no TLS handshake");
        }
    }

    fn count(&self, failure: HandshakeFailure) {
        if let Some(metrics) = &self.metrics {
            metrics.handshake_failed(failure);
        }
    }
}

/// HTTP/2 or HTTP/1.1, whichever the client begins.
fn http(patience: Patience) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.headers);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_ANSWER);
    http
}

/// Returns once the server stops. A sender that is gone has stopped too.
pub(super) async fn stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// One more open connection, as long as it lives.
struct Open(Gauge);

impl Open {
    fn count(open: &Gauge) -> Self {
        open.inc();
        Self(open.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
