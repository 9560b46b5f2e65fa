use rstest::rstest;

use super::*;

fn fixed(length: usize) -> JobName {
    JobName::Fixed("j".repeat(length))
}

#[rstest]
#[case::ten_pods(10, 48)]
#[case::eleven_pods(11, 47)]
#[case::hundred_pods(100, 47)]
#[case::hundred_and_one_pods(101, 46)]
#[case::thousand_pods(1000, 46)]
fn one_pod_set_leaves_room_for_the_last_pods_name(#[case] pods: i32, #[case] longest: usize) {
    assert!(Names::choose(&fixed(longest), pods, None, false).is_ok());
    let error = Names::choose(&fixed(longest + 1), pods, None, false).unwrap_err();
    let length = longest + 1;
    assert_eq!(
        error,
        TooLong {
            length,
            limit: longest
        }
    );
}

#[rstest]
#[case::ten_workers(10, 46, "worker", "node")]
#[case::eleven_workers(11, 45, "worker", "node")]
#[case::w_for_the_workers(10, 48, "w", "node")]
#[case::both_short(10, 51, "w", "n")]
#[case::both_short_for_more(11, 50, "w", "n")]
fn two_roles_get_the_longest_names_that_fit(
    #[case] workers: i32,
    #[case] length: usize,
    #[case] worker: &str,
    #[case] node: &str,
) {
    let names = Names::choose(&fixed(length), 1, Some(workers), true).unwrap();
    assert_eq!((names.worker, names.node), (worker, node));
    let longer = Names::choose(&fixed(length + 1), 1, Some(workers), true);
    assert_ne!(
        longer.as_ref().ok().map(|names| (names.worker, names.node)),
        Some((worker, node))
    );
}

#[test]
fn short_name_is_three_characters_longer() {
    assert_eq!(Names::choose(&fixed(51), 10, None, true).unwrap().node, "n");
    assert!(Names::choose(&fixed(52), 10, None, true).is_err());
}

#[test]
fn generated_name_counts_what_the_api_server_appends() {
    let prefix = |length| JobName::Generated("j".repeat(length));
    assert!(Names::choose(&prefix(43), 10, None, false).is_ok());
    let error = Names::choose(&prefix(44), 10, None, false).unwrap_err();
    assert_eq!((error.length, error.limit), (49, 48));
}

#[test]
fn workers_come_after_the_master() {
    let job = JobName::Fixed("job".to_owned());
    let names = Names::choose(&job, 3, None, false).unwrap();
    assert_eq!(names.first_host(), "job-node-0-0.job");
    assert_eq!(names.worker_host(1, false, true), "job-node-0-2.job");
    assert_eq!(names.worker_host(1, false, false), "job-node-0-1.job");
    assert_eq!(names.worker_host(1, true, true), "job-worker-1-0.job");
}

fn rewritten(text: &str) -> Option<String> {
    let host = |pod| match pod {
        V1Pod::Master => Some("M".to_owned()),
        V1Pod::Worker(index) => (index < 2).then(|| format!("W{index}")),
    };
    rewrite_hosts(text, "job", host).map(|new| new.text)
}

#[rstest]
#[case("job-master-0", "M")]
#[case("tcp://job-master-0:23456", "tcp://M:23456")]
#[case("job-master-0.ns.svc.cluster.local", "M.ns.svc.cluster.local")]
#[case("job-worker-0,job-worker-1", "W0,W1")]
#[case("job job-master-0 job", "job M job")]
#[case("jobjob-master-0 job-master-0", "jobjob-master-0 M")]
#[case("ü job-master-0 ü", "ü M ü")]
fn pod_name_that_stands_by_itself_is_rewritten(#[case] text: &str, #[case] new: &str) {
    assert_eq!(rewritten(text).as_deref(), Some(new));
}

#[rstest]
#[case("my-job-master-0")]
#[case("myjob-master-0")]
#[case("job-master-01")]
#[case("job-master-1")]
#[case("job-master-0a")]
#[case("job-master-0-data")]
#[case("logs/job-master-0_run")]
#[case("job-worker-2")]
#[case("job-worker-")]
#[case("job-worker-99999999999")]
#[case("job")]
#[case("")]
fn anything_else_is_left_alone(#[case] text: &str) {
    assert_eq!(rewritten(text), None);
}

#[test]
fn each_change_is_told_once() {
    let host = |_| Some("M".to_owned());
    let new = rewrite_hosts("job-master-0 job-master-0", "job", host).unwrap();
    assert_eq!(new.changes, [("job-master-0".to_owned(), "M".to_owned())]);
}

#[rstest]
#[case("mnist", true)]
#[case("a-1", true)]
#[case("1a", false)]
#[case("a-", false)]
#[case("A", false)]
#[case("a.b", false)]
#[case("", false)]
fn dns_1035_label_is_what_v1_admits(#[case] name: &str, #[case] valid: bool) {
    assert_eq!(is_dns1035(name), valid);
    assert!(is_dns1035(&"a".repeat(63)) && !is_dns1035(&"a".repeat(64)));
}
