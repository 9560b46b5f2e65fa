//! Amounts of resources: in one spelling, so that `1000m` and `1` are the same, and as whole numbers.
//!
//! In: a quantity as somebody wrote it. It is read to the billionth, as the API server does; what is more than fits counts
//! as the most that does.

use serde_json::Value;

/// Suffixes as the API server reads them (apimachinery v0.36.3 `pkg/api/resource/suffix.go`), as base, exponent.
const SUFFIXES: [(&str, u32, i32); 15] = [
    ("Ki", 2, 10),
    ("Mi", 2, 20),
    ("Gi", 2, 30),
    ("Ti", 2, 40),
    ("Pi", 2, 50),
    ("Ei", 2, 60),
    ("n", 10, -9),
    ("u", 10, -6),
    ("m", 10, -3),
    ("k", 10, 3),
    ("M", 10, 6),
    ("G", 10, 9),
    ("T", 10, 12),
    ("P", 10, 15),
    ("E", 10, 18),
];

const ONE: i128 = 1_000_000_000;

/// Decimals that are read: with `Ei`, the next is less than a billionth.
const MOST_DECIMALS: usize = 28;

/// `value` in one spelling for each amount. What is no amount stays, and what is more than fits.
pub(super) fn canonical(value: &Value) -> Value {
    let fits = |amount: &i128| !matches!(*amount, i128::MIN | i128::MAX);
    let amount = read(value).filter(fits);
    amount.map_or_else(|| value.clone(), |amount| Value::from(written(amount)))
}

/// `value` rounded up, as `Quantity.Value` of apimachinery does; 0 if it is no amount.
pub(super) fn whole(value: &Value) -> i64 {
    let amount = read(value).unwrap_or(0);
    let up = i128::from(amount.rem_euclid(ONE) > 0);
    let whole = amount.div_euclid(ONE) + up;
    i64::try_from(whole).unwrap_or(if whole < 0 { i64::MIN } else { i64::MAX })
}

fn read(value: &Value) -> Option<i128> {
    match value {
        Value::String(text) => billionths(text),
        Value::Number(number) => billionths(&number.to_string()),
        _ => None,
    }
}

/// With the largest of a few suffixes that leaves a whole number.
fn written(amount: i128) -> String {
    let units = [
        (ONE << 30, "Gi"),
        (ONE << 20, "Mi"),
        (ONE, ""),
        (ONE / 1000, "m"),
        (1, "n"),
    ];
    let fits = units
        .iter()
        .find(|(unit, _)| amount != 0 && amount % unit == 0);
    fits.map_or_else(
        || "0".to_owned(),
        |(unit, suffix)| format!("{}{suffix}", amount / unit),
    )
}

/// None if it is no amount; the least or the most there is, if it is less or more than fits.
fn billionths(text: &str) -> Option<i128> {
    let suffix = SUFFIXES.iter().find(|(suffix, ..)| text.ends_with(suffix));
    let (text, base, exponent) = match suffix {
        Some((suffix, base, exponent)) => (text.strip_suffix(suffix)?, *base, *exponent),
        None => match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, 10, exponent.parse().ok()?),
            None => (text, 10, 0),
        },
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let unsigned = whole.strip_prefix(['+', '-']).unwrap_or(whole);
    let mut digits = unsigned.bytes().chain(fraction.bytes()).peekable();
    digits.peek()?;
    if !digits.all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let fraction = fraction.get(..MOST_DECIMALS).unwrap_or(fraction);
    let shift = 9 - i32::try_from(fraction.len()).ok()?;
    let (tens, twos) = if base == 10 {
        (exponent.saturating_add(shift), 0)
    } else {
        (shift, exponent)
    };
    let most = if whole.starts_with('-') {
        i128::MIN
    } else {
        i128::MAX
    };
    Some(scaled(&format!("{whole}{fraction}"), tens, twos).unwrap_or(most))
}

