//! `trainshift report`: who still uses v1, by the audit log and by the jobs that exist.

use std::fs;

use serde_json::{Value, json};

use super::{CONFIG_MAP, JOB, REFUSED, run, run_in};

/// Events in the shape in which a kube-apiserver 1.36 recorded them.
const LOG: &str = "tests/fixtures/report/audit.log";

fn json(args: &[&str], stdin: impl AsRef<[u8]>) -> Value {
    let ended = run(&[&["report", "-o", "json"], args].concat(), stdin);
    assert_eq!(ended.code, 0, "{}", ended.err);
    serde_json::from_str(&ended.out).expect("one JSON document")
}

/// The row of a list whose `field` is `name`.
fn row<'a>(report: &'a Value, list: &str, field: &str, name: &str) -> &'a Value {
    let rows = report[list].as_array().expect("a list");
    let mut found = rows.iter().filter(|row| row[field] == name);
    let row = found.next().expect("a row");
    assert!(found.next().is_none(), "one row of {name}");
    row
}

/// A live object, as `kubectl get -o yaml --show-managed-fields` prints it.
fn live(name: &str, manager: &str, state: &str) -> String {
    let metadata = format!(
        "  name: {name}\n  namespace: team-a\n  creationTimestamp: \"2026-11-23T18:46:21Z\"\n  labels: {{made-by: alice}}\n  \
         managedFields:\n  - {{manager: {manager}, operation: Update, time: \"2026-11-23T18:46:21Z\"}}\n"
    );
    let status = format!("status:\n  conditions:\n  - {{type: {state}, status: \"True\"}}\n");
    JOB.replace("  name: mnist\n", &metadata) + &status
}

#[test]
fn an_audit_log_reads_as_tables() {
    let ended = run(&["report", "--audit-log", LOG], "");
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    snapbox::assert_data_eq!(ended.out, snapbox::file!["snapshots/usage.txt"].raw());
}

#[test]
fn json_has_every_row_and_where_who_and_when_together() {
    let report = json(&["--audit-log", LOG], "");
    assert_eq!(report["schema"], "trainshift.dev/report/v1");
    assert_eq!(
        (&report["source"], &report["by"]),
        (&json!("auditLog"), &json!("day"))
    );
    let total = &report["total"];
    for (count, number) in [
        ("requests", 17),
        ("jobs", 9),
        ("refused", 2),
        ("warned", 2),
        ("exempted", 3),
        ("bypassed", 1),
        ("failed", 3),
        ("failedClosed", 1),
        ("unjudged", 2),
        ("failedOpen", 1),
        ("verdictUnknown", 4),
    ] {
        assert_eq!(total[count], number, "{count}");
    }
    let impersonated = row(
        &report,
        "users",
        "via",
        "system:serviceaccount:argo:argo-server",
    );
    assert_eq!(
        (&impersonated["user"], &impersonated["bypassed"]),
        (&json!("bob"), &json!(1))
    );
    assert_eq!(row(&report, "findings", "finding", "TS035")["requests"], 2);
    let detail = row(&report, "detail", "client", "katib-controller");
    assert_eq!(
        [&detail["period"], &detail["namespace"], &detail["jobs"]],
        [&json!("2026-11-23"), &json!("team-a"), &json!(2)]
    );
    assert_eq!(report["read"]["dryRuns"], 1);
    assert_eq!(report["beyondLimit"], json!({}));
}

#[test]
fn every_section_counts_every_request_that_it_can_name() {
    let report = json(&["--audit-log", LOG], "");
    for list in ["users", "namespaces", "clients", "periods", "detail"] {
        let rows = report[list].as_array().expect("a list");
        for count in [
            "requests",
            "refused",
            "warned",
            "unjudged",
            "verdictUnknown",
        ] {
            let sum: u64 = rows.iter().filter_map(|row| row[count].as_u64()).sum();
            assert_eq!(json!(sum), report["total"][count], "{list} {count}");
        }
    }
}

