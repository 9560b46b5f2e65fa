//! A client that can stop halfway: HTTP/1.1 by hand over rustls.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};

use crate::pairs::Pair;
use crate::served::PATIENCE;

/// A connection on which the TLS handshake is done.
pub(crate) struct Client {
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Client {
    /// Connects with the versions that rustls has.
    pub(crate) fn connect(to: SocketAddr, pair: &Pair) -> Self {
        Self::with_versions(to, pair, rustls::ALL_VERSIONS).unwrap()
    }

    /// Connects with some versions only.
    pub(crate) fn with_versions(
        to: SocketAddr,
        pair: &Pair,
        versions: &[&'static SupportedProtocolVersion],
    ) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(pair.root()).unwrap();
        let config =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_protocol_versions(versions)
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
        let mut tls =
            ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        let mut tcp = TcpStream::connect(to)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tls.complete_io(&mut tcp)?;
        Ok(Self {
            stream: BufReader::new(StreamOwned::new(tls, tcp)),
        })
    }

    pub(crate) fn version(&self) -> ProtocolVersion {
        self.stream.get_ref().conn.protocol_version().unwrap()
    }

    pub(crate) fn send(&mut self, text: &str) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }

    /// One whole request.
    pub(crate) fn post(&mut self, path: &str, body: &str) -> Answer {
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
        .unwrap();
        self.answer()
    }

    /// Sends the headers of a request and waits for the server to ask for its body: from then on it is in flight.
    pub(crate) fn begin_post(&mut self, path: &str, length: usize) {
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
        ))
        .unwrap();
        assert_eq!(self.answer().status, 100);
    }

    pub(crate) fn answer(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(
                self.stream.read_line(&mut head).unwrap(),
                0,
                "closed within {head:?}"
            );
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.stream.read_exact(&mut body).unwrap();
        Answer {
            status,
            body: String::from_utf8(body).unwrap(),
        }
    }

    /// Waits until the server closes the connection, and says nothing before.
    pub(crate) fn dropped(mut self) -> bool {
        is_end(self.stream.read(&mut [0; 64]))
    }
}

/// Whether a read found the end: in order, by a reset, or without the word that TLS wants at the end.
pub(crate) fn is_end(read: io::Result<usize>) -> bool {
    match read {
        Ok(bytes) => bytes == 0,
        Err(error) => matches!(
            error.kind(),
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
        ),
    }
}
