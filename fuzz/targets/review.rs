//! Any body that is sent to the webhook, in every mode and at both doors: answered without a panic, by the same words
//! twice, with the uid that was asked.

#![no_main]

use std::future::ready;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use futures_util::FutureExt as _;
use jiff::Timestamp;
use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target, fuzzer_mutate};
use trainshift::admission::respond::Reply;
use trainshift::admission::{App, Asked, Cluster, Door, handler};
use trainshift::api::review::UserInfo;
use trainshift::convert::target::Target;
use trainshift::policy::{Mode, Namespace, Snapshot};
use trainshift_fuzz::{mutate, world};

/// More than the longest message of a denial, with its causes, takes.
const MOST_BYTES: usize = 256 << 10;

/// A cluster that is known, and where people may create runtimes, may not, or nobody can tell.
struct Known {
    target: Arc<Target>,
    rights: Option<bool>,
}

impl Cluster for Known {
    fn target(&self) -> Option<Arc<Target>> {
        Some(Arc::clone(&self.target))
    }

    fn namespace<'a>(&'a self, name: &'a str) -> Asked<'a, Namespace> {
        Box::pin(ready(Some(Namespace::named(name))))
    }

    fn may_create_runtimes<'a>(
        &'a self,
        _user: &'a UserInfo,
        _namespace: &'a str,
    ) -> Asked<'a, bool> {
        Box::pin(ready(self.rights))
    }

    fn may_bypass<'a>(&'a self, _user: &'a UserInfo, _policy: &'a str) -> Asked<'a, bool> {
        Box::pin(ready(self.rights))
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((target, number, body)) = world::choose(data) else {
        return;
    };
    let choice = usize::from(number) + data.len();
    let app = App {
        policies: Arc::new(ArcSwapOption::from_pointee(Snapshot::new(
            [Mode::Deny, Mode::Warn, Mode::Audit, Mode::Deny][choice % 4],
        ))),
        clock: Arc::new(Timestamp::now),
        cluster: Arc::new(Known {
            target: Arc::new(target.clone()),
            rights: [Some(false), None, Some(true)][choice % 3],
        }),
        queue_controllers: vec!["kueue".to_owned()],
        observer: Arc::new(()),
    };
    let door = [Door::Mutate, Door::Validate][choice / 4 % 2];
    let answer = || {
        let reply = handler::handle(&app, door, body).now_or_never();
        match reply.expect("nothing to wait for") {
            Reply::Judged(response) => {
                assert!(!response.uid.is_empty());
                assert!(response.allowed == response.status.is_none());
                serde_json::to_string(&response).expect("JSON")
            }
            Reply::Bad(bad) => bad.to_string(),
            Reply::NotYet(_) => unreachable!("the cluster is known"),
        }
    };
    let first = answer();
    assert!(
        first.len() < MOST_BYTES + body.len(),
        "{} bytes",
        first.len()
    );
    if choice.is_multiple_of(8) {
        assert_eq!(first, answer(), "a second answer differs");
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::json(data, size, max_size, seed, fuzzer_mutate)
});

fuzz_crossover!(|data1: &[u8], data2: &[u8], out: &mut [u8], seed: u32| {
    mutate::cross(data1, data2, out, seed)
});
