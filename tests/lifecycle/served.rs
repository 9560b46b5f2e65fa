//! A running `trainshift serve`, its addresses and what it has written.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Long for any machine; what takes longer is stuck.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// `trainshift serve` on free ports of loopback. It is killed when this is dropped.
pub(crate) struct Served {
    child: Child,
    lines: Receiver<String>,
    pub(crate) webhook: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// How a process ended, and what it wrote to stderr.
pub(crate) struct End {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
}

/// `trainshift serve ARGS`, with nothing of this environment that would change what it does.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainshift"));
    command.arg("serve").args(args);
    command
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Runs it to its end, for starts that must fail.
pub(crate) fn fails_to_start(args: &[&str]) -> End {
    let mut child = command(args).spawn().unwrap();
    let lines = read_lines(&mut child);
    let status = wait(&mut child);
    End {
        code: status.code(),
        stderr: lines.iter().collect(),
    }
}

impl Served {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(args: &[&str]) -> Self {
        let free = [
            "--bind",
            "127.0.0.1:0",
            "--admin",
            "127.0.0.1:0",
            "--log-format",
            "json",
        ];
        let mut child = command(&[&free, args].concat()).spawn().unwrap();
        let lines = read_lines(&mut child);
        let listening: Value = loop {
            let line = lines
                .recv_timeout(PATIENCE)
                .expect("it never said that it listens");
            match serde_json::from_str::<Value>(&line) {
                Ok(line) if line["message"] == "listening" => break line,
                _ => {}
            }
        };
        let address = |name: &str| listening[name].as_str().unwrap().parse().unwrap();
        let served = Self {
            child,
            lines,
            webhook: address("webhook"),
            admin: address("admin"),
        };
        until("it is ready", || {
            served.get("/readyz").starts_with("HTTP/1.1 200")
        });
        served
    }

    /// The whole answer of the admin port.
    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.admin).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> End {
        let status = wait(&mut self.child);
        End {
            code: status.code(),
            stderr: self.lines.iter().collect(),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `condition` holds.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn wait(child: &mut Child) -> ExitStatus {
    let mut status = None;
    until("the process ends", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap()
}

/// Reads on in the background, so that the child never waits for us.
fn read_lines(child: &mut Child) -> Receiver<String> {
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let (send, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            let _ = send.send(line + "\n");
        }
    });
    lines
}
