//! What conditions give, and what is said of those that give nothing.

mod bounds;
mod random;

use rstest::rstest;
use serde_json::{Value, json};

use super::*;

const INPUTS: &str = include_str!("../../../tests/fixtures/conditions/inputs.json");
const TABLE: &str = include_str!("../../../tests/fixtures/conditions/table.txt");

/// Evaluates on the variables of `inputs`, an object.
fn on(inputs: &Value, source: &str) -> Result<bool, EvaluationError> {
    Expression::compile(source).unwrap().holds(&Inputs {
        object: &inputs["object"],
        old_object: &inputs["oldObject"],
        request: &inputs["request"],
        namespace_object: &inputs["namespaceObject"],
    })
}

fn on_object(object: &Value, source: &str) -> Result<bool, EvaluationError> {
    on(&json!({ "object": object }), source)
}

fn refusal(source: &str) -> String {
    Expression::compile(source).unwrap_err().to_string()
}

#[test]
fn gives_what_the_api_server_gives() {
    let inputs: Value = serde_json::from_str(INPUTS).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let Some((expected, source)) = line.split_once(" | ") else {
            continue;
        };
        let given = if Expression::compile(source).is_err() {
            "refused"
        } else {
            match on(&inputs, source) {
                Ok(true) => "true",
                Ok(false) => "false",
                Err(_) => "error",
            }
        };
        count += 1;
        let expected = match expected {
            "narrower" => "refused",
            same => same,
        };
        if given != expected {
            wrong.push(format!("{source}: {given}, not {expected}"));
        }
    }
    assert!(count > 200, "{count} lines are a table");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[rstest]
#[case::variable(
    "objekt.spec == 1",
    "line 1, column 1: there is no variable `objekt`; there are object, oldObject, request, namespaceObject"
)]
#[case::loop_variable(
    "object.a.all(x, y)",
    "line 1, column 17: there is no variable `y`; there are object, oldObject, request, namespaceObject, x"
)]
#[case::field_of_request(
    "request.user == 'a'",
    "line 1, column 9: there is no field `user` here; there are operation, namespace, name, dryRun, userInfo"
)]
#[case::field_of_user(
    "request.userInfo.?name.hasValue()",
    "column 19: there is no field `name` here; there are username, uid, groups, extra"
)]
#[case::field_of_namespace(
    "has(namespaceObject.spec)",
    "column 21: there is no field `spec` here; there are metadata"
)]
#[case::function(
    "object.a.startWith('b')",
    "line 1, column 10: there is no function `startWith`; there are has, all, exists,"
)]
#[case::library("quantity('1Gi') == object.a", "there is no function `quantity`")]
#[case::function_as_method("object.a.int() == 1", "`int` is called as int(...)")]
#[case::method_as_function("contains(object.a, 'b')", "`contains` is called as x.contains(...)")]
#[case::arguments("object.a.contains()", "`contains` takes 1 between its brackets")]
#[case::second_line(
    "object.a == 1 &&\n  objekt.b",
    "line 2, column 3: there is no variable `objekt`"
)]
#[case::after_a_wide_character("'é' == objekt", "line 1, column 8: ")]
#[case::result(
    "object.a.size()",
    "line 1, column 10: a condition must be a bool, and this is of type int"
)]
#[case::operand(
    "object.a && 'b'",
    "column 13: an operand of `&&` and `||` must be a bool, and this is of type string"
)]
#[case::kinds(
    "1 + 'a' == object.a",
    "column 3: `+` has no result for int and string"
)]
#[case::unfinished("object.a ==", "column 12: expected a value, found the end")]
#[case::bracket("(object.a", "column 10: expected `)`, found the end")]
#[case::character("object.a == 1;", "column 14: ';' isn't part of CEL")]
#[case::map("{'a': 1} == object.a", "maps can't be made in a condition")]
#[case::message("Job{a: 1} == object.a", "there is no variable `Job`")]
#[case::message_of_a_path("object.Job{a: 1}", "messages can't be made in a condition")]
#[case::bytes("b'a' == object.a", "bytes aren't supported")]
#[case::computed_pattern(
    "object.a.matches(object.b)",
    "column 25: the pattern of `matches` must be written as a string in the condition"
)]
#[case::broken_pattern("object.a.matches('(')", "the pattern isn't one: unclosed group")]
#[case::large_pattern("object.a.matches('(a{99}){99}')", "the pattern is too large")]
fn says_what_is_wrong_and_where(#[case] source: &str, #[case] message: &str) {
    let refusal = refusal(source);
    assert!(refusal.contains(message), "{refusal}");
}

#[rstest]
#[case(
    "object.a.b == 1",
    "no such key: a; ask has() first, or take it with .?"
)]
#[case("object.list[7] == 1", "index out of range")]
#[case("object.text > 1", "> is not for string, int")]
#[case("object.text.size() / 0 == 1", "division by zero")]
#[case("int(object.text) == 1", "this string is no int")]
#[case("object.map[object.long] == 1", "no such key: the one computed;")]
fn says_why_there_is_no_answer_and_keeps_the_values(#[case] source: &str, #[case] message: &str) {
    let object = json!({"text": "secret", "list": [], "map": {}, "long": "secret".repeat(20)});
    let error = on_object(&object, source).unwrap_err().to_string();
    assert!(error.contains(message), "{error}");
    assert!(!error.contains("secret"), "{error}");
}
