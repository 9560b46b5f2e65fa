//! What the upstream projects ship to be applied, made to fit processes on loopback.
//!
//! In: the kustomizations in the Go module cache, rendered by kubectl as an administrator would. Out: the same objects
//! without those that stand for pods, and with webhooks that point at loopback.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::kubectl::output;
use super::programs::{self, TRAINING_OPERATOR, Versions};

/// The objects of one upstream project.
pub(crate) type Objects = Vec<Value>;

/// v1's operator: the CRD of PyTorchJob, RBAC, user roles, webhook configuration.
pub(crate) fn training_operator() -> Result<Objects> {
    let sources = programs::sources(TRAINING_OPERATOR, "github.com/kubeflow/training-operator")?;
    let mut objects = render(&sources.join("manifests/overlays/kubeflow"))?;
    // The five other kinds of job are of no interest, and their schemas take the API server seconds.
    objects.retain(|object| {
        object["kind"] != "CustomResourceDefinition"
            || object["spec"]["names"]["plural"] == "pytorchjobs"
    });
    Ok(objects)
}

/// The CRDs of pod groups, Volcano's and the coscheduling plugin's, without their schemas: the operators alone write them.
pub(crate) fn pod_groups() -> [Value; 2] {
    [
        ("scheduling.volcano.sh", "v1beta1"),
        ("scheduling.x-k8s.io", "v1alpha1"),
    ]
    .map(|(group, version)| {
        let schema = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": format!("podgroups.{group}"),
                // The API server wants one for a group under k8s.io.
                "annotations": { "api-approved.kubernetes.io": "unapproved, for tests" },
            },
            "spec": {
                "group": group,
                "names": { "kind": "PodGroup", "listKind": "PodGroupList", "plural": "podgroups", "singular": "podgroup" },
                "scope": "Namespaced",
                "versions": [{
                    "name": version, "served": true, "storage": true,
                    "schema": { "openAPIV3Schema": schema },
                }],
            },
        })
    })
}

/// `JobSet`: CRD, RBAC, webhook configurations.
pub(crate) fn jobset(versions: Versions) -> Result<Objects> {
    render(&programs::sources(versions.jobset, "sigs.k8s.io/jobset")?.join("config/default"))
}

/// Trainer: CRDs, RBAC, the roles for its users, webhook configurations.
///
/// Its own overlay fetches `JobSet` from the network, so it is taken over into a directory here without that line.
pub(crate) fn trainer(versions: Versions) -> Result<Objects> {
    let manifests = trainer_manifests(versions)?;
    let overlay = manifests.join("overlays/manager");
    let scratch = &programs::root()
        .join("target/control-plane/rendered")
        .join(versions.trainer);
    let text = fs::read_to_string(overlay.join("kustomization.yaml"))?;
    let mut kustomization: Value =
        serde_saphyr::from_str(&text).context("reading Trainer's overlay")?;
    let shipped = kustomization["resources"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let resources: Vec<PathBuf> = shipped
        .filter(|resource| !resource.contains("third-party"))
        .map(|resource| overlay.join(resource))
        .chain([manifests.join("overlays/kubeflow-platform/kubeflow-trainer-roles.yaml")])
        .map(|resource| relative(scratch, &resource))
        .collect::<Result<_>>()?;
    kustomization["resources"] = json!(resources);
    keep(
        &scratch.join("kustomization.yaml"),
        kustomization.to_string().as_bytes(),
    )?;
    render(scratch)
}

/// Trainer's own `ClusterTrainingRuntimes`.
pub(crate) fn trainer_runtimes(versions: Versions) -> Result<Objects> {
    render(&trainer_manifests(versions)?.join("overlays/runtimes"))
}

fn trainer_manifests(versions: Versions) -> Result<PathBuf> {
    Ok(programs::sources(versions.trainer, "github.com/kubeflow/trainer/v2")?.join("manifests"))
}

/// What a kustomization renders to, without what stands for pods and the way to them: the components are processes here.
fn render(kustomization: &Path) -> Result<Objects> {
    let unwanted = ["Deployment", "Service", "Namespace"];
    let mut objects = render_whole(kustomization)?;
    objects.retain(|object| {
        !object["kind"]
            .as_str()
            .is_some_and(|kind| unwanted.contains(&kind))
    });
    Ok(objects)
}

/// Rendering takes seconds, and its sources never change: the result is kept for the next run.
fn render_whole(kustomization: &Path) -> Result<Objects> {
    let mut key = DefaultHasher::new();
    (
        kustomization,
        fs::read(kustomization.join("kustomization.yaml"))?,
    )
        .hash(&mut key);
    let kept = programs::root().join(format!(
        "target/control-plane/rendered/{:016x}.json",
        key.finish()
    ));
    if let Ok(text) = fs::read(&kept) {
        return serde_json::from_slice(&text)
            .with_context(|| format!("reading {}", kept.display()));
    }
    let mut command = Command::new(programs::find(programs::KUBERNETES, "kubectl")?);
    command
        .args(["kustomize", "--load-restrictor=LoadRestrictionsNone"])
        .arg(kustomization);
    let rendered = output(command, None)?;
    if rendered.status != 0 {
        bail!(
            "kubectl kustomize {}: {}",
            kustomization.display(),
            rendered.stderr
        );
    }
    let objects: Objects = serde_saphyr::from_multiple(&rendered.stdout)
        .with_context(|| format!("reading what {} renders to", kustomization.display()))?;
    keep(&kept, &serde_json::to_vec(&objects)?)?;
    Ok(objects)
}

/// Writes a file that other runs may be reading: they see all of it, or what was there before.
fn keep(file: &Path, content: &[u8]) -> Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(file))?;
    let whole = file.with_extension(std::process::id().to_string());
    fs::write(&whole, content)?;
    Ok(fs::rename(whole, file)?)
}

/// Points every webhook at a server on loopback, path and all else being kept.
///
/// By URL: the server's certificate must then hold 127.0.0.1, and no Service is needed to stand for it.
pub(crate) fn redirect_webhooks(objects: &mut Objects, port: u16, ca_certificate: &str) {
    let ca_bundle = STANDARD.encode(ca_certificate);
    let webhooks = objects
        .iter_mut()
        .filter_map(|object| object.get_mut("webhooks")?.as_array_mut())
        .flatten();
    for webhook in webhooks {
        let path = webhook["clientConfig"]["service"]["path"]
            .as_str()
            .unwrap_or_default();
        let url = format!("https://127.0.0.1:{port}{path}");
        webhook["clientConfig"] = json!({ "url": url, "caBundle": ca_bundle });
    }
}

/// The way from one directory to a path, since kustomize takes no absolute directories.
fn relative(from: &Path, to: &Path) -> Result<PathBuf> {
    if !from.is_absolute() || !to.is_absolute() {
        bail!("{} and {} must be absolute", from.display(), to.display());
    }
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(from, to)| from == to)
        .count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    Ok(up.chain(to.components().skip(shared)).collect())
}
