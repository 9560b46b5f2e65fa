//! `trainshift generate vap`: a ValidatingAdmissionPolicy and its binding, which hold when trainshift doesn't answer.

mod source;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::bail;
use jiff::Timestamp;
use k8s_openapi::api::admissionregistration::v1::{
    MatchResources, NamedRuleWithOperations, ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding, ValidatingAdmissionPolicyBindingSpec,
    ValidatingAdmissionPolicySpec, Validation, Variable,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use super::webhook::{label, rules};
use crate::api::meta::KUEUE_CONTROLLER;
use crate::cli::cluster::ClusterArgs;
use crate::cli::exit::Exit;
use crate::cli::output::Format;
use crate::cli::{Io, output};
use crate::policy::floor::{Floor, MAX_EXPRESSION, Settings};
use crate::policy::{Mode, Policies};

/// Most bytes of the policy as JSON: etcd takes 1.5 MiB, and the object is stored with what the API server adds.
const MAX_BYTES: usize = 1_400_000;

/// Arguments of `generate vap`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Files of MigrationPolicies, or - for stdin; without one, those of the cluster
    #[arg(
        long = "policy",
        value_name = "FILE",
        required_unless_present_any = ["kubeconfig", "context"],
        conflicts_with_all = ["kubeconfig", "context"]
    )]
    policies: Vec<PathBuf>,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// What holds where no policy matches, as --mode of serve
    #[arg(long, value_name = "audit|warn|deny", default_value = "audit")]
    default_mode: Mode,
    /// The time from which the floor holds [default: now]
    #[arg(long, value_name = "TIME", value_parser = crate::cli::policy::moment)]
    at: Option<Timestamp>,
    /// A user whose business it is to start jobs that wait in a queue, instead of Kueue's, as for serve; may be repeated
    #[arg(
        long,
        value_name = "USER",
        default_value = KUEUE_CONTROLLER
    )]
    queue_controller: Vec<String>,
    /// Name of the policy and of its binding; trainshift report knows refusals by one that begins with trainshift
    #[arg(long, default_value = "trainshift-floor")]
    name: String,
    /// Only in namespaces with this label; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    namespace_selector: Vec<(String, String)>,
    /// Exit with 1 if trainshift denies anything that the floor can't
    #[arg(long)]
    strict: bool,
    /// How the objects are written
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
}

/// Runs the command.
///
/// # Errors
/// When there are no policies to read, or more than an API server takes.
pub(super) fn run(args: &Args, io: &mut Io<'_>) -> Result<Exit, (Exit, anyhow::Error)> {
    let policies = match args.cluster.named() {
        Some(connection) => source::cluster(&connection).map_err(|error| (Exit::Cluster, error))?,
        None => source::files(&args.policies).map_err(|error| (Exit::Usage, error))?,
    };
    let (policies, _) = Policies::new(&policies);
    let settings = Settings {
        default: args.default_mode,
        at: args.at.unwrap_or_else(Timestamp::now),
        queue_controllers: &args.queue_controller,
    };
    let floor = Floor::new(&policies, &settings);
    write(args, &floor, &settings, io).map_err(|error| (Exit::Usage, error))?;
    Ok(if args.strict && !floor.gaps.is_empty() {
        Exit::Refused
    } else {
        Exit::Done
    })
}

fn write(
    args: &Args,
    floor: &Floor,
    settings: &Settings<'_>,
    io: &mut Io<'_>,
) -> anyhow::Result<()> {
    let (policy, binding) = (policy(args, floor), binding(args));
    fits(floor, &policy)?;
    let made = format!(
        "What the MigrationPolicies deny as of {}, for when trainshift doesn't answer. Made by trainshift generate vap.",
        settings.at
    );
    let gaps = floor.gaps.iter().map(|gap| format!("Can't say: {gap}"));
    if args.output == Format::Yaml {
        for line in std::iter::once(made).chain(gaps) {
            writeln!(io.out, "# {line}")?;
        }
    }
    for gap in &floor.gaps {
        writeln!(io.err, "the floor can't say: {gap}")?;
    }
    let mut stream = output::Stream::new(&mut *io.out, args.output);
    stream.push(&args.output.write(&policy)?)?;
    stream.push(&args.output.write(&binding)?)?;
    stream.finish()?;
    Ok(())
}

/// Whether an API server takes it.
fn fits(floor: &Floor, policy: &ValidatingAdmissionPolicy) -> anyhow::Result<()> {
    const ADVICE: &str = "say the same with fewer policies, selectors instead of lists of names, or groups instead of lists of users";
    if let Some((name, length)) = floor.too_long() {
        bail!(
            "the expression {name} has {length} characters, and the API server takes {MAX_EXPRESSION}: {ADVICE}"
        );
    }
    let bytes = serde_json::to_vec(policy)?.len();
    if bytes > MAX_BYTES {
        bail!("the policies make {bytes} bytes, and the API server takes {MAX_BYTES}: {ADVICE}");
    }
    Ok(())
}

fn policy(args: &Args, floor: &Floor) -> ValidatingAdmissionPolicy {
    let variables = floor.variables.iter().map(|variable| Variable {
        name: variable.name.clone(),
        expression: variable.expression.clone(),
    });
    let validations = floor.validations.iter().map(|validation| Validation {
        expression: validation.expression.clone(),
        message: Some("PyTorchJob is refused".to_owned()),
        message_expression: Some(validation.message_expression.clone()),
        reason: Some("Forbidden".to_owned()),
    });
    let rules = rules().into_iter().map(|rule| NamedRuleWithOperations {
        api_groups: rule.api_groups,
        api_versions: rule.api_versions,
        operations: rule.operations,
        resource_names: None,
        resources: rule.resources,
        scope: rule.scope,
    });
    ValidatingAdmissionPolicy {
        metadata: metadata(args),
        spec: Some(ValidatingAdmissionPolicySpec {
            failure_policy: Some("Fail".to_owned()),
            match_constraints: Some(MatchResources {
                resource_rules: Some(rules.collect()),
                ..MatchResources::default()
            }),
            validations: Some(validations.collect()),
            variables: Some(variables.collect()),
            ..ValidatingAdmissionPolicySpec::default()
        }),
        status: None,
    }
}

fn binding(args: &Args) -> ValidatingAdmissionPolicyBinding {
    let labels: BTreeMap<_, _> = args.namespace_selector.iter().cloned().collect();
    let selected = (!labels.is_empty()).then(|| MatchResources {
        namespace_selector: Some(LabelSelector {
            match_labels: Some(labels),
            match_expressions: None,
        }),
        ..MatchResources::default()
    });
    ValidatingAdmissionPolicyBinding {
        metadata: metadata(args),
        spec: ValidatingAdmissionPolicyBindingSpec {
            match_resources: selected,
            policy_name: args.name.clone(),
            validation_actions: vec!["Deny".to_owned()],
            ..ValidatingAdmissionPolicyBindingSpec::default()
        },
    }
}

fn metadata(args: &Args) -> ObjectMeta {
    let label = ("app.kubernetes.io/name".to_owned(), "trainshift".to_owned());
    ObjectMeta {
        name: Some(args.name.clone()),
        labels: Some(BTreeMap::from([label])),
        ..ObjectMeta::default()
    }
}
