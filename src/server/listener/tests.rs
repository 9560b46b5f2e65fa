use super::*;
use axum::body::Body;
use axum::routing::get;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const BRIEF: Patience = Patience {
    handshake: Duration::from_millis(200),
    headers: Duration::from_millis(200),
    idle: Duration::from_millis(200),
};

struct Served {
    address: SocketAddr,
    metrics: Arc<Metrics>,
    in_flight: InFlight,
    stop: watch::Sender<bool>,
    /// Lets a request for `/slow` end.
    release: Arc<Notify>,
    task: JoinHandle<Result<(), Failure>>,
}

async fn serve(connections: usize, patience: Patience) -> Served {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let metrics = Arc::new(Metrics::new());
    let (stop, stopped) = watch::channel(false);
    let in_flight = InFlight::default();
    let release = Arc::new(Notify::new());
    let slow = Arc::clone(&release);
    let listener = Listener {
        socket,
        tls: None,
        app: Router::new()
            .route("/", get(|| async { "hello" }))
            .route("/slow", get(async move || slow.notified().await)),
        connections,
        patience,
        in_flight: in_flight.clone(),
        metrics: Some(Arc::clone(&metrics)),
        stopped,
    };
    Served {
        address,
        metrics,
        in_flight,
        stop,
        release,
        task: tokio::spawn(listener.serve()),
    }
}

async fn ask(address: SocketAddr) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n")
        .await
        .unwrap();
    let mut answer = vec![0; 1024];
    let read = stream.read(&mut answer).await.unwrap();
    answer.truncate(read);
    (stream, String::from_utf8(answer).unwrap())
}

/// Reads until the server closes.
async fn closed(mut stream: TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let end = timeout(Duration::from_secs(30), stream.read_to_end(&mut rest)).await;
    // A reset is an end as well.
    let _ = end.expect("the client is never dropped");
    rest
}

#[tokio::test]
async fn drops_a_client_that_says_nothing() {
    let served = serve(8, BRIEF).await;
    let silent = TcpStream::connect(served.address).await.unwrap();
    assert!(closed(silent).await.is_empty());
}

#[tokio::test]
async fn drops_a_client_that_stops_within_its_headers() {
    let served = serve(8, BRIEF).await;
    let mut half = TcpStream::connect(served.address).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nhost: he").await.unwrap();
    closed(half).await;
}

#[tokio::test]
async fn drops_a_client_that_begins_http2_and_asks_nothing() {
    let served = serve(8, BRIEF).await;
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    silent
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .unwrap();
    closed(silent).await;
}

#[tokio::test]
async fn closes_a_connection_that_is_idle() {
    let served = serve(8, BRIEF).await;
    let (stream, answer) = ask(served.address).await;
    assert!(answer.ends_with("hello"), "{answer}");
    assert!(answer.contains("content-length: 5"), "{answer}");
    closed(stream).await;
}

#[tokio::test]
async fn drops_a_client_that_does_not_read_its_answer() {
    let served = serve(8, BRIEF).await;
    let stream = TcpStream::connect(served.address).await.unwrap();
    let (mut client, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(0)
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let request = hyper::Request::get("http://here/")
        .body(Body::empty())
        .unwrap();
    let answer = client.send_request(request).await.unwrap();
    assert_eq!(answer.status(), 200, "its headers need no window");
    let _ = timeout(Duration::from_secs(30), connection)
        .await
        .expect("the client is never dropped");
}

#[tokio::test]
async fn drops_a_client_that_stops_within_the_headers_of_a_later_request() {
    let patience = Patience {
        idle: Duration::from_hours(1),
        ..BRIEF
    };
    let served = serve(8, patience).await;
    let (mut stream, _) = ask(served.address).await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: he")
        .await
        .unwrap();
    closed(stream).await;
}

#[tokio::test]
async fn serves_no_more_clients_at_once_than_there_are_seats() {
    let served = serve(1, Patience::default()).await;
    let (first, _) = ask(served.address).await;
    let second = ask(served.address);
    tokio::pin!(second);
    // It can't be answered: the first stays.
    assert!(
        timeout(Duration::from_millis(300), &mut second)
            .await
            .is_err()
    );
    drop(first);
    let (_, answer) = second.await;
    assert!(answer.ends_with("hello"), "{answer}");
}

#[tokio::test]
async fn one_too_many_waits_for_a_seat_and_gets_it() {
    let served = serve(1, BRIEF).await;
    let silent = TcpStream::connect(served.address).await.unwrap();
    let (_, answer) = ask(served.address).await;
    assert!(answer.ends_with("hello"), "{answer}");
    closed(silent).await;
}

#[tokio::test]
async fn counts_the_connections_that_are_open() {
    let served = serve(8, Patience::default()).await;
    let (first, _) = ask(served.address).await;
    let (_second, _) = ask(served.address).await;
    assert_eq!(served.metrics.open_connections.get(), 2);
    drop(first);
    while served.metrics.open_connections.get() != 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn ends_once_it_is_stopped_and_idle_clients_do_not_hold_it() {
    let served = serve(8, Patience::default()).await;
    let (idle, _) = ask(served.address).await;
    served.stop.send_replace(true);
    served.task.await.unwrap().unwrap();
    assert!(closed(idle).await.is_empty());
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn a_request_in_flight_outlasts_the_patience_with_silent_clients_while_it_stops() {
    let served = serve(8, BRIEF).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nhost: here\r\n\r\n")
        .await
        .unwrap();
    while served.in_flight.now() == 0 {
        tokio::task::yield_now().await;
    }
    served.stop.send_replace(true);
    let mut answer = [0; 12];
    // Nothing comes before it is released, and the connection stays.
    assert!(
        timeout(3 * BRIEF.headers, stream.read_exact(&mut answer))
            .await
            .is_err()
    );
    served.release.notify_one();
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    served.task.await.unwrap().unwrap();
}
