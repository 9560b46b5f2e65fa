//! How it begins, or why it doesn't.

use std::fs;
use std::net::TcpListener;

use crate::client::Client;
use crate::pairs::Pair;
use crate::served::{Served, command, fails_to_start, until};

/// Free ports, so that only the flag under test can fail.
const FREE: [&str; 4] = ["--bind", "127.0.0.1:0", "--admin", "127.0.0.1:0"];

#[test]
fn is_ready_without_any_preparation_and_names_its_parts() {
    let served = Served::start(&[]);
    let ready = served.get("/readyz");
    assert!(
        ready.ends_with("\r\n\r\nok\npolicies: ok\ntls: ok\nwebhook listener: ok\n"),
        "{ready}"
    );
    assert!(served.get("/livez").starts_with("HTTP/1.1 200"));
    let metrics = served.get("/metrics");
    assert!(
        metrics.contains("application/openmetrics-text"),
        "{metrics}"
    );
    assert!(
        metrics.contains("trainshift_certificate_expiry_timestamp_seconds 1"),
        "{metrics}"
    );
}

#[test]
fn greets_a_person_with_its_real_port_and_a_first_step() {
    let mut child = command(&FREE).spawn().unwrap();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    until("it has shown how to send a first job", || {
        std::io::BufRead::read_line(&mut stderr, &mut text).unwrap();
        text.contains("curl")
    });
    child.kill().unwrap();
    child.wait().unwrap();
    let port = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("webhook      https://127.0.0.1:"));
    let port = port
        .and_then(|rest| rest.split_whitespace().next())
        .unwrap_or_else(|| panic!("{text}"));
    assert!(
        text.contains(&format!("https://localhost:{port}/validate")),
        "{text}"
    );
    assert!(text.contains("self-signed"), "{text}");
    assert!(text.contains("mode         Warn"), "{text}");
}

#[test]
fn serves_every_kind_of_key() {
    for pair in [
        Pair::p256(),
        Pair::p256_sec1(),
        Pair::p384(),
        Pair::rsa(),
        Pair::rsa_pkcs1(),
    ] {
        let dir = pair.dir();
        let served = Served::start(&["--tls-dir", dir.path().to_str().unwrap()]);
        let answer = Client::connect(served.webhook, &pair).post("/nowhere", "");
        assert_eq!(answer.status, 404);
    }
}

#[test]
fn says_which_tls_file_is_wrong_and_exits_2() {
    let whole = Pair::p256();
    let mismatched = Pair {
        key: Pair::p256().key,
        ..Pair::p256()
    };
    let no_certificate = Pair {
        certificate: "not a certificate".to_owned(),
        ..Pair::p256()
    };
    let no_key = Pair {
        key: "not a key".to_owned(),
        ..Pair::p256()
    };
    for (pair, file, wrong) in [
        (Pair::expired(), "tls.crt", "expired at 2020-01-01"),
        (mismatched, "tls.key", "is not the key of"),
        (no_certificate, "tls.crt", "holds no usable certificate"),
        (no_key, "tls.key", "holds no usable private key"),
    ] {
        let dir = pair.dir();
        refuses_to_start(dir.path().to_str().unwrap(), file, wrong);
    }
    let dir = whole.dir();
    fs::remove_file(dir.path().join("tls.key")).unwrap();
    refuses_to_start(dir.path().to_str().unwrap(), "tls.key", "cannot read");
    refuses_to_start("/nonexistent", "/nonexistent/tls.crt", "cannot read");
}

fn refuses_to_start(dir: &str, file: &str, wrong: &str) {
    let end = fails_to_start(&[&FREE, ["--tls-dir", dir].as_slice()].concat());
    assert_eq!(end.code, Some(2), "{}", end.stderr);
    assert_eq!(end.stderr.lines().count(), 1, "{}", end.stderr);
    assert!(
        end.stderr.contains(file) && end.stderr.contains(wrong),
        "{}",
        end.stderr
    );
}

#[test]
fn names_the_port_that_is_in_use_and_exits_4() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (flag, other) in [("--bind", "--admin"), ("--admin", "--bind")] {
        let end = fails_to_start(&[flag, &address, other, "127.0.0.1:0"]);
        assert_eq!(end.code, Some(4), "{}", end.stderr);
        let message = format!("cannot listen on {address} ({flag})");
        assert!(end.stderr.contains(&message), "{}", end.stderr);
        assert_eq!(end.stderr.matches("os error").count(), 1, "{}", end.stderr);
    }
}

#[test]
fn rejects_what_it_does_not_know_and_exits_2() {
    for args in [
        ["--mode", "strict"],
        ["--drain-seconds", "99"],
        ["--log-level", "trainshift=loud"],
    ] {
        let end = fails_to_start(&args);
        assert_eq!(end.code, Some(2), "{args:?}: {}", end.stderr);
        assert!(end.stderr.contains(args[0]), "{args:?}: {}", end.stderr);
    }
}
