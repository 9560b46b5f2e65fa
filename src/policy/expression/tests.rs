//! What conditions give, and that nothing makes them slow, large or panic.

use std::thread;

use proptest::prelude::*;
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

#[test]
fn an_expression_has_a_length() {
    let padded = |length: usize| format!("{}true", " ".repeat(length - 4));
    assert!(Expression::compile(&padded(MAX_LENGTH)).is_ok());
    for length in [MAX_LENGTH + 1, 10 * 1024] {
        assert_eq!(
            Expression::compile(&padded(length)).unwrap_err(),
            ExpressionError::TooLong(length)
        );
    }
    // Characters, not bytes.
    assert!(Expression::compile(&format!("'{}' == ''", "é".repeat(1000))).is_ok());
}

/// Runs `work` on a stack that is an eighth of what a worker of the server has.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(256 * 1024);
    thread.spawn(work).unwrap().join().unwrap();
}

#[rstest]
#[case::brackets("(", "true", ")")]
#[case::lists("[", "1", "]")]
#[case::not("!", "true", "")]
#[case::minus("- ", "object.a", "")]
#[case::calls("dyn(", "true", ")")]
#[case::methods("", "object.a", ".trim()")]
#[case::fields("", "object", ".a")]
#[case::optional_fields("", "object", ".?a")]
#[case::indices("object[", "1", "]")]
#[case::further_indices("", "object", "[1]")]
#[case::sums("", "object.a", "+1")]
#[case::comparisons("", "object.a", "==1")]
#[case::sums_in_brackets("1+(", "1", ")")]
#[case::choices("true?true:", "true", "")]
#[case::choices_in_brackets("true?(", "true", "):true")]
#[case::both("true&&(true||(", "true", "))")]
#[case::open_brackets("(", "", "")]
#[case::open_lists("[", "", "")]
#[case::open_maps("{", "", "")]
#[case::closing_brackets("", "", ")")]
fn deep_nesting_is_refused_before_it_costs_stack(
    #[case] before: &'static str,
    #[case] leaf: &'static str,
    #[case] after: &'static str,
) {
    let source =
        move |levels: usize| format!("{}{leaf}{}", before.repeat(levels), after.repeat(levels));
    on_a_small_stack(move || {
        for levels in 1..=1000 {
            let source = source(levels);
            if levels > MAX_HEIGHT || leaf.is_empty() {
                Expression::compile(&source).unwrap_err();
            } else if let Ok(expression) = Expression::compile(&format!("{source} == object.b")) {
                let null = Value::Null;
                let inputs = Inputs {
                    object: &json!({"a": 1, "b": 1}),
                    old_object: &null,
                    request: &null,
                    namespace_object: &null,
                };
                let _ = expression.holds(&inputs);
            }
        }
    });
}

#[test]
fn a_deep_object_is_compared_on_a_small_stack() {
    on_a_small_stack(|| {
        // As deep as the decoder takes.
        let deep = format!("{}{}", "[".repeat(127), "]".repeat(127));
        let deep: Value = serde_json::from_str(&deep).unwrap();
        assert_eq!(
            on_object(&json!({"a": deep, "b": deep}), "object.a == object.b"),
            Ok(true)
        );
    });
}

#[test]
fn a_long_chain_is_not_a_deep_one() {
    let source = vec!["object.a == 'b'"; 50].join(" || ");
    assert_eq!(on_object(&json!({"a": "c"}), &source), Ok(false));
    let source = vec!["object.a != 'b'"; 50].join(" && ");
    assert_eq!(on_object(&json!({"a": "c"}), &source), Ok(true));
}

#[rstest]
fn a_loop_in_a_loop_is_refused_by_name(
    #[values("all", "exists", "exists_one", "map", "filter")] outer: &str,
    #[values("all", "exists", "exists_one", "map", "filter")] inner: &str,
) {
    let source = format!("object.a.{outer}(x, object.a.{inner}(y, true) == true) == true");
    let refusal = refusal(&source);
    assert!(
        refusal.contains(&format!("`{inner}` can't be inside another loop")),
        "{refusal}"
    );
    // One after the other is fine, and so is one that another begins with.
    Expression::compile("object.a.filter(x, true).map(x, x).all(x, true) || object.a.all(x, true)")
        .unwrap();
}

/// An object that is as bad as one gets: long lists, long texts, many keys, and all of them alike until their ends.
fn large() -> Value {
    let numbers: Vec<_> = (0..10_000).collect();
    let text = "a".repeat(256 * 1024);
    let map: serde_json::Map<_, _> = (0..10_000)
        .map(|i| (format!("{i:0100}"), json!(i)))
        .collect();
    json!({
        "numbers": numbers,
        "same": numbers,
        "texts": vec![text.clone(); 8],
        "text": text,
        "twin": format!("{}b", &text[1..]),
        "map": map,
        "copy": map,
    })
}

