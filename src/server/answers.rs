//! Answers that are no judgement: one line of plain text that says what was wrong and what to do.

use axum::Router;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

/// One line, with its status.
pub(super) fn plain(status: StatusCode, line: &str) -> Response {
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    (status, [(header::CONTENT_TYPE, text)], format!("{line}\n")).into_response()
}

/// Answers what `router` has no route for. `known` names the routes there are.
pub(super) fn with_fallbacks(router: Router, known: &'static str) -> Router {
    router
        .fallback(move |uri: Uri| async move {
            plain(
                StatusCode::NOT_FOUND,
                &format!("there is nothing at {}; there is {known}", uri.path()),
            )
        })
        .method_not_allowed_fallback(move |method: Method, uri: Uri| async move {
            let line = format!("{} does not take {method}; there is {known}", uri.path());
            plain(StatusCode::METHOD_NOT_ALLOWED, &line)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use axum::routing::post;
    use tower::ServiceExt;

    async fn answer(method: Method, path: &str) -> (StatusCode, Option<HeaderValue>, String) {
        let app = with_fallbacks(
            Router::new().route("/validate", post(|| async {})),
            "POST /validate",
        );
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        let response = app.oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = to_bytes(body, 1024).await.unwrap();
        (
            head.status,
            head.headers.get(header::ALLOW).cloned(),
            String::from_utf8(body.to_vec()).unwrap(),
        )
    }

    #[tokio::test]
    async fn says_which_paths_there_are() {
        let (status, _, body) = answer(Method::POST, "/convert").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(
            body,
            "there is nothing at /convert; there is POST /validate\n"
        );
    }

    #[tokio::test]
    async fn says_which_method_there_is() {
        let (status, allow, body) = answer(Method::GET, "/validate").await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(allow, Some(HeaderValue::from_static("POST")));
        assert_eq!(
            body,
            "/validate does not take GET; there is POST /validate\n"
        );
    }
}
