//! The plain-HTTP port for kubelet and Prometheus: `/livez`, `/readyz`, `/metrics`.
//!
//! `/livez` says that the process answers; it knows no reason to restart it, because whatever would be one ends the
//! process by itself. `/readyz` names every part. Neither is logged or traced.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::answers::{plain, with_fallbacks};
use super::ready::Readiness;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::CONTENT_TYPE;

/// The routes of the administrator's port.
pub(super) fn router(readiness: Readiness, metrics: Arc<Metrics>) -> Router {
    let router = Router::new()
        .route("/livez", get(|| async { plain(StatusCode::OK, "ok") }))
        .route("/readyz", get(readyz).with_state(readiness))
        .route("/metrics", get(scrape).with_state(metrics));
    with_fallbacks(router, "GET /livez, GET /readyz and GET /metrics")
}

async fn readyz(State(readiness): State<Readiness>) -> Response {
    let report = readiness.report();
    let status = if report.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    plain(status, report.to_string().trim_end())
}

async fn scrape(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.encode() {
        Ok(page) => (
            [(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE))],
            page,
        )
            .into_response(),
        Err(_) => plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the metrics could not be written; this is a bug in trainshift, please report it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    async fn get(readiness: &Readiness, path: &str) -> (StatusCode, String, String) {
        let app = router(readiness.clone(), Arc::new(Metrics::new()));
        let response = app
            .oneshot(Request::get(path).body(Body::empty()).unwrap())
            .await
            .unwrap();
        let kind = response.headers()[header::CONTENT_TYPE]
            .to_str()
            .unwrap()
            .to_owned();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, kind, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn lives_though_it_is_not_ready() {
        let readiness = Readiness::default();
        readiness.part("tls").unready("expired");
        assert_eq!(get(&readiness, "/livez").await.0, StatusCode::OK);
        let (status, _, body) = get(&readiness, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body, "not ready\ntls: not ready: expired\n");
    }

    #[tokio::test]
    async fn lists_the_parts_when_ready() {
        let readiness = Readiness::default();
        readiness.part("tls").ready();
        let (status, _, body) = get(&readiness, "/readyz").await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "ok\ntls: ok\n"));
    }

    #[tokio::test]
    async fn shows_metrics_as_openmetrics() {
        let (status, kind, body) = get(&Readiness::default(), "/metrics").await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, CONTENT_TYPE));
        assert!(body.contains("trainshift_build_info"), "{body}");
    }

    #[tokio::test]
    async fn names_its_paths_to_those_who_are_lost() {
        let (status, _, body) = get(&Readiness::default(), "/healthz").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(body.contains("GET /readyz"), "{body}");
    }
}
