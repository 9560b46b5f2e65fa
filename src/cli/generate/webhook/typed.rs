//! What was typed for `generate webhook`, or why it makes no sense.

/// Sorts just after every name that begins with `kueue-`.
const AFTER_KUEUE: &str = "kueue.";

/// A service that the API server calls.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) port: i32,
}

pub(super) fn name(typed: &str) -> Result<String, String> {
    if typed < AFTER_KUEUE {
        return Err("must sort after kueue-*, so that Kueue's webhooks are asked first".to_owned());
    }
    Ok(typed.to_owned())
}

pub(super) fn service(typed: &str) -> Result<Service, String> {
    let expected = || "expected NAMESPACE/NAME[:PORT]".to_owned();
    let (namespace, rest) = typed.split_once('/').ok_or_else(expected)?;
    let (name, port) = rest.split_once(':').unwrap_or((rest, "443"));
    let port: u16 = port
        .parse()
        .map_err(|_| "the port must be a number from 1 to 65535".to_owned())?;
    if namespace.is_empty() || name.is_empty() || name.contains('/') || port == 0 {
        return Err(expected());
    }
    Ok(Service {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        port: i32::from(port),
    })
}

pub(super) fn url(typed: &str) -> Result<String, String> {
    let uri: http::Uri = typed.parse().map_err(|error| format!("{error}"))?;
    let plain = uri.query().is_none() && !typed.contains(['#', '@']);
    if uri.scheme_str() != Some("https") || uri.host().is_none_or(str::is_empty) || !plain {
        return Err("expected https://HOST:PORT".to_owned());
    }
    Ok(typed.trim_end_matches('/').to_owned())
}

pub(in crate::cli::generate) fn label(typed: &str) -> Result<(String, String), String> {
    match typed.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_must_sort_after_kueue() {
        for good in ["trainshift", "kueuf", "z"] {
            assert!(name(good).is_ok(), "{good}");
        }
        for bad in [
            "a",
            "kueue",
            "kueue-mutating-webhook-configuration",
            "kueue-zz",
        ] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_service_has_a_namespace_a_name_and_maybe_a_port() {
        let parsed = service("ml/shift").expect("a service");
        assert_eq!(
            (parsed.namespace.as_str(), parsed.name.as_str(), parsed.port),
            ("ml", "shift", 443)
        );
        for bad in [
            "shift",
            "/shift",
            "ml/",
            "ml/shift:0",
            "ml/shift:65536",
            "ml/shift/x",
        ] {
            assert!(service(bad).is_err(), "{bad}");
        }
    }
}