/// None if it is more than fits.
fn scaled(digits: &str, tens: i32, twos: i32) -> Option<i128> {
    let mantissa = digits.parse::<i128>().ok()?.checked_mul(1 << twos)?;
    match u32::try_from(tens) {
        Ok(_) if mantissa == 0 => Some(0),
        Ok(tens) => mantissa.checked_mul(10_i128.checked_pow(tens)?),
        // Below a billionth the API server rounds up; nobody asks for less.
        Err(_) => Some(mantissa / 10_i128.saturating_pow(tens.unsigned_abs())),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!("1000m"), json!(1))]
    #[case(json!("1.5"), json!("1500m"))]
    #[case(json!("1Gi"), json!("1024Mi"))]
    #[case(json!("1e3"), json!("1k"))]
    #[case(json!("0.5Gi"), json!("512Mi"))]
    #[case(json!("1.0000000000000000000000000000000000000000"), json!("1"))]
    fn one_amount_has_one_spelling(#[case] one: Value, #[case] other: Value) {
        assert_eq!(canonical(&one), canonical(&other));
    }

    #[rstest]
    #[case(json!("1"), json!("1m"))]
    #[case(json!("1G"), json!("1Gi"))]
    fn other_amounts_stay_apart(#[case] one: Value, #[case] other: Value) {
        assert_ne!(canonical(&one), canonical(&other));
    }

    #[rstest]
    #[case(json!("0.1"), "100m")]
    #[case(json!(8), "8")]
    #[case(json!("20480Ki"), "20Mi")]
    #[case(json!("0"), "0")]
    #[case(json!("1e-9"), "1n")]
    fn the_spelling_is_a_short_one(#[case] amount: Value, #[case] short: &str) {
        assert_eq!(canonical(&amount), short);
    }

    #[rstest]
    #[case(json!("much"))]
    #[case(json!("1e99"))]
    #[case(json!("-1e99"))]
    #[case(json!("1e2147483647"))]
    #[case(json!("9999999999999999999999999999999999999999"))]
    #[case(json!("9999999999999999999999999999999999999999n"))]
    #[case(json!("1.-5"))]
    #[case(json!("-"))]
    #[case(json!("."))]
    #[case(json!("1.é"))]
    #[case(json!(""))]
    #[case(Value::Null)]
    fn what_is_no_amount_or_too_much_stays(#[case] value: Value) {
        assert_eq!(canonical(&value), value);
    }

    #[rstest]
    #[case(json!("4"), 4)]
    #[case(json!(3), 3)]
    #[case(json!("0"), 0)]
    #[case(json!("500m"), 1)]
    #[case(json!("1500m"), 2)]
    #[case(json!("1n"), 1)]
    #[case(json!("-1500m"), -1)]
    #[case(json!("0.1"), 1)]
    #[case(json!("0.3333333333333333333333333333333333333333333"), 1)]
    #[case(json!("1k"), 1000)]
    #[case(json!("1Ki"), 1024)]
    #[case(json!("2e1"), 20)]
    #[case(json!("7Ei"), 7 << 60)]
    #[case(json!("much"), 0)]
    #[case(Value::Null, 0)]
    fn a_whole_number_is_rounded_up(#[case] amount: Value, #[case] expected: i64) {
        assert_eq!(whole(&amount), expected);
    }

    #[rstest]
    #[case(json!("100Ei"), i64::MAX)]
    #[case(json!("1e99"), i64::MAX)]
    #[case(json!("1e2147483647"), i64::MAX)]
    #[case(json!("9999999999999999999999999999999999999999Ei"), i64::MAX)]
    #[case(json!("-1e99"), i64::MIN)]
    #[case(json!("0e99"), 0)]
    #[case(json!("1e-2147483648"), 0)]
    fn what_is_too_much_is_the_most_that_fits(#[case] amount: Value, #[case] expected: i64) {
        assert_eq!(whole(&amount), expected);
    }
}
