//! Certificates and keys of every kind, made for one test and written to a directory of its own.

use std::fs;
use std::path::Path;

use rcgen::{
    CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256,
    SignatureAlgorithm, date_time_ymd,
};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::{Generate, PrivateKey};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tempfile::TempDir;

/// A certificate with its key, both as PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Pair {
    pub(crate) fn p256() -> Self {
        Self::ecdsa(&PKCS_ECDSA_P256_SHA256)
    }

    pub(crate) fn p384() -> Self {
        Self::ecdsa(&PKCS_ECDSA_P384_SHA384)
    }

    fn ecdsa(algorithm: &'static SignatureAlgorithm) -> Self {
        let key = KeyPair::generate_for(algorithm).unwrap();
        Self {
            certificate: certificate(&key, 2096),
            key: key.serialize_pem(),
        }
    }

    /// The same P-256 key in the older form that `openssl ecparam -genkey` writes.
    pub(crate) fn p256_sec1() -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        // PKCS#8 of a P-256 key: 27 bytes that say so, then an octet string that is the SEC1 form.
        let pkcs8 = key.serialize_der();
        assert_eq!(pkcs8[27], 0x04, "an octet string begins here");
        Self {
            certificate: certificate(&key, 2096),
            key: pem("EC PRIVATE KEY", &pkcs8[29..]),
        }
    }

    /// RSA of 3072 bits, in PKCS#8.
    pub(crate) fn rsa() -> Self {
        let (certificate, key) = Self::rsa_key();
        Self {
            certificate,
            key: key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string(),
        }
    }

    /// RSA of 3072 bits, in PKCS#1.
    pub(crate) fn rsa_pkcs1() -> Self {
        let (certificate, key) = Self::rsa_key();
        Self {
            certificate,
            key: key.to_pkcs1_pem(LineEnding::LF).unwrap().to_string(),
        }
    }

    fn rsa_key() -> (String, PrivateKey) {
        let key = PrivateKey::generate();
        let pkcs8 = key.to_pkcs8_pem(LineEnding::LF).unwrap();
        let pair = KeyPair::from_pem_and_sign_algo(&pkcs8, &PKCS_RSA_SHA256).unwrap();
        (certificate(&pair, 2096), key)
    }

    /// One that was valid until 2020.
    pub(crate) fn expired() -> Self {
        let key = KeyPair::generate().unwrap();
        Self {
            certificate: certificate(&key, 2020),
            key: key.serialize_pem(),
        }
    }

    /// The certificate, for a client to trust.
    pub(crate) fn root(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()
    }

    /// Written as a mounted Secret shows it.
    pub(crate) fn dir(&self) -> TempDir {
        let dir = TempDir::new().unwrap();
        self.write(dir.path());
        dir
    }

    fn write(&self, dir: &Path) {
        fs::write(dir.join("tls.crt"), &self.certificate).unwrap();
        fs::write(dir.join("tls.key"), &self.key).unwrap();
    }
}

fn certificate(key: &KeyPair, until: i32) -> String {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2019, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    params.self_signed(key).unwrap().pem()
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}
