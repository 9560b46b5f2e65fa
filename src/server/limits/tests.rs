use super::*;
use axum::body::to_bytes;
use axum::routing::post;
use http_body_util::Channel;
use http_body_util::channel::Sender;
use std::convert::Infallible;
use std::future;
use tokio::sync::Notify;
use tower::ServiceExt;

const SMALL: Limits = Limits {
    body: 16,
    bodies: 24,
    concurrency: 1,
    deadline: Duration::from_secs(8),
};

#[derive(Clone)]
struct Served {
    app: Router,
    metrics: Arc<Metrics>,
}

impl Served {
    fn new(app: Router) -> Self {
        let metrics = Arc::new(Metrics::new());
        Self {
            app: protect(app, SMALL, Arc::clone(&metrics)),
            metrics,
        }
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> (StatusCode, String) {
        let request = Request::post(path).body(body.into()).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1024).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn counted(&self, reason: &str) -> bool {
        let line = format!(r#"trainshift_requests_unjudged_total{{reason="{reason}"}} 1"#);
        self.metrics.encode().unwrap().contains(&line)
    }
}

fn echo() -> Router {
    Router::new().route("/validate", post(|body: String| async { body }))
}

/// A body of unknown length, open for as long as its sender lives.
async fn unfinished(piece: &'static str) -> (Sender<Bytes, Infallible>, Body) {
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(4);
    sender.send_data(Bytes::from(piece)).await.unwrap();
    (sender, Body::new(body))
}

#[tokio::test]
async fn passes_a_body_on_whole() {
    let (status, body) = Served::new(echo())
        .post("/validate", "0123456789abcdef")
        .await;
    assert_eq!(
        (status, body.as_str()),
        (StatusCode::OK, "0123456789abcdef")
    );
}

#[tokio::test]
async fn refuses_a_body_that_is_too_large_by_its_header() {
    let served = Served::new(echo());
    let (status, body) = served.post("/validate", "0123456789abcdef+").await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(
        body.starts_with("the body is larger than 16 bytes"),
        "{body}"
    );
    assert!(served.counted("too_large"));
}

#[tokio::test]
async fn refuses_a_body_that_grows_too_large() {
    let served = Served::new(echo());
    let (mut sender, body) = unfinished("0123456789").await;
    sender.send_data(Bytes::from("0123456789")).await.unwrap();
    drop(sender);
    let (status, _) = served.post("/validate", body).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(start_paused = true)]
async fn gives_up_at_the_deadline_on_a_handler_and_on_a_body() {
    let hangs = || {
        Router::new().route(
            "/validate",
            post(|_: String| future::pending::<StatusCode>()),
        )
    };
    let served = Served::new(hangs());
    let (status, body) = served.post("/validate", "x").await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    assert!(body.starts_with("no answer within 8s"), "{body}");
    assert!(served.counted("deadline"));

    let (_sender, body) = unfinished("half").await;
    let (status, _) = Served::new(echo()).post("/validate", body).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn turns_away_at_once_what_is_one_too_many_and_takes_the_next() {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (entered, leave) = (Arc::clone(&entered), Arc::clone(&leave));
        move || async move {
            entered.notify_one();
            leave.notified().await;
            "done"
        }
    };
    let served = Served::new(Router::new().route("/validate", post(handler)));
    let first = tokio::spawn({
        let served = served.clone();
        async move { served.post("/validate", "first").await }
    });
    entered.notified().await;

    let (status, body) = served.post("/validate", "second").await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert!(body.contains("try again"), "{body}");
    assert!(served.counted("overload"));

    leave.notify_one();
    assert_eq!(first.await.unwrap().0, StatusCode::OK);
    leave.notify_one();
    assert_eq!(served.post("/validate", "third").await.0, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn holds_no_turn_for_a_client_that_sends_slowly() {
    let served = Served::new(echo());
    let (_sender, body) = unfinished("slow").await;
    let slow = tokio::spawn({
        let served = served.clone();
        async move { served.post("/validate", body).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(served.post("/validate", "quick").await.0, StatusCode::OK);
    assert_eq!(slow.await.unwrap().0, StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn holds_no_more_bytes_than_there_is_room_for() {
    let served = Served::new(echo());
    let (_sender, body) = unfinished("0123456789").await;
    let slow = tokio::spawn({
        let served = served.clone();
        async move { served.post("/validate", body).await }
    });
    tokio::task::yield_now().await;
    let (status, _) = served.post("/validate", "0123456789abcdef").await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);

    slow.await.unwrap();
    let (status, _) = served.post("/validate", "0123456789abcdef").await;
    assert_eq!(status, StatusCode::OK, "the room was given back");
}

#[tokio::test]
async fn outlives_a_panic_in_a_handler() {
    async fn bug() -> StatusCode {
        panic!("a bug")
    }
    let served = Served::new(echo().route("/bug", post(bug)));
    let (status, body) = served.post("/bug", "x").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        body.contains("please report it") && !body.contains("a bug\n"),
        "{body}"
    );
    assert!(served.counted("panic"));
    assert_eq!(
        served.post("/validate", "next").await.0,
        StatusCode::OK,
        "the turn was given back"
    );
}

#[tokio::test]
async fn answers_what_has_no_route() {
    let served = Served::new(echo());
    let (status, body) = served.post("/", "x").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body.contains("POST /validate"), "{body}");
}
