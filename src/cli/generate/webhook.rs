//! `trainshift generate webhook`: the two configurations by which the API server asks trainshift.
//!
//! The rules name what trainshift judges and never `*`: a webhook that can be asked about everything can break
//! everything. Requests are left out by their user only, never by a label that users can write.

mod typed;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MatchCondition, MutatingWebhook, MutatingWebhookConfiguration, RuleWithOperations,
    ServiceReference, ValidatingWebhook, ValidatingWebhookConfiguration, WebhookClientConfig,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use crate::api::meta::{MUTATING_WEBHOOK, PYTORCHJOBS, V1_GROUP, VALIDATING_WEBHOOK};
use crate::cli::exit::Exit;
use crate::cli::{Io, output};

pub(super) use typed::label;
use typed::{Service, name, service, url};

const NAMESPACE: &str = "trainshift-system";
const SERVICE: &str = "trainshift";
const CONTROLLER: &str = "trainshift-controller";
const INJECT_CA: &str = "cert-manager.io/inject-ca-from";
const MAX_TIMEOUT: i64 = 30;
/// Requests that are refused or excused make Events, and conditions that fail change a policy's status. Dry runs do
/// neither, and so the API server still asks about them.
const SIDE_EFFECTS: &str = "NoneOnDryRun";

/// Arguments of `generate webhook`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Name of both configurations; webhooks are asked in this order, and Kueue's `kueue-*` must come before
    #[arg(long, default_value = "trainshift", value_parser = name)]
    name: String,
    /// Service that the API server calls
    #[arg(long, value_name = "NAMESPACE/NAME[:PORT]", default_value = "trainshift-system/trainshift:443", value_parser = service)]
    service: Service,
    /// Address that the API server calls instead of a service
    #[arg(long, value_name = "https://HOST:PORT", conflicts_with = "service", value_parser = url)]
    url: Option<String>,
    /// PEM file of the CA that signed the server's certificate; without it, cert-manager is asked to fill it in
    #[arg(long, value_name = "FILE")]
    ca_bundle: Option<PathBuf>,
    /// What the API server does when trainshift can't be reached
    #[arg(long, value_enum, default_value_t)]
    failure_policy: FailurePolicy,
    /// Only in namespaces with this label; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    namespace_selector: Vec<(String, String)>,
    /// How long the API server waits for an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(i32).range(1..=MAX_TIMEOUT))]
    timeout_seconds: i32,
}

/// What happens without an answer.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum FailurePolicy {
    /// The request goes on
    #[default]
    Ignore,
    /// The request is refused
    Fail,
}

/// Runs the command.
pub(super) fn run(args: &Args, io: &mut Io<'_>) -> anyhow::Result<Exit> {
    let ca_bundle = args.ca_bundle.as_deref().map(pem).transpose()?;
    let mutating = output::yaml(&mutating(args, ca_bundle.clone()))?;
    let validating = output::yaml(&validating(args, ca_bundle))?;
    write!(io.out, "{mutating}---\n{validating}")?;
    Ok(Exit::Done)
}

fn mutating(args: &Args, ca_bundle: Option<ByteString>) -> MutatingWebhookConfiguration {
    MutatingWebhookConfiguration {
        metadata: metadata(args, ca_bundle.is_none()),
        webhooks: Some(vec![MutatingWebhook {
            admission_review_versions: vec!["v1".to_owned()],
            client_config: client(args, "/mutate", ca_bundle),
            failure_policy: Some(args.failure_policy.as_str().to_owned()),
            match_conditions: Some(vec![not_ourselves(args)]),
            match_policy: Some("Equivalent".to_owned()),
            name: MUTATING_WEBHOOK.to_owned(),
            namespace_selector: selector(args),
            object_selector: None,
            // Kueue's webhook may change a job after ours has seen it.
            reinvocation_policy: Some("IfNeeded".to_owned()),
            rules: Some(rules()),
            side_effects: SIDE_EFFECTS.to_owned(),
            timeout_seconds: Some(args.timeout_seconds),
        }]),
    }
}

