//! `cargo bench --bench serve`: how soon the release binary is ready, how fast it answers, and what it holds in memory
//! after 100,000 requests. `/proc` is read for the last, so Linux only.

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _, stdout};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

type Anything = Box<dyn Error + Send + Sync>;

const STARTS: usize = 20;
const REQUESTS: usize = 100_000;
const CONNECTIONS: usize = 4;

fn main() -> Result<(), Anything> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.self_signed(&key)?;
    let directory = tempfile::tempdir()?;
    fs::write(directory.path().join("tls.crt"), certificate.pem())?;
    fs::write(directory.path().join("tls.key"), key.serialize_pem())?;

    let mut ready = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let _served = Served::start(&[])?;
        ready.push(begun.elapsed());
    }
    report("ready after the start, self-signed", &mut ready)?;

    for mode in ["warn", "deny"] {
        let tls_dir = directory.path().display().to_string();
        let served = Served::start(&["--tls-dir", &tls_dir, "--mode", mode])?;
        let fresh = served.resident()?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(
            certificate.pem().as_bytes(),
        )?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (mut took, all) = load(&served, &Arc::new(config))?;
        let rate = REQUESTS as u128 * 1000 / all.as_millis();
        writeln!(
            stdout(),
            "mode {mode}: {REQUESTS} requests on {CONNECTIONS} connections, {rate} a second"
        )?;
        report("  one request", &mut took)?;
        writeln!(
            stdout(),
            "  resident: {} KiB when ready, {} KiB after",
            fresh,
            served.resident()?
        )?;
    }
    Ok(())
}

/// Sends the built-in job again and again, on several connections at a time.
fn load(
    served: &Served,
    config: &Arc<ClientConfig>,
) -> Result<(Vec<Duration>, Duration), Anything> {
    let review = Command::new(env!("CARGO_BIN_EXE_trainshift"))
        .args(["generate", "review"])
        .output()?
        .stdout;
    let head = format!(
        "POST /validate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        review.len()
    );
    let request = [head.into_bytes(), review].concat();
    let begun = Instant::now();
    let took = thread::scope(|scope| {
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|_| scope.spawn(|| client(served.webhook, config, &request)))
            .collect();
        let mut all = Vec::with_capacity(REQUESTS);
        for client in clients {
            all.extend(client.join().map_err(|_| "a client panicked")??);
        }
        Ok::<_, Anything>(all)
    })?;
    Ok((took, begun.elapsed()))
}

fn client(
    to: SocketAddr,
    config: &Arc<ClientConfig>,
    request: &[u8],
) -> Result<Vec<Duration>, Anything> {
    let tls = ClientConnection::new(Arc::clone(config), "localhost".try_into()?)?;
    let tcp = TcpStream::connect(to)?;
    tcp.set_nodelay(true)?;
    let mut stream = BufReader::new(StreamOwned::new(tls, tcp));
    let mut took = Vec::new();
    let mut body = Vec::new();
    for _ in 0..REQUESTS / CONNECTIONS {
        let begun = Instant::now();
        stream.get_mut().write_all(request)?;
        stream.get_mut().flush()?;
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            match line.trim_end() {
                "" => break,
                header => {
                    if let Some(value) = header.strip_prefix("content-length: ") {
                        length = value.parse()?;
                    }
                }
            }
        }
        body.resize(length, 0);
        stream.read_exact(&mut body)?;
        took.push(begun.elapsed());
    }
    let answer: Value = serde_json::from_slice(&body)?;
    if answer["response"]["auditAnnotations"]["verdict"] != "adapted" {
        return Err(format!("not what a job is answered: {answer}").into());
    }
    Ok(took)
}

/// A running server, ended with this value.
struct Served {
    child: Child,
    webhook: SocketAddr,
}

impl Served {
    /// Starts it on free ports and waits until it is ready.
    fn start(flags: &[&str]) -> Result<Self, Anything> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_trainshift"))
            .args([
                "serve",
                "--offline",
                "--bind",
                "127.0.0.1:0",
                "--admin",
                "127.0.0.1:0",
                "--log-format",
                "json",
            ])
            .args(["--drain-seconds", "0"])
            .args(flags)
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = child.stderr.take().ok_or("no stderr")?;
        let mut lines = BufReader::new(stderr).lines();
        let (webhook, admin) = loop {
            let line: Value = serde_json::from_str(&lines.next().ok_or("it ended")??)?;
            let address = |name: &str| {
                line[name]
                    .as_str()
                    .and_then(|text| text.parse::<SocketAddr>().ok())
            };
            if let (Some(webhook), Some(admin)) = (address("webhook"), address("admin")) {
                break (webhook, admin);
            }
        };
        // Whatever it writes later is read, so that it never waits for a full pipe.
        thread::spawn(move || lines.for_each(drop));
        while !is_ready(admin) {}
        Ok(Self { child, webhook })
    }

    /// KiB of memory that are in RAM.
    fn resident(&self) -> Result<u64, Anything> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_ready(admin: SocketAddr) -> bool {
    let mut answer = String::new();
    let asked = TcpStream::connect(admin).and_then(|mut stream| {
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        stream.read_to_string(&mut answer)
    });
    asked.is_ok() && answer.starts_with("HTTP/1.1 200")
}

fn report(what: &str, took: &mut [Duration]) -> Result<(), Anything> {
    took.sort();
    let at = |share: usize| took[(took.len() - 1) * share / 100];
    writeln!(
        stdout(),
        "{what}: median {:?}, 99% {:?}, worst {:?}",
        at(50),
        at(99),
        at(100)
    )?;
    Ok(())
}
