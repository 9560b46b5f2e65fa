//! `trainshift generate review`: the AdmissionReview that the API server would send for a PyTorchJob.
//!
//! The same input gives the same review, uid included, so that it can be kept beside a test.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::ValueEnum;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::api::meta::{PYTORCHJOB, PYTORCHJOBS, V1_API_VERSION, V1_GROUP, WORKER};
use crate::api::review::{
    GroupVersionKind, GroupVersionResource, REVIEW_API_VERSION, REVIEW_KIND, Request,
    ReviewRequest, UserInfo,
};
use crate::cli::Io;
use crate::cli::exit::Exit;
use crate::cli::input::{Object, files, objects, split};

/// Arguments of `generate review`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// File whose first PyTorchJob it is about; - for stdin; without it, a small job that is built in
    file: Option<PathBuf>,
    /// Who asks
    #[arg(long = "as", value_name = "USER", default_value = "kubernetes-admin")]
    user: String,
    /// A group of the user; may be repeated
    #[arg(long, value_name = "GROUP", default_value = "system:authenticated")]
    group: Vec<String>,
    /// What is asked for
    #[arg(long, value_enum, default_value_t)]
    operation: Operation,
    /// File with the object as it was, for an update; without it, the object itself
    #[arg(long, value_name = "FILE")]
    old: Option<PathBuf>,
    /// As kubectl --dry-run=server asks
    #[arg(long)]
    dry_run: bool,
    /// Namespace, instead of the object's own
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
enum Operation {
    /// A new object
    #[default]
    Create,
    /// A change
    Update,
}

/// Runs the command.
pub(super) fn run(args: &Args, io: &mut Io<'_>) -> anyhow::Result<Exit> {
    if args.old.is_some() && args.operation == Operation::Create {
        bail!("--old goes with --operation update");
    }
    let job = match &args.file {
        Some(file) => first_job(file)?,
        None => built_in(),
    };
    let object = placed(job, args.namespace.as_deref());
    let old = match (args.operation, &args.old) {
        (Operation::Create, _) => None,
        (Operation::Update, None) => Some(object.clone()),
        (Operation::Update, Some(path)) => {
            Some(placed(first_job(path)?, args.namespace.as_deref()))
        }
    };
    let review = of(&Asked {
        user: &args.user,
        groups: &args.group,
        object: &object,
        old: old.as_ref(),
        dry_run: args.dry_run,
    })?;
    writeln!(io.out, "{}", serde_json::to_string_pretty(&review)?)?;
    Ok(Exit::Done)
}

/// Four nodes that run a plain script: what trains as one under v1 and must under v2.
pub(in crate::cli) fn built_in() -> Value {
    let template = json!({"spec": {"containers": [
        {"name": "pytorch", "image": "example.com/mnist:1.0", "command": ["python", "train.py"]},
    ]}});
    json!({
        "apiVersion": V1_API_VERSION,
        "kind": PYTORCHJOB,
        "metadata": {"name": "mnist"},
        "spec": {"pytorchReplicaSpecs": {
            "Master": {"replicas": 1, "restartPolicy": "OnFailure", "template": template},
            "Worker": {"replicas": 3, "restartPolicy": "OnFailure", "template": template},
        }},
    })
}

fn first_job(path: &Path) -> anyhow::Result<Value> {
    let (sources, problems) = files::sources(&[path.to_owned()], None);
    if let Some(problem) = problems.into_iter().next() {
        bail!("{problem}");
    }
    for source in sources {
        let text = source.read().map_err(|problem| anyhow!("{problem}"))?;
        for document in split::documents(&text) {
            for object in objects(&source.label, &document, None) {
                if let Object::Job(_, value) = object.map_err(|problem| anyhow!("{problem}"))? {
                    return Ok(value);
                }
            }
        }
    }
    bail!("{}: no PyTorchJob in it", path.display())
}

/// The object in its namespace, as the API server has it by the time it asks.
pub(in crate::cli) fn placed(mut object: Value, namespace: Option<&str>) -> Value {
    let own = object["metadata"]["namespace"].as_str().map(str::to_owned);
    let namespace = namespace.map(str::to_owned).or(own);
    object["metadata"]["namespace"] = namespace.unwrap_or_else(|| "default".to_owned()).into();
    object
}

/// Who asks for what.
pub(in crate::cli) struct Asked<'a> {
    /// The user.
    pub(in crate::cli) user: &'a str,
    /// His groups.
    pub(in crate::cli) groups: &'a [String],
    /// The object as it will be.
    pub(in crate::cli) object: &'a Value,
    /// The object as it was, for an update.
    pub(in crate::cli) old: Option<&'a Value>,
    /// Whether nothing will be stored.
    pub(in crate::cli) dry_run: bool,
}

/// The review that the API server would send.
pub(in crate::cli) fn of(asked: &Asked<'_>) -> serde_json::Result<ReviewRequest> {
    let raw = |value: &Value| -> serde_json::Result<Box<RawValue>> { to_raw_value(value) };
    let Asked {
        user, object, old, ..
    } = asked;
    let text = |field: &str| {
        object["metadata"][field]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let operation = if old.is_some() { "UPDATE" } else { "CREATE" };
    let content = format!("{operation} {user} {object} {old:?}");
    Ok(ReviewRequest {
        api_version: REVIEW_API_VERSION.to_owned(),
        kind: REVIEW_KIND.to_owned(),
        request: Some(Request {
            uid: uid(content.as_bytes()),
            kind: GroupVersionKind {
                group: V1_GROUP.to_owned(),
                version: "v1".to_owned(),
                kind: PYTORCHJOB.to_owned(),
            },
            resource: GroupVersionResource {
                group: V1_GROUP.to_owned(),
                version: "v1".to_owned(),
                resource: PYTORCHJOBS.to_owned(),
            },
            sub_resource: None,
            name: text("name"),
            namespace: text("namespace"),
            operation: operation.to_owned(),
            user_info: UserInfo {
                username: (*user).to_owned(),
                groups: asked.groups.to_vec(),
                ..UserInfo::default()
            },
            object: Some(raw(object)?),
            old_object: old.map(raw).transpose()?,
            dry_run: Some(asked.dry_run),
        }),
    })
}

/// The review for a scale subresource: as many `workers` as that, of the job as it is.
pub(in crate::cli) fn of_scale(
    asked: &Asked<'_>,
    workers: u32,
) -> serde_json::Result<ReviewRequest> {
    let metadata = &asked.object["metadata"];
    let scale = |replicas: Value| {
        json!({
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
            "spec": {"replicas": replicas},
        })
    };
    let current = asked
        .object
        .pointer(&format!("/spec/pytorchReplicaSpecs/{WORKER}/replicas"));
    let mut review = of(&Asked {
        object: &scale(workers.into()),
        old: Some(&scale(current.cloned().unwrap_or_else(|| 0.into()))),
        ..*asked
    })?;
    if let Some(request) = &mut review.request {
        request.sub_resource = Some("scale".to_owned());
        request.kind = GroupVersionKind {
            group: "autoscaling".to_owned(),
            version: "v1".to_owned(),
            kind: "Scale".to_owned(),
        };
    }
    Ok(review)
}

/// A uid that the same content always has: FNV-1a, written as a UUID.
fn uid(content: &[u8]) -> String {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = content.iter().fold(BASIS, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(PRIME)
    });
    let hex = format!("{hash:032x}");
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_has_the_same_uid() {
        assert_eq!(uid(b""), "6c62272e-07bb-0142-62b8-21756295c58d");
        assert_ne!(uid(b"a"), uid(b"b"));
    }
}
