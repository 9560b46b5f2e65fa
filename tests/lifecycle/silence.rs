//! An API server that accepts connections and says nothing more, as after a partition of the network.
//!
//! The clock is stopped once it is silent: it jumps to the next date that anybody waits for.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::{pause, timeout};
use trainshift::discovery::watch::{self, Labels, Seen};
use trainshift::discovery::{self, Connection};

/// Has one namespace, whose label says whether it was silent before.
#[derive(Default)]
struct ApiServer {
    silent: AtomicBool,
    was_silent: AtomicBool,
    /// A watch was begun.
    watched: Notify,
}

impl ApiServer {
    /// Starts it, and makes a client of it as `serve` does.
    async fn start() -> (Arc<Self>, kube::Client) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Arc::new(Self::default());
        let accepting = Arc::clone(&server);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(Arc::clone(&accepting).answer(stream));
            }
        });
        let directory = TempDir::new().unwrap();
        let kubeconfig = directory.path().join("kubeconfig");
        let contents = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "here", "cluster": {"server": format!("http://{address}")}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": ""}}],
        });
        fs::write(&kubeconfig, contents.to_string()).unwrap();
        let connection = Connection {
            kubeconfig: Some(kubeconfig),
            context: None,
        };
        (server, discovery::connect(&connection).await.unwrap())
    }

    fn fall_silent(&self) {
        self.silent.store(true, Ordering::SeqCst);
        self.was_silent.store(true, Ordering::SeqCst);
    }

    fn speak(&self) {
        self.silent.store(false, Ordering::SeqCst);
    }

    /// Answers requests until the client closes the connection; those that come while it is silent, never.
    async fn answer(self: Arc<Self>, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            if self.silent.load(Ordering::SeqCst) {
                continue;
            }
            let answer = if head.contains("watch=true") {
                self.watched.notify_one();
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n".to_owned()
            } else {
                let list = self.namespaces();
                let length = list.len();
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{list}"
                )
            };
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn namespaces(&self) -> String {
        let was_silent = self.was_silent.load(Ordering::SeqCst).to_string();
        json!({
            "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "metadata": {"resourceVersion": "7"},
            "items": [{
                "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
                "metadata": {"name": "research", "resourceVersion": "5", "labels": {"was-silent": was_silent}},
            }],
        })
        .to_string()
    }
}

/// What a watch tells next; within an hour, or else it never does.
async fn told(seen: &mut Receiver<Seen<Labels>>) -> Seen<Labels> {
    timeout(Duration::from_hours(1), seen.recv())
        .await
        .expect("the watch waits for ever")
        .expect("the watch ended")
}

fn all(was_silent: &str) -> BTreeMap<String, Labels> {
    let labels = Labels::from([("was-silent".to_owned(), was_silent.to_owned())]);
    BTreeMap::from([("research".to_owned(), labels)])
}

#[tokio::test]
async fn a_watch_that_falls_silent_is_told_as_lost_and_begun_anew() {
    let (server, client) = ApiServer::start().await;
    let (tell, mut seen) = mpsc::channel(1);
    tokio::spawn(watch::namespaces(client, tell));
    assert!(matches!(told(&mut seen).await, Seen::All(listed) if listed == all("false")));
    server.watched.notified().await;

    server.fall_silent();
    pause();
    let lost = told(&mut seen).await;
    assert!(
        matches!(&lost, Seen::Lost(why) if why.starts_with("watching namespaces: ")),
        "{lost:?}"
    );

    server.speak();
    assert!(matches!(told(&mut seen).await, Seen::All(listed) if listed == all("true")));
}

#[tokio::test]
async fn a_cluster_that_says_nothing_is_told_as_one_that_cannot_be_read() {
    let (server, client) = ApiServer::start().await;
    server.fall_silent();
    pause();
    let read = timeout(Duration::from_hours(1), discovery::read(&client)).await;
    let error = read.expect("the reading waits for ever").unwrap_err();
    assert!(
        error.to_string().starts_with("reading the TrainJob CRD"),
        "{error}"
    );
}
