//! That nothing panics, whatever is written.

use proptest::prelude::*;
use serde_json::Value;

use super::{INPUTS, on};
use crate::policy::expression::Expression;

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
