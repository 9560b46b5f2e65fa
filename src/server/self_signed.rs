//! A pair for a start without any preparation: made in memory, valid for a year, signed by itself.
//!
//! What comes in: the time. What goes out: an [`Identity`], and the certificate as PEM for whoever wants to trust it (a
//! `caBundle`, `curl --cacert`). The key leaves neither memory nor this process. Not for more than one replica: each
//! would make its own.

use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};

use super::tls::{Files, Identity, TlsError};

/// The names that the certificate is for: this machine, and the Service of the manifests that come with trainshift.
pub const NAMES: [&str; 4] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "trainshift.trainshift-system.svc",
];

const VALID_FOR: Duration = Duration::from_hours(365 * 24);

/// Clocks differ: a client may be behind us by this much.
const BACKDATED: Duration = Duration::from_hours(1);

/// The pair could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SelfSignedError {
    /// The library could not make it.
    #[error("a self-signed certificate could not be made; give a pair with --tls-dir")]
    Make(#[from] rcgen::Error),
    /// It was made, and can't be served.
    #[error(transparent)]
    Serve(#[from] TlsError),
}

/// The pair, and what a client needs to trust it.
#[derive(Clone, Debug)]
pub struct SelfSigned {
    /// The pair to serve.
    pub identity: Identity,
    /// The certificate alone, as PEM.
    pub certificate_pem: String,
}

/// Makes a P-256 pair for [`NAMES`], valid from an hour before `now` for a year.
///
/// # Errors
/// When the system gives no randomness.
pub fn make(now: Timestamp) -> Result<SelfSigned, SelfSignedError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let from = SystemTime::from(now) - BACKDATED;
    let mut params = CertificateParams::new(NAMES.map(str::to_owned))?;
    params.not_before = from.into();
    params.not_after = (from + VALID_FOR).into();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "trainshift (self-signed)");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];

    let certificate_pem = params.self_signed(&key)?.pem();
    let made_here = Files::within(Path::new("(self-signed)"));
    let identity = Identity::from_pem(
        certificate_pem.as_bytes(),
        key.serialize_pem().as_bytes(),
        &made_here,
        now,
    )?;
    Ok(SelfSigned {
        identity,
        certificate_pem,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_parser::pem::parse_x509_pem;

    #[test]
    fn is_for_this_machine_and_the_service_for_a_year() {
        let now = Timestamp::now();
        let made = make(now).unwrap();
        let (_, pem) = parse_x509_pem(made.certificate_pem.as_bytes()).unwrap();
        let certificate = pem.parse_x509().unwrap();
        let names = certificate.subject_alternative_name().unwrap().unwrap();
        let names: Vec<String> = names
            .value
            .general_names
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names.len(), NAMES.len());
        assert!(
            names.iter().any(|name| name.contains("localhost")),
            "{names:?}"
        );
        let days = (made.identity.not_after().as_second() - now.as_second()) / (24 * 60 * 60);
        assert_eq!(days, 364, "a year that began an hour ago");
    }

    #[test]
    fn two_pairs_differ() {
        let now = Timestamp::now();
        assert_ne!(
            make(now).unwrap().certificate_pem,
            make(now).unwrap().certificate_pem
        );
    }
}
