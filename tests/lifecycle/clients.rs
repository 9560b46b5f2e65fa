//! What clients get, also those that do not behave.

use std::io::Read;
use std::net::TcpStream;

use rustls::ProtocolVersion;
use rustls::version::{TLS12, TLS13};
use tempfile::TempDir;

use crate::client::{Client, is_end};
use crate::pairs::Pair;
use crate::served::{PATIENCE, Served};

fn start(args: &[&str]) -> (Served, Pair, TempDir) {
    let pair = Pair::p256();
    let dir = pair.dir();
    let served = Served::start(&[&["--tls-dir", dir.path().to_str().unwrap()], args].concat());
    (served, pair, dir)
}

#[test]
fn speaks_tls_1_2_and_1_3_to_those_that_speak_only_one() {
    let (served, pair, _dir) = start(&[]);
    for (version, name) in [
        (&TLS12, ProtocolVersion::TLSv1_2),
        (&TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let mut client = Client::with_versions(served.webhook, &pair, &[version]).unwrap();
        assert_eq!(client.version(), name);
        assert_eq!(client.post("/nowhere", "").status, 404);
    }
}

#[test]
fn counts_clients_that_do_not_trust_the_certificate() {
    let (served, _pair, _dir) = start(&[]);
    assert!(Client::with_versions(served.webhook, &Pair::p256(), &[&TLS13]).is_err());
    let counted = r#"trainshift_tls_handshakes_failed_total{reason="refused_by_client"} 1"#;
    crate::served::until("it is counted", || served.get("/metrics").contains(counted));
}

#[test]
fn drops_those_that_stall_and_serves_others_meanwhile() {
    let (served, pair, _dir) = start(&["--handshake-timeout", "1000", "--header-timeout", "1000"]);
    let mut in_handshake = TcpStream::connect(served.webhook).unwrap();
    in_handshake.set_read_timeout(Some(PATIENCE)).unwrap();
    let before_request = Client::connect(served.webhook, &pair);
    let mut in_headers = Client::connect(served.webhook, &pair);
    in_headers
        .send("POST /validate HTTP/1.1\r\nhost: loc")
        .unwrap();

    assert_eq!(
        Client::connect(served.webhook, &pair)
            .post("/nowhere", "")
            .status,
        404
    );

    assert!(is_end(in_handshake.read(&mut [0; 64])));
    assert!(before_request.dropped());
    assert!(in_headers.dropped());
}

#[test]
fn gives_the_only_seat_to_the_next_once_the_first_stalls_for_too_long() {
    let (served, pair, _dir) = start(&["--max-connections", "1", "--handshake-timeout", "1000"]);
    let _stalls = TcpStream::connect(served.webhook).unwrap();
    assert_eq!(
        Client::connect(served.webhook, &pair)
            .post("/nowhere", "")
            .status,
        404
    );
}

#[test]
fn refuses_a_body_of_10_mib_though_the_client_sends_it_to_its_end() {
    let (served, pair, _dir) = start(&[]);
    let answer = Client::connect(served.webhook, &pair).post("/validate", &"x".repeat(10 << 20));
    assert_eq!(answer.status, 413);
    assert!(
        answer
            .body
            .starts_with("the body is larger than 7340032 bytes"),
        "{}",
        answer.body
    );
}

#[test]
fn refuses_a_body_of_10_mib_before_it_is_sent_to_a_client_that_asks() {
    let (served, pair, _dir) = start(&[]);
    let mut client = Client::connect(served.webhook, &pair);
    let head = format!("expect: 100-continue\r\ncontent-length: {}", 10 << 20);
    client
        .send(&format!(
            "POST /validate HTTP/1.1\r\nhost: localhost\r\n{head}\r\n\r\n"
        ))
        .unwrap();
    assert_eq!(client.answer().status, 413);
}

#[test]
fn answers_504_when_a_body_does_not_arrive() {
    let (served, pair, _dir) = start(&["--request-deadline", "1000"]);
    let mut client = Client::connect(served.webhook, &pair);
    client.begin_post("/validate", 100);
    let answer = client.answer();
    assert_eq!(answer.status, 504);
    assert!(
        answer.body.starts_with("no answer within 1s"),
        "{}",
        answer.body
    );
}

#[test]
fn answers_429_when_every_turn_is_taken() {
    let (served, pair, _dir) = start(&["--max-requests", "0"]);
    let answer = Client::connect(served.webhook, &pair).post("/validate", "{}");
    assert_eq!(answer.status, 429);
    assert!(answer.body.contains("try again"), "{}", answer.body);
}
