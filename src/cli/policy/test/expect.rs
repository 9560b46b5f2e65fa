//! What a case expects, beside what it got.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::world::Answer;
use crate::api::meta::BUILT_IN;
use crate::cli::input::near::near;
use crate::cli::input::policies::Contents;
use crate::cli::input::strict::{Fault, Written};
use crate::policy::judge::Excuse;
use crate::policy::{Decision, Mode, Rule};

/// What must come of a request; what isn't said isn't looked at.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Expect {
    #[serde(default)]
    decision: Option<Decided>,
    #[serde(default)]
    mode: Option<Mode>,
    /// Name of the policy, or `built-in` where none matches.
    #[serde(default)]
    policy: Option<String>,
    /// Name of the exemption that keeps it from being refused.
    #[serde(default)]
    exemption: Option<String>,
    /// Whether an exemption, or the right to pass, keeps it from being refused.
    #[serde(default)]
    excused: Option<bool>,
    #[serde(default)]
    verdict: Option<Judged>,
    /// The stricter mode that is announced to him.
    #[serde(default)]
    next: Option<Next>,
    /// What stands in one of the warnings, each.
    #[serde(default)]
    warning_contains: Vec<String>,
    /// What stands in the denial, each.
    #[serde(default)]
    message_contains: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq)]
enum Decided {
    Admit,
    Warn,
    Deny,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
enum Judged {
    Exact,
    Adapted,
    Lossy,
    Refused,
}

#[derive(Deserialize, JsonSchema)]
struct Next {
    mode: Mode,
    #[schemars(with = "String", extend("format" = "date-time"))]
    from: Timestamp,
}

/// Something that is otherwise than expected.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    pub(super) field: &'static str,
    pub(super) expected: String,
    pub(super) got: String,
}

impl Expect {
    /// Whether it can be met at all by these policies.
    pub(super) fn check(
        &self,
        at: &str,
        written: &Written,
        contents: &Contents,
    ) -> Result<(), Fault> {
        let Self {
            decision,
            mode,
            policy,
            exemption,
            excused,
            verdict,
            next,
            warning_contains,
            message_contains,
        } = self;
        let says_nothing = decision.is_none()
            && mode.is_none()
            && policy.is_none()
            && exemption.is_none()
            && excused.is_none()
            && verdict.is_none()
            && next.is_none()
            && warning_contains.is_empty()
            && message_contains.is_empty();
        if says_nothing {
            return Err(written.fault(at, "nothing is expected, so that nothing can fail"));
        }
        let policies = || contents.policies.iter().map(|(_, written)| written.name());
        let exemptions = || {
            let specs = contents.policies.iter().map(|(policy, _)| &policy.spec);
            specs.flat_map(|spec| {
                spec.exemptions
                    .iter()
                    .map(|exemption| exemption.name.as_str())
            })
        };
        let mut names = [
            (
                "policy",
                policy,
                policies().chain([BUILT_IN]).collect::<Vec<_>>(),
            ),
            ("exemption", exemption, exemptions().collect()),
        ]
        .into_iter();
        names.try_for_each(|(what, name, known)| match name {
            Some(name) if !known.contains(&name.as_str()) => Err(Fault {
                hint: Some(match near(name, known.iter().copied()) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => format!("there are {}", known.join(", ")),
                }),
                ..written.fault(
                    &format!("{at}.{what}"),
                    format!("there is no {what} {name:?}"),
                )
            }),
            _ => Ok(()),
        })
    }

    /// Everything that is otherwise.
    pub(super) fn failures(&self, answer: &Answer) -> Vec<Failure> {
        let rule = answer.ruling.as_ref().map(|ruling| &ruling.rule);
        let excuse = answer
            .ruling
            .as_ref()
            .and_then(|ruling| ruling.excuse.as_ref());
        let exemption = match excuse {
            Some(Excuse::Exemption(exemption)) => Some(exemption.name.clone()),
            _ => None,
        };
        let decided = match answer.decision {
            Decision::Admit => Decided::Admit,
            Decision::Warn => Decided::Warn,
            Decision::Deny => Decided::Deny,
        };
        let verdict = answer.verdict.map(|verdict| format!("{verdict:?}"));
        let next = rule.and_then(|rule| rule.next);
        let mut differ = Vec::new();
        let mut hold = |field, expected: Option<String>, got: Option<String>| {
            if let Some(expected) = expected.filter(|expected| got.as_ref() != Some(expected)) {
                let got = got.unwrap_or_else(|| "none".to_owned());
                differ.push(Failure {
                    field,
                    expected,
                    got,
                });
            }
        };
        let debug = |decided: Decided| format!("{decided:?}");
        hold("decision", self.decision.map(debug), Some(debug(decided)));
        let mode = rule.map(|rule| rule.mode.to_string());
        hold("mode", self.mode.map(|mode| mode.to_string()), mode);
        let policy = rule.map(Rule::name).map(str::to_owned);
        hold("policy", self.policy.clone(), policy);
        hold("exemption", self.exemption.clone(), exemption);
        let excused = self.excused.map(|excused| excused.to_string());
        hold("excused", excused, Some(excuse.is_some().to_string()));
        let wanted = self.verdict.map(|verdict| format!("{verdict:?}"));
        hold("verdict", wanted, verdict);
        let wanted = self.next.as_ref();
        hold(
            "next",
            wanted.map(|next| format!("{} from {}", next.mode, next.from)),
            next.map(|(mode, from)| format!("{mode} from {from}")),
        );
        for wanted in &self.warning_contains {
            if !answer.warnings.iter().any(|line| line.contains(wanted)) {
                let got = answer.warnings.join("\n");
                hold(
                    "warningContains",
                    Some(wanted.clone()),
                    Some(got).filter(|got| !got.is_empty()),
                );
            }
        }
        for wanted in &self.message_contains {
            let message = answer.message.as_deref().unwrap_or_default();
            if !message.contains(wanted) {
                hold(
                    "messageContains",
                    Some(wanted.clone()),
                    answer.message.clone(),
                );
            }
        }
        differ
    }
}
