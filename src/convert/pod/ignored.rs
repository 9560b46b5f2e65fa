//! What a template holds that reaches no pod, under v1 or v2.

use crate::api::meta::SERVER_FIELDS;
use crate::api::pod::PodTemplate;

use super::Sources;
use crate::convert::finding::{Code, Finding, Outcome};
use crate::convert::ledger::{Ledger, push_key};

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
