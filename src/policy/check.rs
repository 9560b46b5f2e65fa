//! What is wrong with one policy by itself: what the CustomResourceDefinition's rules refuse, and expressions that don't
//! compile.
//!
//! The API server holds objects against those rules; a file has nobody else to do it.

use std::collections::HashSet;

use jiff::Timestamp;
use kube::ResourceExt as _;

use super::{Policy, Problem};
use crate::api::meta::BUILT_IN;
use crate::api::policy::{
    LabelOperator, LabelSelector, MigrationPolicy, MigrationPolicySpec, SubjectKind,
};

/// Everything that is wrong with `policy`, in the order of its fields.
#[must_use]
pub fn problems(policy: &MigrationPolicy) -> Vec<Problem> {
    let mut check = Check {
        policy: policy.name_any(),
        problems: Vec::new(),
    };
    if check.policy == BUILT_IN {
        check.add(
            "metadata.name",
            format!(
                "the name {BUILT_IN} stands for what holds where no policy matches; choose another"
            ),
        );
    }
    let Check {
        mut problems,
        policy: name,
    } = check.spec(&policy.spec);
    let (_, broken) = Policy::new(policy);
    problems.extend(broken.into_iter().map(|problem| Problem {
        policy: name.clone(),
        ..problem
    }));
    problems
}

/// Every date lies before this one: later ones aren't times in CEL.
const END: Timestamp = Timestamp::constant(253_370_764_800, 0);

struct Check {
    policy: String,
    problems: Vec<Problem>,
}