#[test]
fn time_is_cut_and_counted_in_steps() {
    let report = json(
        &[
            "--audit-log",
            LOG,
            "--by",
            "week",
            "--since",
            "2026-11-24",
            "--until",
            "2026-11-30",
        ],
        "",
    );
    assert_eq!(report["total"]["requests"], 7);
    assert_eq!(report["periods"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["periods"][0]["period"], "2026-W48");
    assert_eq!(
        (&report["since"], &report["until"]),
        (
            &json!("2026-11-24T00:00:00Z"),
            &json!("2026-12-01T00:00:00Z")
        )
    );
    assert_eq!(report["total"]["lastSeen"], "2026-11-24T08:08:00.344145Z");
}

#[test]
fn csv_is_one_table_in_which_nothing_is_a_formula() {
    let ended = run(&["report", "--audit-log", LOG, "-o", "csv"], "");
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    let lines: Vec<_> = ended.out.split_terminator("\r\n").collect();
    assert!(
        lines[0].starts_with("section,period,namespace,user,via,owner,client,finding,requests,")
    );
    let columns = lines[0].split(',').count();
    assert!(
        lines
            .iter()
            .all(|line| !line.contains('"') && line.split(',').count() == columns)
    );
    assert!(
        ended.out.contains("\r\nusers,,,'=cmd|' /C calc'!A0,"),
        "{}",
        ended.out
    );
    assert!(!ended.out.contains(",=") && !ended.out.contains("\n\n"));
}

#[test]
fn the_rest_of_a_long_table_is_one_row() {
    let ended = run(&["report", "--audit-log", LOG, "--top", "2"], "");
    assert!(ended.out.contains("\n  other (5 more)"), "{}", ended.out);
    assert!(!ended.out.contains("  argo-server  "), "{}", ended.out);
    let earlier = ended.out.find("  earlier (1 more)").expect("a row");
    assert!(earlier < ended.out.find("  2026-12-01  ").expect("the last day"));
    let all = run(&["report", "--audit-log", LOG, "--top", "0"], "");
    assert!(!all.out.contains("more)"), "{}", all.out);
}

#[test]
fn overlapping_logs_in_any_order_count_once() {
    let root = tempfile::tempdir().expect("a directory");
    let text = fs::read_to_string(LOG).expect("text");
    let lines: Vec<_> = text.lines().collect();
    fs::write(root.path().join("audit.log"), lines[10..].join("\n")).expect("written");
    fs::write(root.path().join("audit-1.log"), lines[..15].join("\n")).expect("written");
    let whole = json(&["--audit-log", LOG], "");
    let ended = run_in(
        root.path(),
        &[
            "report",
            "-o",
            "json",
            "--audit-log",
            "audit.log",
            "audit-1.log",
        ],
        "",
    );
    let parts: Value = serde_json::from_str(&ended.out).expect("one JSON document");
    for list in [
        "total",
        "users",
        "namespaces",
        "clients",
        "findings",
        "periods",
        "detail",
    ] {
        assert_eq!(parts[list], whole[list], "{list}");
    }
    assert_eq!(parts["read"]["duplicates"], 5);
}

#[test]
fn a_broken_line_is_named_and_the_rest_is_told() {
    let text =
        fs::read_to_string(LOG)
            .expect("text")
            .replacen("\"kind\":\"Event\"", "\"kind\":Event", 1);
    let ended = run(&["report", "--audit-log", "-", "missing.log"], text);
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .err
            .starts_with("error: stdin:1: no audit event: expected value (byte 9)\n"),
        "{}",
        ended.err
    );
    assert!(
        ended.err.contains("error: missing.log: No such file"),
        "{}",
        ended.err
    );
    assert!(ended.out.contains("  17  requests"), "{}", ended.out);
    assert!(ended.out.contains("2 that can't be read"), "{}", ended.out);

    let ended = run(&["report", "--audit-log", "-"], "x\n".repeat(9));
    assert_eq!(ended.err.matches("error: stdin:").count(), 5);
    assert!(
        ended
            .err
            .ends_with("error: and 4 more that can't be read\n"),
        "{}",
        ended.err
    );
}

