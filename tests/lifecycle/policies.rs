//! A file of policies: read strictly at the start, followed after it, and the last good one stays.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::pairs::Pair;
use crate::served::{Served, fails_to_start, until};

/// A file as a ConfigMap volume has it: `policies.yaml` -> `..data/policies.yaml`, `..data` -> a directory a version.
struct Mounted {
    directory: TempDir,
    version: usize,
}

impl Mounted {
    fn new(text: &str) -> Self {
        let mut mounted = Self {
            directory: TempDir::new().unwrap(),
            version: 0,
        };
        mounted.swap(text);
        symlink("..data/policies.yaml", mounted.path()).unwrap();
        mounted
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("policies.yaml")
    }

    /// Puts a new version in place, as the kubelet does.
    fn swap(&mut self, text: &str) {
        self.version += 1;
        let version = format!("..{}", self.version);
        let below = self.directory.path().join(&version);
        fs::create_dir(&below).unwrap();
        fs::write(below.join("policies.yaml"), text).unwrap();
        let next = self.directory.path().join("..data_tmp");
        symlink(&version, &next).unwrap();
        fs::rename(next, self.directory.path().join("..data")).unwrap();
    }
}

fn policy(mode: &str) -> String {
    format!(
        "apiVersion: trainshift.dev/v1alpha1\nkind: MigrationPolicy\nmetadata: {{name: everybody}}\nspec:\n  schedule:\n  - {{mode: {mode}}}\n"
    )
}

/// A server under the policies of `file`, and its certificate.
struct Policed {
    served: Served,
    pair: Pair,
    _certificates: TempDir,
}

impl std::ops::Deref for Policed {
    type Target = Served;

    fn deref(&self) -> &Served {
        &self.served
    }
}

fn serve(file: &Path) -> Policed {
    let pair = Pair::p256();
    let certificates = pair.dir();
    let (file, tls) = (
        file.to_str().unwrap(),
        certificates.path().to_str().unwrap(),
    );
    let arguments = [
        "--offline",
        "--mode",
        "audit",
        "--policy",
        file,
        "--tls-dir",
        tls,
    ];
    Policed {
        served: Served::start(&arguments),
        pair,
        _certificates: certificates,
    }
}

/// What comes of a new job.
fn decision(policed: &Policed) -> String {
    let template =
        json!({"spec": {"containers": [{"name": "pytorch", "image": "example.com/mnist:1"}]}});
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "1", "operation": "CREATE", "namespace": "research", "name": "mnist",
            "resource": {"group": "kubeflow.org", "version": "v1", "resource": "pytorchjobs"},
            "userInfo": {"username": "jane"},
            "object": {
                "apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "metadata": {"name": "mnist"},
                "spec": {"pytorchReplicaSpecs": {"Master": {"replicas": 1, "template": template}}},
            },
        },
    });
    let answer =
        Client::connect(policed.webhook, &policed.pair).post("/validate", &review.to_string());
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    answer["response"]["auditAnnotations"]["decision"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// What the metric says of the file.
fn valid(policed: &Policed) -> u8 {
    let metrics = policed.get("/metrics");
    let line = metrics
        .lines()
        .find(|line| line.starts_with("trainshift_policy_file_valid"));
    let (_, value) = line.unwrap().rsplit_once(' ').unwrap();
    value.parse().unwrap()
}

#[test]
fn a_new_version_of_the_file_counts_and_a_broken_one_does_not() {
    let mut file = Mounted::new(&policy("Deny"));
    let served = serve(&file.path());
    assert_eq!(decision(&served), "deny");
    assert_eq!(valid(&served), 1);

    file.swap(&policy("Warn"));
    until("the new version counts", || decision(&served) == "warn");

    // Twice, with a broken one between: what counts is always the last good one.
    file.swap(&policy("Denny"));
    until("the broken version is seen", || valid(&served) == 0);
    assert_eq!(decision(&served), "warn");
    until("it is named, and the server is ready all the same", || {
        let ready = served.get("/readyz");
        ready.starts_with("HTTP/1.1 200") && ready.contains("Denny")
    });

    file.swap(&policy("Audit"));
    until("the mended version counts", || decision(&served) == "admit");
    assert_eq!(valid(&served), 1);
}

#[test]
fn a_file_that_goes_away_leaves_its_policies_in_force() {
    let file = Mounted::new(&policy("Deny"));
    let served = serve(&file.path());
    fs::remove_file(file.path()).unwrap();
    until("its absence is seen", || valid(&served) == 0);
    assert_eq!(decision(&served), "deny");
}

#[test]
fn a_file_with_a_mistake_is_named_with_line_and_column_before_anything_is_served() {
    let file = Mounted::new(&policy("Denny"));
    let end = fails_to_start(&["--offline", "--policy", file.path().to_str().unwrap()]);
    assert_eq!(end.code, Some(2), "{}", end.stderr);
    assert!(end.stderr.contains("policies.yaml:6:12"), "{}", end.stderr);
    assert!(end.stderr.contains("did you mean Deny?"), "{}", end.stderr);
}
