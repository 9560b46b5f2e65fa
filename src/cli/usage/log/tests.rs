use std::io::Write as _;

use serde_json::{Value, json};

use super::*;
use crate::cli::usage::count::Count;

fn event(id: u32) -> Value {
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": id.to_string(), "stage": "ResponseComplete",
        "requestURI": "/apis/kubeflow.org/v1/namespaces/n/pytorchjobs", "verb": "create", "user": {"username": "alice"},
        "objectRef": {"resource": "pytorchjobs", "namespace": "n", "name": "mnist", "apiGroup": "kubeflow.org"},
        "responseStatus": {"code": 201}, "requestReceivedTimestamp": format!("2026-11-{id:02}T12:00:00.000000Z"),
    })
}

fn read_in(span: Span, text: &[u8]) -> Log {
    let mut log = Log::new(By::Day, span);
    let file = tempfile::NamedTempFile::new().expect("a file");
    file.as_file().write_all(text).expect("written");
    log.file(file.path(), &mut Progress::new(None));
    log
}

fn read(text: &[u8]) -> Log {
    read_in(Span::default(), text)
}

fn requests(log: &Log) -> u64 {
    log.tally.total.get(Count::Requests)
}

fn problems(log: &Log) -> Vec<(Option<usize>, &str)> {
    let problems = log.facts.problems.iter();
    problems
        .map(|problem| (problem.line, problem.message.as_str()))
        .collect()
}

#[test]
fn broken_lines_are_named_and_the_rest_is_counted() {
    let cut = event(3).to_string();
    let text = format!(
        "{}\n\nnot JSON\n{}\n{}\n{{\"kind\":\"Pod\",\"name\":\"pytorchjobs\"}}\r\n{}",
        event(1),
        &cut[..cut.len() / 2],
        json!({"kind": "Event", "of": "something else"}),
        event(2)
    );
    let log = read(text.as_bytes());
    assert_eq!((requests(&log), log.facts.lines), (2, 6));
    let no_object = "no audit event: expected one JSON object on each line";
    let other = "expected an Event of audit.k8s.io/v1, found kind \"Pod\" of \"\"";
    assert_eq!(
        problems(&log),
        [(Some(3), no_object), (Some(4), no_object), (Some(6), other)]
    );
}

#[test]
fn json_that_is_wrong_is_named_by_its_byte() {
    let text = format!("{{\"pytorchjobs\":1,}}\n{}\n", event(1));
    let log = read(text.as_bytes());
    assert_eq!(requests(&log), 1);
    assert_eq!(
        problems(&log),
        [(Some(1), "no audit event: trailing comma (byte 18)")]
    );
}

#[test]
fn a_list_on_one_line_and_one_that_is_laid_out_are_read_alike() {
    let mut unnamed = event(2);
    unnamed.as_object_mut().expect("an object").remove("kind");
    let list =
        json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [event(1), unnamed]});
    assert_eq!(requests(&read(format!("{list}\n{list}\n").as_bytes())), 2);
    let laid_out = format!("{list:#}\n{:#}\n", event(3));
    assert_eq!(requests(&read(laid_out.as_bytes())), 3);
    let log = read(format!("{list:#}\n{{\n").as_bytes());
    assert_eq!((requests(&log), problems(&log).len()), (2, 1));
}

#[test]
fn files_may_overlap_and_come_in_any_order() {
    let mut log = Log::new(By::Week, Span::default());
    for ids in [[3, 4], [1, 2], [2, 3]] {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for id in ids {
            writeln!(file.as_file(), "{}", event(id)).expect("written");
        }
        log.file(file.path(), &mut Progress::new(None));
    }
    assert_eq!((requests(&log), log.facts.duplicates), (4, 2));
    let total = &log.tally.total;
    assert_eq!(total.get(Count::Jobs), 1, "one name, created four times");
    assert_eq!(
        [total.first, total.last],
        ["2026-11-01T12:00:00Z", "2026-11-04T12:00:00Z"].map(|time| time.parse().ok())
    );
}

#[test]
fn what_is_out_of_the_span_is_left_out() {
    let span = Span {
        since: "2026-11-02T00:00:00Z".parse().ok(),
        until: "2026-11-03T12:00:00Z".parse().ok(),
    };
    let lines: Vec<_> = (1..5).map(|id| event(id).to_string()).collect();
    let log = read_in(span, lines.join("\n").as_bytes());
    assert_eq!((requests(&log), log.facts.outside), (1, 3));
}

#[test]
fn lines_without_the_word_are_not_parsed() {
    let log = read(b"{ this is no JSON }\n");
    assert_eq!((log.facts.lines, log.facts.unreadable), (1, 0));
}

#[test]
fn what_is_compressed_or_missing_is_said() {
    let log = read(&[0x1f, 0x8b, 8, 0, 0, 0]);
    assert!(problems(&log)[0].1.contains("zcat"), "{:?}", problems(&log));
    let mut log = Log::new(By::Day, Span::default());
    log.file(Path::new("missing.log"), &mut Progress::new(None));
    assert!(problems(&log)[0].1.starts_with("No such file"));
}

#[test]
fn a_line_that_is_too_long_hides_nothing_after_it() {
    let mut text = vec![b'{'; usize::try_from(MAX_LINE).expect("64 bits") + 10];
    text.extend(format!("\n{}\n", event(1)).bytes());
    let log = read(&text);
    assert_eq!(requests(&log), 1);
    assert_eq!(problems(&log), [(Some(1), "line is longer than 64 MiB")]);
}

#[test]
fn an_event_without_a_time_is_counted_in_no_period() {
    let mut event = event(1);
    event["requestReceivedTimestamp"] = Value::Null;
    let log = read(event.to_string().as_bytes());
    let periods = log
        .tally
        .sections
        .iter()
        .find(|section| section.name == "periods");
    assert_eq!(
        (requests(&log), periods.map(|section| section.rows.len())),
        (1, Some(0))
    );
}
