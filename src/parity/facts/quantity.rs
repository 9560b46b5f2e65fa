//! Amounts of resources, so that `1000m` and `1` are the same.

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

/// Most digits of an amount that is read: what has more is compared as it is written.
const MOST_DIGITS: usize = 18;

/// `value` in one spelling for each amount. What is no amount stays.
pub fn canonical(value: &Value) -> Value {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return value.clone(),
    };
    billionths(&text).map_or_else(|| value.clone(), |amount| Value::from(written(amount)))
}

/// With the largest of a few suffixes that leaves a whole number.
fn written(amount: i128) -> String {
    const ONE: i128 = 1_000_000_000;
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
    let digits = format!("{whole}{fraction}");
    if digits.len() > MOST_DIGITS {
        return None;
    }
    let mantissa: i128 = digits.parse().ok()?;
    let shift = 9 - i32::try_from(fraction.len()).ok()?;
    let (tens, twos) = if base == 10 {
        (exponent + shift, 0)
    } else {
        (shift, exponent)
    };
    let scaled = mantissa.checked_mul(2_i128.checked_pow(twos.try_into().ok()?)?)?;
    match u32::try_from(tens) {
        Ok(tens) => scaled.checked_mul(10_i128.checked_pow(tens)?),
        // Below a billionth the API server rounds up; nobody asks for less.
        Err(_) => scaled.checked_div(10_i128.checked_pow(tens.unsigned_abs())?),
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

    #[test]
    fn what_is_no_amount_stays() {
        assert_eq!(canonical(&json!("much")), json!("much"));
        assert_eq!(canonical(&json!("1e99")), json!("1e99"));
    }
}
