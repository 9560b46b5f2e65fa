//! The certificate that the webhook shows, and how TLS is spoken.
//!
//! What comes in: a directory with `tls.crt` and `tls.key`, as a Secret of type `kubernetes.io/tls` is mounted, or a
//! pair made in memory ([`super::self_signed`]). What goes out: an [`Identity`], which is a pair known to be usable, and
//! [`Certificates`], which serves the current one and lets it be exchanged while connections are open. Whoever exchanges
//! it decides when; nothing here watches files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use prometheus_client::metrics::gauge::Gauge;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Why a pair can't be served. Each message names the file and says what to do; what the system said is a part of it,
/// and so not a source besides.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file isn't there or can't be read.
    #[error("cannot read {}: {why}; --tls-dir wants a directory with tls.crt and tls.key", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// The file holds no certificate, or a broken one.
    #[error("{} holds no usable certificate: {why}; it must be PEM, the server's own certificate first", file.display())]
    Certificate {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The file holds no private key, or one of a kind that isn't supported.
    #[error(
        "{} holds no usable private key: {why}; it must be PEM without a passphrase: ECDSA P-256 or P-384, Ed25519, or RSA of 2048 to 8192 bits",
        file.display()
    )]
    Key {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The two files belong to different pairs.
    #[error("{} is not the key of {}; put both files of one pair there", key.display(), certificate.display())]
    Mismatch {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// The certificate was valid once.
    #[error("{} expired at {not_after} (it is {now}); renew it", file.display())]
    Expired {
        /// Which file.
        file: PathBuf,
        /// The last moment of its validity.
        not_after: Timestamp,
        /// The time it was compared with.
        now: Timestamp,
    },
    /// The certificate will be valid.
    #[error("{} is not valid before {not_before} (it is {now}); check the clock, or issue it anew", file.display())]
    NotYetValid {
        /// Which file.
        file: PathBuf,
        /// The first moment of its validity.
        not_before: Timestamp,
        /// The time it was compared with.
        now: Timestamp,
    },
    /// The TLS library took exception to its own defaults: a bug.
    #[error("TLS cannot be set up")]
    Setup(#[from] rustls::Error),
}

/// A certificate chain with its key: they match, and the certificate is valid now.
#[derive(Clone, Debug)]
pub struct Identity {
    pair: Arc<CertifiedKey>,
    not_after: Timestamp,
}

impl Identity {
    /// Reads `tls.crt` (a chain, the server's own certificate first) and `tls.key` (PKCS#8, PKCS#1 or SEC1) in `dir`.
    ///
    /// # Errors
    /// When a file is missing or unreadable, the pair doesn't match, or the certificate isn't valid at `now`.
    pub fn load(dir: &Path, now: Timestamp) -> Result<Self, TlsError> {
        let files = Files::within(dir);
        let read = |file: &Path| {
            fs::read(file).map_err(|why| TlsError::Unreadable {
                file: file.to_owned(),
                why,
            })
        };
        Self::from_pem(&read(&files.certificate)?, &read(&files.key)?, &files, now)
    }

    /// Checks a pair in memory; `files` says where it came from, for the messages.
    ///
    /// # Errors
    /// As [`Identity::load`], but for reading.
    pub fn from_pem(
        chain: &[u8],
        key: &[u8],
        files: &Files,
        now: Timestamp,
    ) -> Result<Self, TlsError> {
        let no_certificate = |why: String| TlsError::Certificate {
            file: files.certificate.clone(),
            why,
        };
        let no_key = |why: String| TlsError::Key {
            file: files.key.clone(),
            why,
        };

        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| no_certificate(broken_pem(&error)))?;
        let own = chain
            .first()
            .ok_or_else(|| no_certificate("there is none in it".to_owned()))?;
        let (not_before, not_after) = validity(own).map_err(no_certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| no_key(broken_pem(&error)))?;

        let pair =
            CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
                rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    TlsError::Mismatch {
                        certificate: files.certificate.clone(),
                        key: files.key.clone(),
                    }
                }
                rustls::Error::InvalidCertificate(why) => no_certificate(why.to_string()),
                other => no_key(other.to_string()),
            })?;
        let file = files.certificate.clone();
        if now > not_after {
            return Err(TlsError::Expired {
                file,
                not_after,
                now,
            });
        }
        if now < not_before {
            return Err(TlsError::NotYetValid {
                file,
                not_before,
                now,
            });
        }
        Ok(Self {
            pair: Arc::new(pair),
            not_after,
        })
    }

    /// The last moment at which clients accept the certificate.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }
}

/// Where the two halves of a pair are.
#[derive(Clone, Debug)]
pub struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    /// The names that a Secret of type `kubernetes.io/tls` has when it is mounted.
    #[must_use]
    pub fn within(dir: &Path) -> Self {
        Self {
            certificate: dir.join("tls.crt"),
            key: dir.join("tls.key"),
        }
    }
}

/// The pair that is served now. Whoever holds it can exchange the pair: new handshakes see the new one at once, open
/// connections go on.
#[derive(Debug)]
pub struct Certificates {
    current: ArcSwap<CertifiedKey>,
    expiry: Gauge,
}

impl Certificates {
    /// Serves `identity`; `expiry` is kept at the end of whatever is served, in seconds since 1970.
    #[must_use]
    pub fn new(identity: Identity, expiry: Gauge) -> Arc<Self> {
        expiry.set(identity.not_after.as_second());
        Arc::new(Self {
            current: ArcSwap::new(identity.pair),
            expiry,
        })
    }

    /// Serves `identity` from now on.
    pub fn replace(&self, identity: Identity) {
        self.expiry.set(identity.not_after.as_second());
        self.current.store(identity.pair);
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

/// TLS 1.2 and 1.3, HTTP/2 preferred to HTTP/1.1, no client certificates: the API server isn't known by one.
///
/// # Errors
/// Never in practice: the library's own defaults would have to contradict each other.
pub fn server_config(certificates: Arc<Certificates>) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The provider by name, so that nothing here depends on what the process has installed as its default.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn broken_pem(error: &pem::Error) -> String {
    match error {
        pem::Error::NoItemsFound => "there is none in it".to_owned(),
        other => other.to_string(),
    }
}

fn validity(certificate: &CertificateDer<'_>) -> Result<(Timestamp, Timestamp), String> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|error| error.to_string())?;
    let moment = |seconds| Timestamp::from_second(seconds).map_err(|error| error.to_string());
    let validity = parsed.validity();
    Ok((
        moment(validity.not_before.timestamp())?,
        moment(validity.not_after.timestamp())?,
    ))
}

#[cfg(test)]
mod tests;
