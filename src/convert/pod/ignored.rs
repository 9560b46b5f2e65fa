//! What a template holds that reaches no pod, under v1 or v2.

use crate::api::Rest;
use crate::api::meta::SERVER_FIELDS;
use crate::api::pod::{PodSpec, PodTemplate};

use super::Sources;
use crate::convert::finding::{Code, Finding, Outcome};
use crate::convert::ledger::{Ledger, push_key};

/// Pod fields of v1's CRD (training-operator v1.9.3 `kubeflow.org_pytorchjobs.yaml`) that have no type of their own here.
const POD_FIELDS: [&str; 28] = [
    "activeDeadlineSeconds",
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostUsers",
    "imagePullSecrets",
    "nodeName",
    "nodeSelector",
    "os",
    "overhead",
    "preemptionPolicy",
    "priority",
    "readinessGates",
    "resourceClaims",
    "runtimeClassName",
    "schedulingGates",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "terminationGracePeriodSeconds",
    "tolerations",
];
/// The same for containers.
const CONTAINER_FIELDS: [&str; 16] = [
    "envFrom",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "readinessProbe",
    "resizePolicy",
    "restartPolicy",
    "securityContext",
    "startupProbe",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "workingDir",
];

/// Notes what a role's template holds that reaches no pod, under v1 or v2: for each role by itself, because roles that
/// share a template may differ in it.
pub fn report_ignored(template: &PodTemplate, source: &str, ledger: &mut Ledger) {
    let sources = Sources(vec![source.to_owned()]);
    let meta = &template.metadata;
    for (key, value) in [
        ("name", &meta.name),
        ("generateName", &meta.generate_name),
        ("namespace", &meta.namespace),
    ] {
        if let Some(value) = value {
            let finding = sources.finding(
                Code::SmallDifference,
                Outcome::Adapted,
                &format!(".metadata.{key}"),
            );
            ledger.find(finding.had(value).note("v1 overwrites it, and so does v2"));
        }
    }
    for key in meta.rest.keys() {
        let server = SERVER_FIELDS.contains(&key.as_str());
        let (code, outcome) = if server {
            (Code::ServerFields, Outcome::Adapted)
        } else {
            (Code::TemplateMetadata, Outcome::Lost)
        };
        let mut at = format!("{source}.metadata");
        push_key(&mut at, key);
        ledger.find(Finding::new(code, outcome, at));
    }
    for key in template.rest.keys() {
        let mut at = source.to_owned();
        push_key(&mut at, key);
        ledger.find(Finding::new(Code::UnknownField, Outcome::Lost, at));
    }
    if let Some(policy) = &template.spec.restart_policy {
        let finding = sources.finding(
            Code::TemplateRestartPolicy,
            Outcome::Adapted,
            ".spec.restartPolicy",
        );
        ledger.find(finding.had(policy));
    }
}

/// Takes out fields that v1's CRD doesn't have, so that they never reached a pod, and fields without a value.
pub(super) fn drop_unknown(spec: &mut PodSpec, sources: &Sources, ledger: &mut Ledger) {
    drop_fields(&mut spec.rest, &POD_FIELDS, ".spec", sources, ledger);
    if spec.scheduler_name.as_deref() == Some("") {
        spec.scheduler_name = None;
        for source in &sources.0 {
            ledger.is_default(format!("{source}.spec.schedulerName"));
        }
    }
    for (list, containers) in [
        ("containers", &mut spec.containers),
        ("initContainers", &mut spec.init_containers),
    ] {
        for (index, container) in containers.iter_mut().enumerate() {
            let at = format!(".spec.{list}[{index}]");
            drop_fields(&mut container.rest, &CONTAINER_FIELDS, &at, sources, ledger);
        }
    }
}

fn drop_fields(
    fields: &mut Rest,
    known: &[&str],
    below: &str,
    sources: &Sources,
    ledger: &mut Ledger,
) {
    fields.retain(|key, value| {
        let is_known = known.contains(&key.as_str());
        if !is_known {
            let mut at = below.to_owned();
            push_key(&mut at, key);
            ledger.find(sources.finding(Code::UnknownField, Outcome::Lost, &at));
        }
        is_known && !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty())
    });
}