fn validating(args: &Args, ca_bundle: Option<ByteString>) -> ValidatingWebhookConfiguration {
    ValidatingWebhookConfiguration {
        metadata: metadata(args, ca_bundle.is_none()),
        webhooks: Some(vec![ValidatingWebhook {
            admission_review_versions: vec!["v1".to_owned()],
            client_config: client(args, "/validate", ca_bundle),
            failure_policy: Some(args.failure_policy.as_str().to_owned()),
            match_conditions: Some(vec![not_ourselves(args)]),
            match_policy: Some("Equivalent".to_owned()),
            name: VALIDATING_WEBHOOK.to_owned(),
            namespace_selector: selector(args),
            object_selector: None,
            rules: Some(rules()),
            side_effects: SIDE_EFFECTS.to_owned(),
            timeout_seconds: Some(args.timeout_seconds),
        }]),
    }
}

/// What is judged. The object of `pytorchjobs/scale` is an autoscaling/v1 Scale, but a rule names the resource that it
/// belongs to.
pub(super) fn rules() -> Vec<RuleWithOperations> {
    let rule = |operations: &[&str], resource: String| RuleWithOperations {
        api_groups: Some(vec![V1_GROUP.to_owned()]),
        api_versions: Some(vec!["v1".to_owned()]),
        operations: Some(operations.iter().map(ToString::to_string).collect()),
        resources: Some(vec![resource]),
        scope: Some("Namespaced".to_owned()),
    };
    vec![
        rule(&["CREATE", "UPDATE"], PYTORCHJOBS.to_owned()),
        rule(&["UPDATE"], format!("{PYTORCHJOBS}/scale")),
    ]
}

/// Leaves out what trainshift's own controller does.
fn not_ourselves(args: &Args) -> MatchCondition {
    let namespace = args.namespace();
    let user = format!("system:serviceaccount:{namespace}:{CONTROLLER}");
    MatchCondition {
        name: "not-trainshift-itself".to_owned(),
        expression: format!("request.userInfo.username != \"{user}\""),
    }
}

fn metadata(args: &Args, inject_ca: bool) -> ObjectMeta {
    let name = args
        .url
        .as_ref()
        .map_or(args.service.name.as_str(), |_| SERVICE);
    let certificate = format!("{}/{name}", args.namespace());
    ObjectMeta {
        name: Some(args.name.clone()),
        annotations: inject_ca.then(|| BTreeMap::from([(INJECT_CA.to_owned(), certificate)])),
        ..ObjectMeta::default()
    }
}

fn client(args: &Args, path: &str, ca_bundle: Option<ByteString>) -> WebhookClientConfig {
    let service = ServiceReference {
        name: args.service.name.clone(),
        namespace: args.service.namespace.clone(),
        path: Some(path.to_owned()),
        port: Some(args.service.port),
    };
    WebhookClientConfig {
        ca_bundle,
        service: args.url.is_none().then_some(service),
        url: args.url.as_ref().map(|url| format!("{url}{path}")),
    }
}

fn selector(args: &Args) -> Option<LabelSelector> {
    let labels: BTreeMap<_, _> = args.namespace_selector.iter().cloned().collect();
    (!labels.is_empty()).then_some(LabelSelector {
        match_labels: Some(labels),
        match_expressions: None,
    })
}

impl Args {
    /// Where trainshift is installed.
    fn namespace(&self) -> &str {
        self.url
            .as_ref()
            .map_or(&self.service.namespace, |_| NAMESPACE)
    }
}

impl FailurePolicy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "Ignore",
            Self::Fail => "Fail",
        }
    }
}

/// The file's content, if it holds certificates and nothing else that matters.
fn pem(path: &Path) -> anyhow::Result<ByteString> {
    let at = || format!("--ca-bundle {}", path.display());
    let content = fs::read(path).with_context(at)?;
    let mut certificates = 0;
    for block in x509_parser::pem::Pem::iter_from_buffer(&content) {
        let block = block.with_context(at)?;
        if block.label != "CERTIFICATE" {
            bail!(
                "{}: holds a {}; only certificates belong here",
                at(),
                block.label
            );
        }
        block.parse_x509().with_context(at)?;
        certificates += 1;
    }
    if certificates == 0 {
        bail!("{}: no PEM certificate in it", at());
    }
    Ok(ByteString(content))
}