impl Check {
    fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem {
            policy: self.policy.clone(),
            field: field.into(),
            message: message.into(),
        });
    }

    fn spec(mut self, spec: &MigrationPolicySpec) -> Self {
        self.schedule(spec);
        let selectors = [
            ("namespaceSelector", &spec.matches.namespace_selector),
            ("objectSelector", &spec.matches.object_selector),
        ];
        for (field, selector) in selectors {
            if let Some(selector) = selector {
                self.selector(&format!("spec.match.{field}"), selector);
            }
        }
        let conditions = spec.matches.conditions.iter();
        self.unique(
            "spec.match.conditions",
            conditions.map(|condition| &condition.name),
        );
        self.exemptions(spec);
        self
    }

    fn schedule(&mut self, spec: &MigrationPolicySpec) {
        let schedule = &spec.schedule;
        let first: Vec<_> = schedule
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.from.is_none())
            .map(|(index, _)| index)
            .collect();
        match first.as_slice() {
            [_] => {}
            [] => self.add(
                "spec.schedule",
                "every entry has a from: add one without it, the mode that holds before the first date, such as - mode: Warn",
            ),
            [_, more @ ..] => {
                for index in more {
                    self.add(
                        format!("spec.schedule[{index}]"),
                        "a second entry without from: give it the date on which its mode begins",
                    );
                }
            }
        }
        let mut known = HashSet::new();
        for (index, entry) in schedule.iter().enumerate() {
            self.date(&format!("spec.schedule[{index}].from"), entry.from);
            if entry.from.is_some_and(|from| !known.insert(from)) {
                self.add(
                    format!("spec.schedule[{index}].from"),
                    "another entry begins at the same time; keep one of the two",
                );
            }
        }
    }

    fn date(&mut self, at: &str, date: Option<Timestamp>) {
        if date.is_some_and(|date| date >= END) {
            self.add(
                at,
                "a date lies before the year 9999; name one that somebody will see",
            );
        }
    }

    fn selector(&mut self, at: &str, selector: &LabelSelector) {
        for (index, requirement) in selector.match_expressions.iter().enumerate() {
            let takes_values = matches!(
                requirement.operator,
                LabelOperator::In | LabelOperator::NotIn
            );
            let at = format!("{at}.matchExpressions[{index}]");
            match (takes_values, requirement.values.is_empty()) {
                (true, true) => self.add(at, format!("{:?} needs values", requirement.operator)),
                (false, false) => self.add(
                    format!("{at}.values"),
                    format!(
                        "{:?} takes no values; use In or NotIn with them",
                        requirement.operator
                    ),
                ),
                _ => {}
            }
        }
    }

    fn unique<'n>(&mut self, at: &str, names: impl Iterator<Item = &'n String>) {
        let mut known = HashSet::new();
        for (index, name) in names.enumerate() {
            if !known.insert(name) {
                self.add(
                    format!("{at}[{index}].name"),
                    format!("the name {name:?} stands twice"),
                );
            }
        }
    }

    fn exemptions(&mut self, spec: &MigrationPolicySpec) {
        let names = spec.exemptions.iter().map(|exemption| &exemption.name);
        self.unique("spec.exemptions", names);
        for (index, exemption) in spec.exemptions.iter().enumerate() {
            let until = format!("spec.exemptions[{index}].until");
            self.date(&until, Some(exemption.until));
            for (number, subject) in exemption.subjects.iter().enumerate() {
                let at = format!("spec.exemptions[{index}].subjects[{number}]");
                match (subject.kind, &subject.namespace) {
                    (SubjectKind::ServiceAccount, None) => {
                        self.add(at, "a ServiceAccount needs its namespace");
                    }
                    (SubjectKind::User | SubjectKind::Group, Some(_)) => self.add(
                        format!("{at}.namespace"),
                        "users and groups have no namespace; leave it out, or write kind: ServiceAccount",
                    ),
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn told(name: &str, spec: &Value) -> Vec<String> {
        let policy = MigrationPolicy::new(name, serde_json::from_value(spec.clone()).unwrap());
        let problems = problems(&policy).into_iter();
        problems
            .map(|problem| format!("{}: {}", problem.field, problem.message))
            .collect()
    }

    #[rstest]
    #[case(json!({"schedule": [{"mode": "Deny", "from": "2027-01-01T00:00:00Z"}]}), "spec.schedule: every entry has a from")]
    #[case(json!({"schedule": [{"mode": "Deny"}, {"mode": "Warn"}]}), "spec.schedule[1]: a second entry without from")]
    #[case(json!({"schedule": [{"mode": "Audit"}, {"mode": "Deny", "from": "2027-01-01T00:00:00Z"}, {"mode": "Warn", "from": "2027-01-01T00:00:00Z"}]}), "spec.schedule[2].from: another entry")]
    #[case(json!({"schedule": [{"mode": "Warn"}, {"mode": "Deny", "from": "9999-01-01T00:00:00Z"}]}), "spec.schedule[1].from: a date lies before the year 9999")]
    #[case(json!({"schedule": [{"mode": "Warn"}], "exemptions": [{"name": "a", "reason": "r", "until": "9999-06-01T00:00:00Z", "subjects": [{"kind": "User", "name": "x"}]}]}), "spec.exemptions[0].until: a date lies before the year 9999")]
    #[case(json!({"schedule": [{"mode": "Warn"}], "match": {"objectSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}}), "spec.match.objectSelector.matchExpressions[0]: In needs values")]
    #[case(json!({"schedule": [{"mode": "Warn"}], "match": {"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["x"]}]}}}), "spec.match.namespaceSelector.matchExpressions[0].values: Exists takes no values")]
    #[case(json!({"schedule": [{"mode": "Warn"}], "match": {"conditions": [{"name": "a", "expression": "true"}, {"name": "a", "expression": "true"}]}}), "spec.match.conditions[1].name: the name \"a\" stands twice")]
    #[case(json!({"schedule": [{"mode": "Warn"}], "exemptions": [{"name": "a", "reason": "r", "until": "2027-01-01T00:00:00Z", "subjects": [{"kind": "ServiceAccount", "name": "x"}]}]}), "spec.exemptions[0].subjects[0]: a ServiceAccount needs its namespace")]
    #[case(json!({"schedule": [{"mode": "Warn"}], "exemptions": [{"name": "a", "reason": "r", "until": "2027-01-01T00:00:00Z", "subjects": [{"kind": "Group", "namespace": "n", "name": "x"}]}]}), "spec.exemptions[0].subjects[0].namespace: users and groups")]
    fn names_what_the_api_server_would_refuse(#[case] spec: Value, #[case] expected: &str) {
        let told = told("research", &spec);
        assert!(told.len() == 1 && told[0].starts_with(expected), "{told:?}");
    }

    #[test]
    fn a_good_policy_has_no_problems_and_the_built_in_name_is_taken() {
        let spec = json!({"schedule": [{"mode": "Warn"}]});
        assert_eq!(told("research", &spec), Vec::<String>::new());
        assert!(told("built-in", &spec)[0].starts_with("metadata.name"));
    }
}
