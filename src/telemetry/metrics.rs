//! Every metric that trainshift has, registered once, under the prefix `trainshift_`.
//!
//! What comes in: typed calls ([`Metrics::judged`], [`Metrics::found`], ...). What goes out: the text that Prometheus
//! scrapes ([`Metrics::encode`]). Counting takes a read lock and a hash of a few bytes, and builds no string.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::labels::{Decision, Endpoint, HandshakeFailure, Mode, Operation, Unjudged, Verdict};
use super::policies::Policies;

/// The content type of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// From 100 microseconds, a small job, to 10 seconds, when the API server stops waiting.
const SECONDS: [f64; 16] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// What was answered to one request; the labels of `trainshift_requests_total`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Judgement {
    /// Which webhook was asked.
    pub path: Endpoint,
    /// The mode in force.
    pub mode: Mode,
    /// What was to be done to the object.
    pub operation: Operation,
    /// What the conversion found.
    pub verdict: Verdict,
    /// What was answered.
    pub decision: Decision,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByPath {
    path: Endpoint,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCode {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Unanswered {
    reason: Unjudged,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NeverTls {
    reason: HandshakeFailure,
}

/// Of a metric that isn't there at all until it is set.
type NoLabels = [(&'static str, &'static str); 0];

/// Handles to all metrics. One for the process, shared in an `Arc`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Judgement, Counter>,
    seconds: Family<ByPath, Histogram, fn() -> Histogram>,
    findings: Family<ByCode, Counter>,
    unjudged: Family<Unanswered, Counter>,
    handshakes_failed: Family<NeverTls, Counter>,
    /// When the certificate that is served ends, in seconds since 1970.
    pub certificate_expiry: Gauge,
    policy_file_valid: Family<NoLabels, Gauge>,
    /// Connections to the webhook port that are open now.
    pub open_connections: Gauge,
    /// What is counted about policies.
    pub policies: Policies,
}

impl Metrics {
    /// Registers everything. Call it once.
    #[must_use]
    pub fn new() -> Self {
        Self::counting_namespaces(0)
    }

    /// The same, with series for as many namespaces.
    #[must_use]
    pub fn counting_namespaces(most: usize) -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("trainshift"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            findings: Family::default(),
            unjudged: Family::default(),
            handshakes_failed: Family::default(),
            certificate_expiry: Gauge::default(),
            policy_file_valid: Family::default(),
            open_connections: Gauge::default(),
            policies: Policies::new(most),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register(
            "build",
            "The version that runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register(
            "requests",
            "Admission requests that were judged",
            self.requests.clone(),
        );
        registry.register(
            "request_duration_seconds",
            "Time from the whole request to the answer",
            self.seconds.clone(),
        );
        registry.register(
            "findings",
            "Differences that conversions reported",
            self.findings.clone(),
        );
        registry.register(
            "requests_unjudged",
            "Requests that were turned away or failed before a judgement",
            self.unjudged.clone(),
        );
        registry.register(
            "tls_handshakes_failed",
            "Connections to the webhook port that never became TLS",
            self.handshakes_failed.clone(),
        );
        registry.register(
            "certificate_expiry_timestamp_seconds",
            "When the certificate that is served ends, in seconds since 1970",
            self.certificate_expiry.clone(),
        );
        registry.register(
            "policy_file_valid",
            "1 while the file of --policy is in force as it is, 0 while an older reading of it is",
            self.policy_file_valid.clone(),
        );
        registry.register(
            "open_connections",
            "Connections to the webhook port that are open",
            self.open_connections.clone(),
        );
        self.policies.register(registry);
        self
    }

    /// Counts a request that was judged, and the time that it took.
    pub fn judged(&self, judgement: &Judgement, took: Duration) {
        self.requests.get_or_create(judgement).inc();
        self.seconds
            .get_or_create(&ByPath {
                path: judgement.path,
            })
            .observe(took.as_secs_f64());
    }

    /// Counts one finding of a conversion by its code, such as `TS014`. The codes are part of the program, hence
    /// `'static`: their number is bounded.
    pub fn found(&self, code: &'static str) {
        self.findings.get_or_create(&ByCode { code }).inc();
    }

    /// Counts a request that got no judgement.
    pub fn unjudged(&self, reason: Unjudged) {
        self.unjudged.get_or_create(&Unanswered { reason }).inc();
    }

    /// Counts a connection that never became TLS.
    pub fn handshake_failed(&self, reason: HandshakeFailure) {
        self.handshakes_failed
            .get_or_create(&NeverTls { reason })
            .inc();
    }

    /// Says whether the file of policies could be used as it is. Without such a file, nobody says so.
    pub fn policy_file(&self, is_valid: bool) {
        self.policy_file_valid
            .get_or_create(&[])
            .set(i64::from(is_valid));
    }

    /// All metrics in the OpenMetrics text format; its content type is [`CONTENT_TYPE`].
    ///
    /// # Errors
    /// When a label can't be written, which would be a bug.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut page = String::with_capacity(8 * 1024);
        text::encode(&mut page, &self.registry)?;
        Ok(page)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(metrics: &Metrics) -> String {
        metrics.encode().unwrap()
    }

    fn denied() -> Judgement {
        Judgement {
            path: Endpoint::Validate,
            mode: Mode::Deny,
            operation: Operation::Create,
            verdict: Verdict::Adapted,
            decision: Decision::Deny,
        }
    }

    #[test]
    fn counts_a_request_under_words_not_rust_names() {
        let metrics = Metrics::new();
        metrics.judged(&denied(), Duration::from_micros(90));
        metrics.judged(&denied(), Duration::from_micros(300));
        let page = page(&metrics);
        assert!(
            page.contains(
                r#"trainshift_requests_total{path="validate",mode="deny",operation="create",verdict="adapted",decision="deny"} 2"#
            ),
            "{page}"
        );
        assert!(
            page.contains(
                r#"trainshift_request_duration_seconds_bucket{le="0.0001",path="validate"} 1"#
            ),
            "{page}"
        );
        assert!(
            page.contains(r#"trainshift_request_duration_seconds_count{path="validate"} 2"#),
            "{page}"
        );
    }

    #[test]
    fn counts_findings_by_code() {
        let metrics = Metrics::new();
        metrics.found("TS014");
        metrics.found("TS014");
        metrics.found("TS003");
        let page = page(&metrics);
        assert!(
            page.contains(r#"trainshift_findings_total{code="TS014"} 2"#),
            "{page}"
        );
        assert!(
            page.contains(r#"trainshift_findings_total{code="TS003"} 1"#),
            "{page}"
        );
    }

    #[test]
    fn says_which_version_runs_and_when_the_certificate_ends() {
        let metrics = Metrics::new();
        metrics.certificate_expiry.set(1_800_000_000);
        let page = page(&metrics);
        let build = format!(
            r#"trainshift_build_info{{version="{}"}} 1"#,
            env!("CARGO_PKG_VERSION")
        );
        assert!(page.contains(&build), "{page}");
        assert!(
            page.contains("trainshift_certificate_expiry_timestamp_seconds 1800000000"),
            "{page}"
        );
        assert!(page.contains("trainshift_open_connections 0"), "{page}");
        assert!(page.ends_with("# EOF\n"), "{page}");
    }
}
