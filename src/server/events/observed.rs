//! Which requests people hear of, and in what words.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Events, News, Object};
use crate::admission::{Door, Observer, Summary};
use crate::api::review::Request;
use crate::policy::{Decision, Excuse, Ruling};

/// The longest object that is searched for its uid, in bytes.
const MAX_READ: usize = 256 * 1024;
/// Longest name of a user that is kept, in characters.
const MAX_USER: usize = 256;

impl Observer for Events {
    /// Of requests that are refused, or that would be but for an exemption or a bypass.
    fn answered(&self, summary: &Summary<'_>) {
        let (Some(_), Some(request), Some(ruling)) =
            (&self.channel, summary.request, summary.ruling)
        else {
            return;
        };
        if let Some(news) = news(summary.door, request, ruling) {
            self.tell(news);
        }
    }
}

fn news(door: Door, request: &Request, ruling: &Ruling) -> Option<News> {
    if request.dry_run == Some(true) || !is_namespace(&request.namespace) {
        return None;
    }
    let rule = &ruling.rule;
    let by: String = request.user_info.username.chars().take(MAX_USER).collect();
    let (reason, is_warning, what) = match (ruling.decision, &ruling.excuse, door) {
        (Decision::Deny, ..) => {
            let ended = ruling.ended.as_ref().map_or_else(String::new, |exemption| {
                format!("; exemption {} has ended", exemption.name)
            });
            let what = format!("is refused ({}{ended})", rule.authority());
            ("PyTorchJobRefused", true, what)
        }
        // One that goes on passes both doors; it is told at the second, where it has a name.
        (Decision::Warn, Some(Excuse::Exemption(exemption)), Door::Validate) => {
            let what = format!(
                "would be refused ({}) but for exemption {}, until {}",
                rule.authority(),
                exemption.name,
                exemption.until
            );
            ("PyTorchJobExempted", false, what)
        }
        (Decision::Warn, Some(Excuse::Bypass(why)), Door::Validate) => {
            let what = format!("goes past a denial ({}), because: {why}", rule.authority());
            ("PyTorchJobBypassed", true, what)
        }
        _ => return None,
    };
    let head = Head::of(request);
    let is_stored = ruling.decision != Decision::Deny || request.operation != "CREATE";
    let regarding = if is_stored && !head.name.is_empty() {
        Object::job(&request.namespace, &head.name, &head.uid)
    } else {
        Object::namespace(&request.namespace)
    };
    let name = match head.name.as_str() {
        "" => format!("{}...", head.generate_name),
        name => name.to_owned(),
    };
    Some(News {
        regarding,
        policy: rule.name().to_owned(),
        reason,
        is_warning,
        note: format!("PyTorchJob {name} of {by} {what}. This user's next ones are counted here."),
        by,
    })
}

/// A name that may stand in the path of a request. The webhook's port is open to whoever reaches it.
fn is_namespace(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len()) && name.bytes().all(is_plain)
}

/// What an Event needs to know of its object: `kubectl describe` looks for them by the uid.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Head {
    name: String,
    generate_name: String,
    uid: String,
}

impl Head {
    fn of(request: &Request) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Object {
            metadata: Head,
        }
        let read = |raw: &RawValue| {
            let text = Some(raw.get()).filter(|text| text.len() <= MAX_READ)?;
            Some(serde_json::from_str::<Object>(text).ok()?.metadata)
        };
        let head = request.object.as_deref().and_then(read).unwrap_or_default();
        Self {
            name: match request.name.as_str() {
                "" => head.name,
                name => name.to_owned(),
            },
            ..head
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::api::policy::Exemption;
    use crate::policy::{Mode, Rule};

    fn request(patch: &Value) -> Request {
        let mut request = json!({
            "uid": "1", "operation": "CREATE", "namespace": "research", "name": "mnist",
            "userInfo": {"username": "jane"},
            "object": {"metadata": {"name": "mnist", "uid": "0df2"}},
        });
        json_patch::merge(&mut request, patch);
        serde_json::from_str(&request.to_string()).unwrap()
    }

    fn ruling(decision: Decision, excuse: Option<Excuse>) -> Ruling {
        Ruling {
            rule: Rule::built_in(Mode::Deny),
            decision,
            excuse,
            ended: None,
            failures: Vec::new(),
        }
    }

    fn exempted() -> Ruling {
        let exemption: Exemption = serde_json::from_value(json!({
            "name": "katib", "reason": "r", "until": "2027-03-01T00:00:00Z",
            "subjects": [{"kind": "User", "name": "jane"}],
        }))
        .unwrap();
        ruling(Decision::Warn, Some(Excuse::Exemption(exemption)))
    }

    fn bypassed() -> Ruling {
        ruling(Decision::Warn, Some(Excuse::Bypass("outage".to_owned())))
    }

    fn refused() -> Ruling {
        ruling(Decision::Deny, None)
    }

    #[rstest]
    #[case::refused(
        refused(),
        "PyTorchJobRefused",
        "Namespace",
        "PyTorchJob mnist of jane is refused (the cluster's default)"
    )]
    #[case::exempted(
        exempted(),
        "PyTorchJobExempted",
        "PyTorchJob",
        "but for exemption katib, until 2027-03-01T00:00:00Z"
    )]
    #[case::bypassed(bypassed(), "PyTorchJobBypassed", "PyTorchJob", "because: outage")]
    fn what_is_refused_or_excused_is_told(
        #[case] ruling: Ruling,
        #[case] reason: &str,
        #[case] kind: &str,
        #[case] says: &str,
    ) {
        let news = news(Door::Validate, &request(&json!({})), &ruling).unwrap();
        assert_eq!(news.reason, reason);
        assert_eq!(news.regarding.kind, kind);
        assert!(news.note.contains(says), "{}", news.note);
    }

    #[test]
    fn a_refused_update_is_about_the_job_that_is_there() {
        let news = news(
            Door::Mutate,
            &request(&json!({"operation": "UPDATE"})),
            &refused(),
        );
        let reference = news.unwrap().regarding.reference();
        assert_eq!(reference.kind.as_deref(), Some("PyTorchJob"));
        assert_eq!(reference.uid.as_deref(), Some("0df2"));
    }

    #[rstest]
    #[case::dry_run(&json!({"dryRun": true}), refused(), Door::Mutate)]
    #[case::a_path(&json!({"namespace": "../../x"}), refused(), Door::Mutate)]
    #[case::no_namespace(&json!({"namespace": ""}), refused(), Door::Mutate)]
    #[case::warned(&json!({}), ruling(Decision::Warn, None), Door::Validate)]
    #[case::at_the_first_door(&json!({}), bypassed(), Door::Mutate)]
    fn nothing_else_is(#[case] patch: &Value, #[case] ruling: Ruling, #[case] door: Door) {
        assert!(news(door, &request(patch), &ruling).is_none());
    }
}
