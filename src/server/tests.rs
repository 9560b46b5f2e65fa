use super::*;
use axum::body::Body;
use axum::routing::post;
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use jiff::Timestamp;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use self_signed::SelfSigned;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

fn settings() -> Settings {
    Settings {
        bind: "127.0.0.1:0".parse().unwrap(),
        admin: "127.0.0.1:0".parse().unwrap(),
        drain: Duration::ZERO,
        grace: Duration::from_secs(1),
        connections: 16,
        patience: Patience::default(),
        limits: Limits::default(),
    }
}

fn parts(made: &SelfSigned) -> Parts {
    let metrics = Arc::new(Metrics::new());
    Parts {
        certificates: Certificates::new(made.identity.clone(), metrics.certificate_expiry.clone()),
        metrics,
        readiness: Readiness::default(),
        tasks: Tasks::default(),
    }
}

fn echo() -> Router {
    Router::new().route("/validate", post(|body: String| async { body }))
}

async fn connect(to: SocketAddr, name: &'static str, made: &SelfSigned) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(made.certificate_pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(to).await.unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from(name).unwrap(), stream)
        .await
        .unwrap()
}

#[tokio::test]
async fn answers_over_http2_to_a_client_that_trusts_its_own_certificate_by_each_name() {
    let made = self_signed::make(Timestamp::now()).unwrap();
    let listening = bind(settings()).await.unwrap();
    let address = listening.webhook_address;
    let server = tokio::spawn(listening.run(echo(), parts(&made)));
    for name in self_signed::NAMES {
        let stream = connect(address, name, &made).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
        let (mut client, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        tokio::spawn(connection);
        let request = hyper::Request::post("https://here/validate")
            .body(Body::from("a review"))
            .unwrap();
        let answer = client.send_request(request).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "a review");
    }
    server.abort();
}

#[tokio::test]
async fn goes_down_with_a_task_that_dies_and_names_it() {
    let made = self_signed::make(Timestamp::now()).unwrap();
    let mut parts = parts(&made);
    parts
        .tasks
        .spawn("policy watch", async { panic!("no such index") });
    let listening = bind(settings()).await.unwrap();
    let error = listening.run(echo(), parts).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"task "policy watch" panicked: no such index; the server goes down with it"#
    );
}

#[tokio::test]
async fn names_the_address_that_is_taken_and_the_flag_to_change() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let settings = Settings {
        admin: address,
        ..settings()
    };
    let error = bind(settings).await.unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("cannot listen on {address} (--admin): ")),
        "{error}"
    );
}
