//! Counts what admission answers.

use std::sync::Arc;

use crate::admission::{Door, Observer, Outcome, Summary};
use crate::convert::Verdict;
use crate::policy;
use crate::telemetry::labels::{self, Decision, Endpoint, Excuse, Mode, Operation};
use crate::telemetry::{Judgement, Metrics};

/// Puts every answer into the metrics.
pub struct Counted(pub Arc<Metrics>);

impl Observer for Counted {
    fn answered(&self, summary: &Summary<'_>) {
        let asked = summary.request.map_or(("", ""), |request| {
            let subresource = request.sub_resource.as_deref().unwrap_or_default();
            (request.operation.as_str(), subresource)
        });
        let judgement = Judgement {
            path: match summary.door {
                Door::Mutate => Endpoint::Mutate,
                Door::Validate => Endpoint::Validate,
            },
            mode: match summary.ruling.map(|ruling| ruling.rule.mode) {
                Some(policy::Mode::Audit) => Mode::Audit,
                Some(policy::Mode::Warn) => Mode::Warn,
                Some(policy::Mode::Deny) => Mode::Deny,
                None => Mode::None,
            },
            operation: match asked {
                ("CREATE", "") => Operation::Create,
                ("UPDATE", "") => Operation::Update,
                ("UPDATE", "scale") => Operation::Scale,
                ("DELETE", _) => Operation::Delete,
                _ => Operation::Other,
            },
            verdict: match summary.conversion.map(|conversion| conversion.verdict) {
                Some(Verdict::Exact) => labels::Verdict::Exact,
                Some(Verdict::Adapted) => labels::Verdict::Adapted,
                Some(Verdict::Lossy) => labels::Verdict::Lossy,
                Some(Verdict::Refused) => labels::Verdict::Refused,
                None => labels::Verdict::None,
            },
            decision: match summary.outcome {
                Outcome::Allowed => Decision::Allow,
                Outcome::Warned => Decision::Warn,
                Outcome::Denied => Decision::Deny,
                Outcome::Bad => Decision::Error,
            },
        };
        self.0.judged(&judgement, summary.took);
        self.count_policies(summary, &judgement);
        for finding in summary
            .conversion
            .iter()
            .flat_map(|conversion| conversion.notable())
        {
            self.0.found(finding.code.as_str());
        }
    }
}

impl Counted {
    /// A request that goes on passes both doors; it is counted at the second.
    fn count_policies(&self, summary: &Summary<'_>, judgement: &Judgement) {
        let (Some(request), Some(ruling)) = (summary.request, summary.ruling) else {
            return;
        };
        let policies = &self.0.policies;
        for failure in &ruling.failures {
            policies.condition_failed(&failure.policy);
        }
        let is_refused = ruling.decision == policy::Decision::Deny;
        if summary.door == Door::Mutate && !is_refused {
            return;
        }
        policies.judged_in(&request.namespace, judgement.decision);
        let excuse = match (&ruling.excuse, ruling.decision) {
            (None, policy::Decision::Deny) => Excuse::None,
            (Some(policy::Excuse::Exemption(_)), policy::Decision::Warn) => Excuse::Exemption,
            (Some(policy::Excuse::Bypass(_)), policy::Decision::Warn) => Excuse::Bypass,
            _ => return,
        };
        policies.under_deny(excuse);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::convert::convert;
    use crate::convert::target::Target;
    use crate::policy::{Rule, Ruling};

    #[test]
    fn an_answer_is_counted_with_its_findings() {
        let job = serde_json::from_value(json!({
            "metadata": {"name": "mnist"},
            "spec": {"pytorchReplicaSpecs": {"Master": {"replicas": 1, "template": {"spec": {
                "containers": [{"name": "pytorch", "image": "example.com/mnist:1"}],
            }}}}},
        }))
        .unwrap();
        let conversion = convert(&job, &Target::default());
        let metrics = Arc::new(Metrics::new());
        let request = serde_json::from_value(json!({"uid": "1", "operation": "CREATE"})).unwrap();
        let ruling = Ruling {
            rule: Rule::built_in(policy::Mode::Warn),
            decision: policy::Decision::Warn,
            excuse: None,
            ended: None,
            failures: Vec::new(),
        };
        Counted(Arc::clone(&metrics)).answered(&Summary {
            door: Door::Validate,
            request: Some(&request),
            ruling: Some(&ruling),
            conversion: Some(&conversion),
            outcome: Outcome::Warned,
            took: Duration::from_micros(50),
        });
        let page = metrics.encode().unwrap();
        let counted = r#"trainshift_requests_total{path="validate",mode="warn",operation="create",verdict="adapted",decision="warn"} 1"#;
        assert!(page.contains(counted), "{page}");
        assert!(
            page.contains(r#"trainshift_findings_total{code="TS003"} 1"#),
            "{page}"
        );
    }
}
