//! Times as people write them into policies and commands.

use jiff::Timestamp;

/// Reads RFC 3339, as the API server does: `2027-02-01T00:00:00Z`.
///
/// # Errors
/// What is wrong, and the full form; a date without a time or a zone would mean another moment to each reader.
pub fn parse(text: &str) -> Result<Timestamp, String> {
    let form: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let (date, rest) = form.split_at_checked(10).unwrap_or((&form, ""));
    let day = text.get(..10).unwrap_or_default();
    if date != "0000-00-00" {
        return Err(format!(
            "{text:?} is no time; write one like 2027-02-01T00:00:00Z"
        ));
    }
    let time = rest.trim_start_matches(['T', 't', ' ']);
    let clock = text.get(text.len() - time.len()..).unwrap_or_default();
    let hour = clock.get(..5).unwrap_or("00:00");
    let zone = time.trim_start_matches(['0', ':', '.']);
    let full = format!("{day}T{hour}:00Z");
    if time.is_empty() {
        return Err(format!(
            "{text:?} has neither time nor zone; write {day}T00:00:00Z"
        ));
    }
    if zone.is_empty() {
        return Err(format!(
            "{text:?} has no zone; write {full}, or the offset instead of Z, such as +01:00"
        ));
    }
    let seconds = &time[..time.len() - zone.len()];
    let is_clock = seconds == "00:00:00" || seconds.starts_with("00:00:00.");
    let is_zone = matches!(zone, "Z" | "+00:00" | "-00:00");
    if !rest.starts_with('T') || !is_clock || !is_zone {
        return Err(format!("{text:?} is no time of RFC 3339; write {full}"));
    }
    text.parse()
        .map_err(|_| format!("{text:?} names a day or an hour that doesn't exist"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_the_api_server_takes() {
        for text in [
            "2027-02-01T00:00:00Z",
            "2027-02-01T00:00:00.5Z",
            "2027-02-01T00:00:00+01:00",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn shows_the_full_form() {
        for (text, hint) in [
            ("2027-02-01", "write 2027-02-01T00:00:00Z"),
            ("2027-02-01T09:30:00", "no zone; write 2027-02-01T09:30:00Z"),
            ("2027-02-01 09:30:00Z", "write 2027-02-01T09:30:00Z"),
            ("2027-02-01T09:30Z", "write 2027-02-01T09:30:00Z"),
            ("2027-02-01T09:30:00 Europe", "write 2027-02-01T09:30:00Z"),
            ("2027-02-30T00:00:00Z", "doesn't exist"),
            ("tomorrow", "like 2027-02-01T00:00:00Z"),
            ("", "like 2027-02-01T00:00:00Z"),
            ("2027-02-0é", "like"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(hint), "{error}");
        }
    }
}
