//! That no expression and no object makes compiling or evaluating slow, deep or large.

use std::thread;

use rstest::rstest;
use serde_json::{Value, json};

use super::{on, on_object, refusal};
use crate::policy::expression::*;

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

/// Patterns with more states than can be counted, and texts that lead through all of them.
#[test]
fn a_pattern_that_would_take_too_long_is_given_up() {
    let mut bits = 1_u64;
    let text: String = (0..100_000)
        .map(|_| {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            if bits & 1 == 0 { 'a' } else { 'b' }
        })
        .collect();
    for pattern in ["a[ab]{40}c", "(a[ab]{10}){4}c", "(a|b)*a(a|b){15}c"] {
        assert_eq!(
            on_object(
                &json!({"a": text}),
                &format!("object.a.matches('{pattern}')")
            ),
            Err(EvaluationError::TooLarge),
            "{pattern}"
        );
    }
    // What one text costs isn't paid by the next.
    let object = json!({"a": vec!["abab"; 100]});
    assert_eq!(
        on_object(&object, "!object.a.exists(a, a.matches('a[ab]{40}c'))"),
        Ok(true)
    );
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
