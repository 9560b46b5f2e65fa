//! Quantities of resources, as whole numbers: what `Quantity.Value` of apimachinery says.

use serde_json::Value;

/// Suffixes and their powers: of ten, then of two.
const DECIMAL: [(&str, i32); 9] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];
const BINARY: [(&str, i32); 6] = [
    ("Ki", 10),
    ("Mi", 20),
    ("Gi", 30),
    ("Ti", 40),
    ("Pi", 50),
    ("Ei", 60),
];

/// The quantity, rounded up; 0 if it is none.
pub(super) fn whole(quantity: &Value) -> i64 {
    let text = match quantity {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return 0,
    };
    let binary = BINARY
        .into_iter()
        .map(|(suffix, power)| (suffix, 2_f64.powi(power)));
    let decimal = DECIMAL
        .into_iter()
        .map(|(suffix, power)| (suffix, 10_f64.powi(power)));
    let scaled = binary.chain(decimal).find_map(|(suffix, factor)| {
        let number: f64 = text.strip_suffix(suffix)?.parse().ok()?;
        Some(number * factor)
    });
    let number = scaled.or_else(|| text.parse().ok()).unwrap_or(0.0);
    // Less than a billionth is what floating point leaves behind.
    #[allow(clippy::cast_possible_truncation, reason = "saturates")]
    let whole = (number - 1e-9).ceil() as i64;
    whole
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rounds_up() {
        let table = [
            ("4", 4),
            ("500m", 1),
            ("1500m", 2),
            ("0", 0),
            ("1k", 1000),
            ("1Ki", 1024),
            ("2e1", 20),
            ("0.1", 1),
        ];
        for (text, expected) in table {
            assert_eq!(whole(&json!(text)), expected, "{text}");
        }
        assert_eq!(whole(&json!(3)), 3);
        assert_eq!(whole(&Value::Null), 0);
    }
}
