//! What one request may cost, so that no request can take the server from the others.
//!
//! In front of a router, from the outside in: a panic becomes HTTP 500; the deadline, below the 10 s that the API server
//! waits, becomes 504; the body is read whole, up to its limit (413) and as long as there is room for it (429); then the
//! request takes one of a fixed number of turns, or is turned away at once (429). The body is read before the turn is
//! taken, so a client that sends slowly keeps no turn from others.
//!
//! One function instead of a stack of tower layers: each of these answers needs a body of our own and a count, which the
//! layers leave to an error type that has to be taken apart again.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tower_http::catch_panic::CatchPanicLayer;

use super::answers::{plain, with_fallbacks};
use crate::telemetry::{Metrics, Unjudged};

/// What requests may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body: usize,
    /// How many bytes of bodies may be in memory at once. Kept below what the pod may use.
    pub bodies: usize,
    /// How many requests are worked on at once.
    pub concurrency: usize,
    /// How long a request may take, from its headers to its answer.
    pub deadline: Duration,
}

impl Default for Limits {
    /// 7 MiB is the API server's own limit on an object (3 MiB) twice, old and new, and an envelope.
    fn default() -> Self {
        Self {
            body: 7 * 1024 * 1024,
            bodies: 64 * 1024 * 1024,
            concurrency: 256,
            deadline: Duration::from_secs(8),
        }
    }
}

/// Puts the limits before `app`, and answers what it has no route for.
pub(super) fn protect(app: Router, limits: Limits, metrics: Arc<Metrics>) -> Router {
    let gate = Arc::new(Gate {
        limits,
        turns: Semaphore::new(limits.concurrency),
        room: Semaphore::new(limits.bodies),
        metrics,
    });
    with_fallbacks(app, "POST /mutate and POST /validate")
        .layer(middleware::from_fn_with_state(Arc::clone(&gate), pass))
        .layer(CatchPanicLayer::custom(move |_: Box<dyn Any + Send>| {
            gate.turn_away(Unjudged::Panic)
        }))
}

#[derive(Debug)]
struct Gate {
    limits: Limits,
    turns: Semaphore,
    room: Semaphore,
    metrics: Arc<Metrics>,
}

async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let answered = timeout(gate.limits.deadline, gate.admit(request, next)).await;
    answered
        .unwrap_or(Err(Unjudged::Deadline))
        .unwrap_or_else(|why| gate.turn_away(why))
}

impl Gate {
    async fn admit(&self, request: Request, next: Next) -> Result<Response, Unjudged> {
        let (head, body) = request.into_parts();
        let (bytes, _room) = self.read(&head.headers, body).await?;
        let _turn = self.turns.try_acquire().map_err(|_| Unjudged::Overload)?;
        Ok(next.run(Request::from_parts(head, Body::from(bytes))).await)
    }

    /// The whole body, and the room that it takes.
    async fn read(
        &self,
        headers: &HeaderMap,
        mut body: Body,
    ) -> Result<(Bytes, Option<SemaphorePermit<'_>>), Unjudged> {
        if body.size_hint().lower() > self.limits.body as u64 {
            // Who waits for a word before sending gets it at once.
            if !headers.contains_key(header::EXPECT) {
                self.discard(body).await;
            }
            return Err(Unjudged::TooLarge);
        }
        let mut whole = BytesMut::new();
        let mut room: Option<SemaphorePermit<'_>> = None;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Unjudged::BrokenBody)?.into_data() else {
                continue;
            };
            if whole.len() + data.len() > self.limits.body {
                drop((whole, room));
                self.discard(body).await;
                return Err(Unjudged::TooLarge);
            }
            let more = u32::try_from(data.len()).map_err(|_| Unjudged::TooLarge)?;
            let more = self
                .room
                .try_acquire_many(more)
                .map_err(|_| Unjudged::Overload)?;
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
            whole.extend_from_slice(&data);
        }
        Ok((whole.freeze(), room))
    }

    /// Lets a client finish what it sends, within reason: many read no answer before that, and a connection that is
    /// closed on unread bytes is reset, which takes the answer with it.
    async fn discard(&self, mut body: Body) {
        let mut left = self.limits.body.saturating_mul(4);
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return;
            }
        }
    }

    fn turn_away(&self, why: Unjudged) -> Response {
        self.metrics.unjudged(why);
        let Limits { body, deadline, .. } = self.limits;
        let (status, line) = match why {
            Unjudged::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                format!(
                    "the body is larger than {body} bytes, more than any AdmissionReview; send a smaller object"
                ),
            ),
            Unjudged::Overload => (
                StatusCode::TOO_MANY_REQUESTS,
                "too many requests at once; try again in a second, or run more replicas".to_owned(),
            ),
            Unjudged::Deadline => (
                StatusCode::GATEWAY_TIMEOUT,
                format!(
                    "no answer within {deadline:?}; try again, or look for the cause in the log"
                ),
            ),
            Unjudged::BrokenBody => (
                StatusCode::BAD_REQUEST,
                "the body broke off; send the whole AdmissionReview".to_owned(),
            ),
            Unjudged::Panic => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "trainshift failed on this request: a bug; the log has the place, please report it"
                    .to_owned(),
            ),
        };
        let mut response = plain(status, &line);
        if status == StatusCode::TOO_MANY_REQUESTS {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

#[cfg(test)]
mod tests;