/// Conditions that take all steps and more.
const GREEDY: [&str; 17] = [
    "object.numbers.all(x, x in object.same)",
    "object.numbers.all(x, object.numbers == object.same)",
    "object.numbers.all(x, object.map == object.copy)",
    "object.numbers.all(x, object.text != object.twin)",
    "object.numbers.all(x, object.text <= object.twin)",
    "object.numbers.all(x, object.text.contains('aaaaaaaab') == false)",
    "object.numbers.all(x, object.text.size() > 0)",
    "object.numbers.map(x, object.text.split('a')).size() > 0",
    "object.numbers.map(x, object.text.split('')).size() > 0",
    "object.numbers.map(x, object.text + object.text).size() > 0",
    "object.numbers.map(x, object.text.upperAscii()).size() > 0",
    "object.numbers.map(x, object.numbers + object.same).size() > 0",
    "object.numbers.all(x, !object.text.matches('(a|aa|aaa|aaaa)*b$'))",
    "object.numbers.all(x, !object.text.matches('[a-q][^u-z]{13}x'))",
    "object.map.all(k, object.map[k] in object.numbers)",
    "object.numbers.map(x, [[x, x], [x, x], [x, x], [x, x], [x, x], [x, x], [x, x]]).size() > 0",
    "object.texts.map(t, t + t + t + t + t + t + t + t + t + t + t + t + t + t + t + t).size() > 0",
];

#[test]
fn what_costs_too_much_ends_in_an_error() {
    let inputs = json!({"object": large()});
    for source in GREEDY {
        assert_eq!(
            on(&inputs, source),
            Err(EvaluationError::TooLarge),
            "{source}"
        );
    }
}

#[test]
fn no_operand_hides_that_the_cost_was_too_much() {
    let inputs = json!({"object": large()});
    let greedy = GREEDY[0];
    for source in [
        format!("({greedy}) || true"),
        format!("true && ({greedy}) && false"),
        "object.texts.exists(x, (x + x + x + x + x + x).size() == 0 || x == x)".to_owned(),
    ] {
        assert_eq!(
            on(&inputs, &source),
            Err(EvaluationError::TooLarge),
            "{source}"
        );
    }
}

#[test]
fn an_ordinary_large_job_is_judged() {
    let variables: Vec<_> = (0..1000)
        .map(|i| json!({"name": format!("VARIABLE_{i}"), "value": "x".repeat(64)}))
        .collect();
    let script = "echo step\n".repeat(10_000);
    let containers: Vec<_> = (0..20)
        .map(|i| json!({"name": format!("c{i}"), "image": "registry.example/a:1", "args": [script], "env": variables}))
        .collect();
    let object = json!({"containers": containers, "old": containers});
    for source in [
        "object.containers.all(c, c.image.startsWith('registry.example/') && c.env.size() > 10 && !('-v' in c.args))",
        "object.containers[0].env.exists(e, e.name == 'VARIABLE_999' && e.value.contains('x'))",
        "object.containers.exists(c, c.args[0].contains('step'))",
        "object.containers[19].args[0].matches('(?m)^echo step$')",
    ] {
        assert_eq!(on_object(&object, source), Ok(true), "{source}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(source in "[a-c0-9 .?:,|&!=<>+*/%(){}\\[\\]'\"\\\\\n-]{0,40}|.{0,20}") {
        let _ = Expression::compile(&source);
    }

    #[test]
    fn no_sequence_of_tokens_panics(
        tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..24),
    ) {
        judge(&tokens.concat());
    }

    #[test]
    fn no_combination_of_operands_panics(
        left in prop::sample::select(OPERANDS),
        first in prop::sample::select(OPERATORS),
        middle in prop::sample::select(OPERANDS),
        second in prop::sample::select(OPERATORS),
        right in prop::sample::select(OPERANDS),
    ) {
        judge(&format!("({left} {first} {middle}) {second} {right}"));
        judge(&format!("({left} {first} {middle} {second} {right}) == {middle}"));
    }
}

fn judge(source: &str) {
    if Expression::compile(source).is_ok() {
        let inputs: Value = serde_json::from_str(INPUTS).unwrap();
        let _ = on(&inputs, source);
    }
}

const TOKENS: &[&str] = &[
    "object",
    "oldObject",
    ".spec",
    ".numbers",
    ".mixed",
    ".texts",
    ".nothing",
    ".?other",
    "[0]",
    "[?1]",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".all(x,",
    ".map(x,",
    ".filter(x,",
    ".exists(x,",
    "x",
    "has(",
    "size(",
    "int(",
    "uint(",
    "double(",
    "string(",
    ".split(",
    ".matches('a')",
    ".orValue(",
    "==",
    "<",
    "+",
    "-",
    "*",
    "/",
    "%",
    "!",
    "&&",
    "||",
    "?",
    ":",
    " in ",
    "1",
    "0",
    "2u",
    "1.5",
    "'a'",
    "'é'",
    "true",
    "null",
    "9223372036854775807",
];

const OPERANDS: &[&str] = &[
    "object.spec.largest",
    "-object.spec.largest",
    "object.spec.huge",
    "object.spec.ratio",
    "object.spec.whole",
    "object.spec.nothing",
    "object.spec.flag",
    "object.spec.none",
    "object.spec.numbers",
    "object.spec.mixed",
    "object.spec.other",
    "object.metadata.name",
    "object.metadata.labels",
    "object.spec.?ratio",
    "object.spec.?other",
    "oldObject",
    "object.spec.numbers[0]",
    "object.spec.beyond",
    "0",
    "-1",
    "1u",
    "0u",
    "0.0",
    "-9223372036854775808",
    "18446744073709551615u",
    "'a'",
    "''",
    "true",
    "null",
    "[1]",
    "[]",
    "int(object.spec.beyond)",
    "double('NaN')",
    "double('inf')",
    "uint(object.spec.negative)",
    "object.spec.texts.plus",
];

const OPERATORS: &[&str] = &[
    "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%", "&&", "||",
];
