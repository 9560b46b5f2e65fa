//! kubectl, as one user.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::programs;

/// The built kubectl with a kubeconfig: what a user types, and under whose name.
#[derive(Clone)]
pub(crate) struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

/// What a run of kubectl came to.
#[derive(Debug)]
pub(crate) struct Output {
    /// The exit code; -1 when a signal ended it.
    pub(crate) status: i32,
    pub(crate) stdout: String,
    /// Warnings of the API server come here, a line each.
    pub(crate) stderr: String,
}

impl Kubectl {
    pub(crate) fn new(kubeconfig: &Path) -> Result<Self> {
        Ok(Self {
            program: programs::find(programs::KUBERNETES, "kubectl")?,
            kubeconfig: kubeconfig.to_owned(),
        })
    }

    /// The kubeconfig, for other clients that act as the same user.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Runs it; a non-zero exit is for the caller to judge.
    pub(crate) fn run(&self, arguments: &[&str], stdin: Option<&str>) -> Result<Output> {
        let cache = self.kubeconfig.with_file_name("kubectl-cache");
        let mut command = Command::new(&self.program);
        command
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .arg("--cache-dir")
            .arg(cache)
            .args(arguments);
        output(command, stdin)
    }

    /// Runs it; a non-zero exit is an error that carries what it wrote.
    pub(crate) fn succeed(&self, arguments: &[&str], stdin: Option<&str>) -> Result<String> {
        let output = self.run(arguments, stdin)?;
        if output.status != 0 {
            bail!(
                "kubectl {}: exit code {}\n{}{}",
                arguments.join(" "),
                output.status,
                output.stderr,
                output.stdout
            );
        }
        Ok(output.stdout)
    }

    /// Creates objects, in order. The API server's own validation is enough, and spares a download of all schemas.
    pub(crate) fn create(&self, objects: &[Value]) -> Result<()> {
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string();
        self.succeed(&["create", "--validate=false", "--filename=-"], Some(&list))?;
        Ok(())
    }

    /// Runs it with `-o json`.
    pub(crate) fn json(&self, arguments: &[&str]) -> Result<Value> {
        let text = self.succeed(&[arguments, &["--output=json"]].concat(), None)?;
        serde_json::from_str(&text).context("reading what kubectl wrote")
    }
}

/// Runs a command to its end, feeding it `stdin`.
pub(crate) fn output(mut command: Command, stdin: Option<&str>) -> Result<Output> {
    let mut child = command
        .stdin(if stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {}", command.get_program().display()))?;
    let pipe = child.stdin.take();
    // Fed from a thread: a program that answers while it reads would fill its pipe and both would wait for ever.
    let output = thread::scope(|scope| {
        if let (Some(mut pipe), Some(text)) = (pipe, stdin) {
            // It may well end without having read everything; its exit code tells then.
            scope.spawn(move || pipe.write_all(text.as_bytes()).ok());
        }
        child.wait_with_output()
    })?;
    Ok(Output {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
