//! Passing a denial: it takes a reason and the right, both, for every policy that denies.

use std::sync::Arc;

use serde_json::{Value, json};
use trainshift::admission::{App, Asked, Cluster};
use trainshift::api::review::UserInfo;
use trainshift::convert::target::Target;
use trainshift::policy::{Mode, Namespace};

use crate::harness::{answer, app_in, create, message, mnist_with, under_all};

const NOW: &str = "2027-03-01T00:00:00Z";

/// A cluster in which everybody may pass the denials of some policies, if anybody knows.
pub struct Rights(pub Option<&'static [&'static str]>);

impl Cluster for Rights {
    fn target(&self) -> Option<Arc<Target>> {
        Some(Arc::default())
    }

    fn namespace<'a>(&'a self, name: &'a str) -> Asked<'a, Namespace> {
        Box::pin(std::future::ready(Some(Namespace::named(name))))
    }

    fn may_create_runtimes<'a>(&'a self, _: &'a UserInfo, _: &'a str) -> Asked<'a, bool> {
        Box::pin(std::future::ready(None))
    }

    fn may_bypass<'a>(&'a self, _: &'a UserInfo, policy: &'a str) -> Asked<'a, bool> {
        let may = self.0.map(|policies| policies.contains(&policy));
        Box::pin(std::future::ready(may))
    }
}

/// All jobs are refused since February, and big ones since January.
fn strict(rights: Option<&'static [&'static str]>) -> App {
    let since = |from: &str| json!([{"mode": "Warn"}, {"mode": "Deny", "from": from}]);
    let big = json!({
        "priority": 1, "match": {"objectSelector": {"matchLabels": {"size": "big"}}},
        "schedule": since("2027-01-01T00:00:00Z"),
    });
    let all = json!({"schedule": since("2027-02-01T00:00:00Z")});
    let app = app_in(Mode::Audit, Rights(rights));
    under_all(app, &[("big", big), ("all", all)], NOW)
}

/// The creation of a job that gives a reason, and says that it is of that size.
fn with_reason(size: &str) -> Value {
    create(&mnist_with(&json!({"metadata": {
        "annotations": {"trainshift.dev/bypass": "the cluster burns"},
        "labels": {"size": size},
    }})))
}

#[tokio::test]
async fn a_reason_passes_with_the_right() {
    let response = answer(strict(Some(&["all"])), "/validate", &with_reason("small")).await;
    assert_eq!(response["allowed"], true, "{response:#}");
    let first = response["warnings"][0].as_str().unwrap();
    assert!(
        first.contains("lets this one pass, and is recorded: the cluster burns"),
        "{first}"
    );
    assert_eq!(
        response["auditAnnotations"]["bypass"], "the cluster burns",
        "{response:#}"
    );
}

#[tokio::test]
async fn neither_the_right_nor_the_reason_passes_alone() {
    let silent = create(&mnist_with(&json!({})));
    let response = answer(strict(Some(&["all"])), "/validate", &silent).await;
    assert!(!message(&response).contains("bypass"), "{response:#}");
    let response = answer(strict(Some(&[])), "/validate", &with_reason("small")).await;
    assert!(
        message(&response).contains(
            "# trainshift.dev/bypass has no effect: it takes the verb bypass on migrationpolicies/all, which you don't have."
        ),
        "{response:#}"
    );
}

#[tokio::test]
async fn a_right_on_one_policy_opens_no_other() {
    let labelled = with_reason("big");
    for (rights, missing) in [(&["big"], "all"), (&["all"], "big")] {
        for path in ["/mutate", "/validate"] {
            let response = answer(strict(Some(rights)), path, &labelled).await;
            let text = message(&response);
            let policy = format!("the verb bypass on migrationpolicies/{missing}, which");
            assert!(text.contains(&policy), "{text}");
        }
    }
    let response = answer(strict(Some(&["all", "big"])), "/validate", &labelled).await;
    assert_eq!(response["allowed"], true, "{response:#}");
}

#[tokio::test]
async fn a_right_that_nobody_can_tell_is_not_said_to_be_missing() {
    let response = answer(strict(None), "/validate", &with_reason("small")).await;
    let text = message(&response);
    assert!(
        text.contains("whether you have it can't be found out now; try again."),
        "{text}"
    );
    assert!(!text.contains("which you don't have"), "{text}");
}
