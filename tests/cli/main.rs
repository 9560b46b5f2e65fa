//! The command line, by its binary: what goes in, what comes out, and how it ends.

#![allow(clippy::expect_used, reason = "helpers of tests fail like tests")]

mod convert;
mod diff;
mod explain;
mod generate;
mod policy;
mod report;
mod tree;
mod unreadable;

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use snapbox::cmd::Command;

/// A job that converts exactly but for what every job has.
const JOB: &str = "\
apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata:
  name: mnist
spec:
  runPolicy:
    backoffLimit: 3
  pytorchReplicaSpecs:
    Worker:
      replicas: 2
      restartPolicy: OnFailure
      template:
        spec:
          containers:
          - name: pytorch
            image: train:1
            args: [--lr, \"1e-4\", \"on\"]
";
/// A job that v1 itself would refuse.
const REFUSED: &str = "\
apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata:
  name: empty
spec:
  pytorchReplicaSpecs: {}
";
const CONFIG_MAP: &str = "# why it is here\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}   # odd  spacing\ndata: {\"a\":   'b'}\n";

/// How a run ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

/// Runs the binary; a run that hangs is a failure.
fn run(args: &[&str], stdin: impl AsRef<[u8]>) -> Ended {
    run_in(Path::new("."), args, stdin)
}

fn run_in(directory: &Path, args: &[&str], stdin: impl AsRef<[u8]>) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_trainshift"))
        .current_dir(directory)
        .args(args)
        .stdin(stdin.as_ref().to_vec())
        .timeout(Duration::from_mins(1))
        .output()
        .expect("runs");
    let ended = Ended {
        code: output.status.code().expect("ended by itself"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    };
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
    ended
}

/// The objects of a YAML stream.
fn objects(yaml: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(yaml).expect("YAML")
}

fn kinds(objects: &[Value]) -> Vec<&str> {
    objects
        .iter()
        .map(|object| object["kind"].as_str().unwrap_or("?"))
        .collect()
}
