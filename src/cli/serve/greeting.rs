//! What `serve` says to a person at its start. All of the text is here.

use std::fmt;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use jiff::Timestamp;

use crate::policy::Mode;

/// What there is to say.
#[derive(Debug)]
pub(super) struct Greeting<'a> {
    pub(super) webhook: SocketAddr,
    pub(super) admin: SocketAddr,
    /// Absent: the certificate is self-signed.
    pub(super) tls_dir: Option<&'a Path>,
    pub(super) expires: Timestamp,
    pub(super) mode: Mode,
    /// Whether a cluster is asked.
    pub(super) cluster: bool,
    /// The file of policies, and how many are in it.
    pub(super) file: Option<(&'a Path, usize)>,
}

impl Greeting<'_> {
    /// Says it on stderr, beside the log.
    pub(super) fn print(&self) {
        // It serves just as well when nobody listens.
        let _ = write!(io::stderr().lock(), "{self}");
    }
}

impl fmt::Display for Greeting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            webhook,
            admin,
            tls_dir,
            expires,
            mode,
            cluster,
            file,
        } = self;
        let near = within_reach(*webhook);
        let until = expires.strftime("%Y-%m-%d");
        writeln!(f, "trainshift {} listens", env!("CARGO_PKG_VERSION"))?;
        writeln!(f, "  webhook      https://{webhook}  (/validate, /mutate)")?;
        writeln!(
            f,
            "  admin        http://{admin}  (/livez, /readyz, /metrics)"
        )?;
        let trust = if let Some(dir) = tls_dir {
            writeln!(f, "  certificate  from {}, until {until}", dir.display())?;
            ""
        } else {
            writeln!(
                f,
                "  certificate  self-signed, made now, until {until}; for a cluster give --tls-dir"
            )?;
            "-k "
        };
        writeln!(f, "  mode         {mode}, where no policy says otherwise")?;
        match (file, cluster) {
            (Some((file, count)), _) => {
                writeln!(f, "  policies     {count}, from {}", file.display())?;
            }
            (None, true) => writeln!(f, "  policies     the cluster's MigrationPolicies")?,
            (None, false) => writeln!(f, "  policies     none; give some with --policy FILE")?,
        }
        let cluster = if *cluster {
            "followed; /readyz says whether it was read"
        } else {
            "none; conversions are for Trainer 2.3"
        };
        writeln!(f, "  cluster      {cluster}")?;
        writeln!(
            f,
            "Send it a first job (or your own: generate review FILE):"
        )?;
        let program = program();
        writeln!(
            f,
            "  {program} generate review | curl -s {trust}-H 'Content-Type: application/json' --data-binary @- https://{near}/validate"
        )
    }
}

/// How a person calls this program from where it was started.
fn program() -> String {
    let here = std::env::current_dir().unwrap_or_default();
    match std::env::current_exe() {
        Ok(path) => match path.strip_prefix(&here) {
            Ok(below) => format!("./{}", below.display()),
            Err(_) => path.display().to_string(),
        },
        Err(_) => "trainshift".to_owned(),
    }
}

/// The address by which a person on this machine reaches what listens on `address`.
fn within_reach(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_unspecified() || ip == IpAddr::from([127, 0, 0, 1]) => {
            format!("localhost:{}", address.port())
        }
        _ => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(webhook: &str, tls_dir: Option<&Path>) -> String {
        Greeting {
            webhook: webhook.parse().unwrap(),
            admin: "0.0.0.0:8080".parse().unwrap(),
            tls_dir,
            expires: "2027-11-23T00:00:00Z".parse().unwrap(),
            mode: Mode::Warn,
            cluster: false,
            file: None,
        }
        .to_string()
    }

    #[test]
    fn shows_how_to_send_a_first_job_to_the_port_it_has() {
        let text = text("0.0.0.0:9443", None);
        assert!(text.contains("curl -s -k -H"), "{text}");
        assert!(
            text.contains("@- https://localhost:9443/validate\n"),
            "{text}"
        );
        assert!(
            text.contains("self-signed, made now, until 2027-11-23"),
            "{text}"
        );
    }

    #[test]
    fn skips_no_check_of_a_certificate_that_was_given() {
        let text = text("10.0.0.7:8443", Some(Path::new("/certs")));
        assert!(text.contains("from /certs, until 2027-11-23"), "{text}");
        assert!(text.contains("curl -s -H"), "{text}");
        assert!(text.contains("https://10.0.0.7:8443/validate"), "{text}");
    }
}
