//! What a template holds that reaches no pod, under v1 or v2.

use crate::api::Rest;
use crate::api::meta::SERVER_FIELDS;
use crate::api::pod::{PodSpec, PodTemplate};

use super::Sources;
use crate::convert::finding::{Code, Finding, Outcome};
use crate::convert::ledger::{Ledger, child};

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
        let at = child(&format!("{source}.metadata"), key);
        ledger.find(Finding::new(code, outcome, at));
    }
    for key in template.rest.keys() {
        let at = child(source, key);
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

/// Takes out fields without a value. Fields that nobody here knows stay: a later Kubernetes may.
pub(super) fn drop_empty(spec: &mut PodSpec, sources: &Sources, ledger: &mut Ledger) {
    for (key, name) in [
        ("schedulerName", &mut spec.scheduler_name),
        ("priorityClassName", &mut spec.priority_class_name),
    ] {
        if name.as_deref() == Some("") {
            *name = None;
            for source in &sources.0 {
                ledger.is_default(format!("{source}.spec.{key}"));
            }
        }
    }
    drop_empty_fields(&mut spec.rest);
    for container in spec.containers.iter_mut().chain(&mut spec.init_containers) {
        drop_empty_fields(&mut container.rest);
    }
}

fn drop_empty_fields(fields: &mut Rest) {
    fields.retain(|_, value| {
        !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty())
    });
}
