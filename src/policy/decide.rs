//! What comes of a request.

use super::{Change, Mode, Rule};

/// What comes of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Goes on, without a word.
    Admit,
    /// Goes on, and the client is told.
    Warn,
    /// Is refused.
    Deny,
}

/// Decides about a request that does `change` under `rule`.
///
/// `is_queue` says that the requester is a queue controller, whose business it is to start jobs that wait: it may start
/// one, and may do nothing else that others may not.
#[must_use]
pub fn decide(rule: &Rule, change: &Change, is_queue: bool) -> Decision {
    if !change.is_judged() || (is_queue && *change == Change::Started) {
        return Decision::Admit;
    }
    match rule.mode {
        Mode::Audit => Decision::Admit,
        Mode::Warn => Decision::Warn,
        Mode::Deny => Decision::Deny,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_and_change_has_its_decision() {
        let another = Change::AnotherJob(vec!["spec".to_owned()]);
        for (mode, judged) in [
            (Mode::Audit, Decision::Admit),
            (Mode::Warn, Decision::Warn),
            (Mode::Deny, Decision::Deny),
        ] {
            let rule = Rule::built_in(mode);
            for (change, decision) in [
                (&Change::Created, judged),
                (&Change::Started, judged),
                (&another, judged),
                (&Change::Untouched, Decision::Admit),
                (&Change::Harmless, Decision::Admit),
            ] {
                assert_eq!(decide(&rule, change, false), decision, "{mode} {change:?}");
            }
        }
    }

    #[test]
    fn a_queue_may_start_a_job_and_nothing_more() {
        let rule = Rule::built_in(Mode::Deny);
        assert_eq!(decide(&rule, &Change::Started, true), Decision::Admit);
        assert_eq!(decide(&rule, &Change::Created, true), Decision::Deny);
        assert_eq!(
            decide(&rule, &Change::AnotherJob(Vec::new()), true),
            Decision::Deny
        );
    }
}
