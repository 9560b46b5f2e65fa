//! How it ends.

use std::net::TcpStream;

use tempfile::TempDir;

use crate::client::Client;
use crate::pairs::Pair;
use crate::served::{Served, until};

fn start(drain: &str, grace: &str) -> (Served, Pair, TempDir) {
    let pair = Pair::p256();
    let dir = pair.dir();
    let tls = dir.path().to_str().unwrap();
    let served = Served::start(&[
        "--tls-dir",
        tls,
        "--drain-seconds",
        drain,
        "--grace-seconds",
        grace,
    ]);
    (served, pair, dir)
}

fn is_shutting_down(served: &Served) -> bool {
    let ready = served.get("/readyz");
    ready.starts_with("HTTP/1.1 503")
        && ready.contains("webhook listener: not ready: shutting down")
}

#[test]
fn lets_a_request_end_and_takes_no_new_one_and_exits_0() {
    let (served, pair, _dir) = start("0", "60");
    let mut client = Client::connect(served.webhook, &pair);
    client.begin_post("/nowhere", 4);

    served.signal("-TERM");
    until("it says that it is shutting down", || {
        is_shutting_down(&served)
    });
    until("new connections are refused", || {
        TcpStream::connect(served.webhook).is_err()
    });

    client.send("late").unwrap();
    assert_eq!(client.answer().status, 404);
    let end = served.end();
    assert_eq!(end.code, Some(0), "{}", end.stderr);
}

#[test]
fn takes_new_connections_while_others_still_send_them() {
    let (served, pair, _dir) = start("300", "600");
    served.signal("-TERM");
    until("it says that it is shutting down", || {
        is_shutting_down(&served)
    });
    assert_eq!(
        Client::connect(served.webhook, &pair)
            .post("/nowhere", "")
            .status,
        404
    );
}

#[test]
fn is_not_held_by_a_client_that_only_stays_connected() {
    let (served, pair, _dir) = start("0", "60");
    let mut client = Client::connect(served.webhook, &pair);
    assert_eq!(client.post("/nowhere", "").status, 404);
    served.signal("-INT");
    let end = served.end();
    assert_eq!(end.code, Some(0), "{}", end.stderr);
    assert!(client.dropped());
}

#[test]
fn says_what_was_cut_off_when_the_grace_is_over_and_exits_5() {
    let (served, pair, _dir) = start("0", "1");
    let mut client = Client::connect(served.webhook, &pair);
    client.begin_post("/nowhere", 4);
    served.signal("-TERM");
    let end = served.end();
    assert_eq!(end.code, Some(5), "{}", end.stderr);
    assert!(
        end.stderr.contains("1 request(s) were cut off"),
        "{}",
        end.stderr
    );
}

#[test]
fn ends_at_once_on_a_second_signal_and_exits_5() {
    let (served, _pair, _dir) = start("300", "600");
    served.signal("-TERM");
    until("it says that it is shutting down", || {
        is_shutting_down(&served)
    });
    served.signal("-TERM");
    let end = served.end();
    assert_eq!(end.code, Some(5), "{}", end.stderr);
    assert!(
        end.stderr.contains("ended at once by a second signal"),
        "{}",
        end.stderr
    );
}
