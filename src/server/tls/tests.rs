use super::*;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, date_time_ymd};
use tempfile::TempDir;

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn certificate(key: &KeyPair, years: (i32, i32)) -> String {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    params.self_signed(key).unwrap().pem()
}

fn check(certificate: &str, key: &str) -> Result<Identity, TlsError> {
    let now = "2026-06-01T00:00:00Z".parse().unwrap();
    Identity::from_pem(
        certificate.as_bytes(),
        key.as_bytes(),
        &Files::within(Path::new("/tls")),
        now,
    )
}

fn complaint(certificate: &str, key: &str) -> String {
    check(certificate, key).unwrap_err().to_string()
}

#[test]
fn accepts_a_pair_and_knows_its_end() {
    let key = key();
    let identity = check(&certificate(&key, (2026, 2027)), &key.serialize_pem()).unwrap();
    assert_eq!(identity.not_after().to_string(), "2027-01-01T00:00:00Z");
}

#[test]
fn accepts_p384_and_a_chain() {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let own = certificate(&key, (2026, 2027));
    let chain = own + &certificate(&self::key(), (2026, 2027));
    let identity = check(&chain, &key.serialize_pem()).unwrap();
    assert_eq!(identity.pair.cert.len(), 2);
}

#[test]
fn rejects_the_key_of_another_pair_and_names_both_files() {
    let error = complaint(&certificate(&key(), (2026, 2027)), &key().serialize_pem());
    assert_eq!(
        error,
        "/tls/tls.key is not the key of /tls/tls.crt; put both files of one pair there"
    );
}

#[test]
fn rejects_what_is_no_longer_or_not_yet_valid() {
    let key = key();
    let past = complaint(&certificate(&key, (2024, 2025)), &key.serialize_pem());
    assert!(
        past.starts_with("/tls/tls.crt expired at 2025-01-01"),
        "{past}"
    );
    let future = complaint(&certificate(&key, (2030, 2031)), &key.serialize_pem());
    assert!(
        future.starts_with("/tls/tls.crt is not valid before 2030-01-01"),
        "{future}"
    );
}

#[test]
fn rejects_garbage_and_names_the_file_that_holds_it() {
    let key = key();
    let good = certificate(&key, (2026, 2027));
    let not_der = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    for bad in ["", "hello", not_der] {
        let error = complaint(bad, &key.serialize_pem());
        assert!(
            error.starts_with("/tls/tls.crt holds no usable certificate"),
            "{bad:?}: {error}"
        );
    }
    for bad in ["", "hello", good.as_str()] {
        let error = complaint(&good, bad);
        assert!(
            error.starts_with("/tls/tls.key holds no usable private key"),
            "{bad:?}: {error}"
        );
    }
}

#[test]
fn names_the_file_that_is_missing() {
    let dir = TempDir::new().unwrap();
    let missing = |file: &str| {
        let error = Identity::load(dir.path(), Timestamp::now())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&format!("{}", dir.path().join(file).display())),
            "{error}"
        );
    };
    missing("tls.crt");
    fs::write(
        dir.path().join("tls.crt"),
        certificate(&key(), (2026, 2036)),
    )
    .unwrap();
    missing("tls.key");
}

#[test]
fn serves_the_new_pair_once_it_is_replaced() {
    let (old, new) = (key(), key());
    let identity =
        |key: &KeyPair, years| check(&certificate(key, years), &key.serialize_pem()).unwrap();
    let expiry = Gauge::default();
    let certificates = Certificates::new(identity(&old, (2026, 2027)), expiry.clone());
    assert_eq!(expiry.get(), 1_798_761_600);

    let next = identity(&new, (2026, 2028));
    let expected = Arc::clone(&next.pair);
    certificates.replace(next);
    assert!(Arc::ptr_eq(&certificates.current.load(), &expected));
    assert_eq!(expiry.get(), 1_830_297_600);
}
