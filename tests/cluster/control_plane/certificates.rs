//! The certificate authorities of one control plane, and what they sign.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};

/// A certificate authority that lives as long as one control plane.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate and key.
    pub(crate) pair: Pair,
}

/// A certificate and its key, both PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    /// A new authority.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let key = KeyPair::generate()?;
        let pair = Pair {
            certificate: params.self_signed(&key)?.pem(),
            key: key.serialize_pem(),
        };
        Ok(Self {
            issuer: Issuer::new(params, key),
            pair,
        })
    }

    /// A pair for a server that answers on loopback, and under `names`.
    pub(crate) fn serving(&self, names: &[&str]) -> Result<Pair> {
        let names: Vec<String> = ["127.0.0.1", "localhost"]
            .iter()
            .chain(names)
            .map(|&name| name.to_owned())
            .collect();
        let mut params = CertificateParams::new(names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params)
    }

    /// A pair by which the API server knows its bearer as `user` in `groups`.
    ///
    /// A group is an organisation in the subject, and rcgen keeps one value for each attribute type. The same type named
    /// by its number counts as another, which makes two: as many as a `ServiceAccount` has.
    pub(crate) fn client(&self, user: &str, groups: &[&str]) -> Result<Pair> {
        const ORGANISATION: &[u64] = &[2, 5, 4, 10];
        if groups.len() > 2 {
            bail!(
                "a client certificate made here holds at most two groups, {user} was given {}",
                groups.len()
            );
        }
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, user);
        for (group, attribute) in groups.iter().zip([
            DnType::OrganizationName,
            DnType::CustomDnType(ORGANISATION.to_vec()),
        ]) {
            params.distinguished_name.push(attribute, *group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    fn sign(&self, mut params: CertificateParams) -> Result<Pair> {
        let key = KeyPair::generate()?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        Ok(Pair {
            certificate: params.signed_by(&key, &self.issuer)?.pem(),
            key: key.serialize_pem(),
        })
    }
}

impl Pair {
    /// Writes `tls.crt` and `tls.key`, as in a mounted Secret.
    pub(crate) fn write(&self, directory: &Path) -> Result<()> {
        fs::create_dir_all(directory)
            .with_context(|| format!("creating {}", directory.display()))?;
        fs::write(directory.join("tls.crt"), &self.certificate)?;
        fs::write(directory.join("tls.key"), &self.key)?;
        Ok(())
    }
}
