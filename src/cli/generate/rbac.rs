//! `trainshift generate rbac`: the rights that `serve` has in a cluster, and no more.
//!
//! Nothing here is for people. Policies are cluster-scoped and decide over everybody's namespaces, so no role for them is
//! aggregated to `admin` or `edit`, which namespaces' owners hold; a cluster administrator holds all verbs already, and a
//! platform team writes the role that says which policies it may change. The verb `bypass` belongs to nobody until then.

use std::collections::BTreeMap;

use clap::Args as ClapArgs;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::meta::{MIGRATION_POLICIES, OWN_GROUP, POLICY_CRD};

use super::super::exit::Exit;
use super::super::{Io, output};

/// Name of the role and of its binding.
const NAME: &str = "trainshift";

/// Whose rights.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct Args {
    /// The ServiceAccount that `serve` runs under
    #[arg(long, value_name = "NAMESPACE/NAME", default_value = "trainshift-system/trainshift", value_parser = pair)]
    service_account: (String, String),
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
            Ok((namespace.to_owned(), name.to_owned()))
        }
        _ => Err(format!("{text:?} is not NAMESPACE/NAME")),
    }
}

/// Prints the role and its binding.
pub(super) fn run(args: &Args, io: &mut Io<'_>) -> anyhow::Result<Exit> {
    let documents = [output::yaml(&role())?, output::yaml(&binding(args))?];
    io.out.write_all(documents.join("---\n").as_bytes())?;
    Ok(Exit::Done)
}

pub(super) fn metadata() -> ObjectMeta {
    let labels = BTreeMap::from([("app.kubernetes.io/name".to_owned(), NAME.to_owned())]);
    ObjectMeta {
        name: Some(NAME.to_owned()),
        labels: Some(labels),
        ..ObjectMeta::default()
    }
}

fn role() -> ClusterRole {
    let rule = |group: &str, resource: &str, names: &[&str], verbs: &[&str]| PolicyRule {
        api_groups: Some(vec![group.to_owned()]),
        resources: Some(vec![resource.to_owned()]),
        resource_names: (!names.is_empty())
            .then(|| names.iter().map(|name| (*name).to_owned()).collect()),
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        ..PolicyRule::default()
    };
    ClusterRole {
        metadata: metadata(),
        rules: Some(vec![
            // Which version of Trainer the cluster has, and whether it has policies at all.
            rule(
                "apiextensions.k8s.io",
                "customresourcedefinitions",
                &["trainjobs.trainer.kubeflow.org", POLICY_CRD],
                &["get"],
            ),
            // Which runtimes a TrainJob can refer to.
            rule(
                "trainer.kubeflow.org",
                "clustertrainingruntimes",
                &[],
                &["list"],
            ),
            // Whether a requester may create the runtime that a denial would hand back, or pass a denial.
            rule(
                "authorization.k8s.io",
                "subjectaccessreviews",
                &[],
                &["create"],
            ),
            // The policies that requests are judged by.
            rule(
                OWN_GROUP,
                MIGRATION_POLICIES,
                &[],
                &["get", "list", "watch"],
            ),
            // What is reported of each: its mode, its next date, its mistakes.
            rule(OWN_GROUP, "migrationpolicies/status", &[], &["patch"]),
            // Labels of namespaces, by which policies select them; get for one that was created a moment ago.
            rule("", "namespaces", &[], &["get", "list", "watch"]),
            // Events beside policies: a mode that has begun, an exemption that has ended. In both of their groups, and with
            // patch for one that is counted on.
            rule("", "events", &[], &["create", "patch"]),
            rule("events.k8s.io", "events", &[], &["create", "patch"]),
        ]),
        ..ClusterRole::default()
    }
}

fn binding(args: &Args) -> ClusterRoleBinding {
    let (namespace, name) = args.service_account.clone();
    ClusterRoleBinding {
        metadata: metadata(),
        role_ref: RoleRef {
            api_group: Some("rbac.authorization.k8s.io".to_owned()),
            kind: "ClusterRole".to_owned(),
            name: NAME.to_owned(),
        },
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".to_owned(),
            name,
            namespace: Some(namespace),
            ..Subject::default()
        }]),
    }
}
