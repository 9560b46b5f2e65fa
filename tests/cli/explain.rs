//! `trainshift explain`.

use serde_json::Value;

use super::run;

#[test]
fn explains_a_code_however_it_is_typed() {
    for typed in ["TS014", "ts14", "14"] {
        let ended = run(&["explain", typed], "");
        assert_eq!(ended.code, 0);
        assert!(
            ended.out.starts_with("TS014: ") && ended.out.contains("What to do:"),
            "{}",
            ended.out
        );
    }
}

#[test]
fn lists_all_codes() {
    let ended = run(&["explain"], "");
    assert!(ended.out.starts_with("TS001  ") && ended.out.lines().count() > 40);
    let codes: Value =
        serde_json::from_str(&run(&["explain", "-o", "json"], "").out).expect("JSON");
    assert_eq!(codes[0]["code"], "TS001");
}

#[test]
fn names_near_matches_of_an_unknown_code() {
    let ended = run(&["explain", "TS39"], "");
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(
        ended.err.contains("TS038") && ended.err.contains("TS040"),
        "{}",
        ended.err
    );
}