#[test]
fn nothing_found_is_said() {
    let ended = run(&["report", "--audit-log", "-"], "");
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(
        ended
            .out
            .starts_with("no request to make, change or delete a PyTorchJob in 0 lines of 1 file")
    );
    assert_eq!(json(&["--audit-log", "-"], "")["total"]["requests"], 0);
}

#[test]
fn what_users_chose_writes_on_no_terminal() {
    let text = fs::read_to_string(LOG)
        .expect("text")
        .replace("\"alice\"", "\"ali\\u001b[31mce\\r\\n\"");
    for format in ["table", "csv"] {
        let ended = run(&["report", "--audit-log", "-", "-o", format], &text);
        assert!(
            ended.out.contains("ali\\u{1b}[31mce\\r\\n"),
            "{}",
            ended.out
        );
        assert!(!ended.out.contains('\u{1b}'));
    }
}

#[test]
fn a_dump_of_jobs_is_told_by_state_and_verdict() {
    let text = [
        live("a", "katib-controller", "Running"),
        live("b", "katib-controller", "Succeeded"),
        live("c", "kubectl-create", "Created"),
        REFUSED.to_owned(),
        CONFIG_MAP.to_owned(),
    ]
    .join("---\n");
    let report = json(&["-"], &text);
    let total = &report["total"];
    let counts = [
        "jobs",
        "running",
        "succeeded",
        "waiting",
        "verdictAdapted",
        "verdictRefused",
    ]
    .map(|count| total[count].as_u64());
    assert_eq!(counts, [4, 1, 1, 2, 3, 1].map(Some));
    assert_eq!(
        row(&report, "clients", "client", "katib-controller")["jobs"],
        2
    );
    assert_eq!(report["users"], json!([]));
    assert_eq!(report["read"]["others"], 1);
    let report = json(&["-", "--creator", "made-by"], &text);
    assert_eq!(row(&report, "users", "user", "alice")["jobs"], 3);
    let table = run(&["report", "-"], &text);
    assert!(
        table
            .out
            .contains("  4  jobs: 1 running, 2 waiting, 1 succeeded\n"),
        "{}",
        table.out
    );
    assert!(
        table
            .out
            .contains("as TrainJobs: 3 adapted, 1 no TrainJob\n"),
        "{}",
        table.out
    );
}

#[test]
fn a_dump_without_managers_says_how_to_get_them() {
    let ended = run(&["report", "-"], JOB);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("--show-managed-fields"), "{}", ended.out);
}

#[test]
fn a_job_that_cannot_be_read_is_named_and_the_rest_is_told() {
    let broken = JOB.replace("replicas: 2", "replicas: many");
    let ended = run(&["report", "-"], format!("{JOB}---\n{broken}"));
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .err
            .contains("document 2: spec.pytorchReplicaSpecs.Worker.replicas"),
        "{}",
        ended.err
    );
    assert!(ended.out.contains("  1  jobs"), "{}", ended.out);
}

#[test]
fn a_cluster_that_cannot_be_asked_is_exit_code_3() {
    let root = tempfile::tempdir().expect("a directory");
    let ended = run_in(
        root.path(),
        &["report", "--live", "--kubeconfig", "missing"],
        "",
    );
    assert_eq!((ended.code, ended.out.as_str()), (3, ""));
    assert!(
        ended.err.contains("the cluster can't be asked"),
        "{}",
        ended.err
    );
}

#[test]
fn one_source_must_be_named() {
    for args in [
        &["report"][..],
        &["report", "--live", "--audit-log", LOG],
        &["report", "--live", "jobs.yaml"],
        &["report", "jobs.yaml", "--namespace", "a"],
        &["report", "--audit-log", LOG, "--since", "yesterday"],
        &[
            "report",
            "--audit-log",
            LOG,
            "--since",
            "2026-11-24",
            "--until",
            "2026-11-23",
        ],
    ] {
        let ended = run(args, "");
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{args:?}");
    }
}
