//! A way to the API server that can be closed: for those who come through it, and nobody else, the API server is away.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::ports;

/// How the API server is, seen through the proxy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Way {
    /// It is there.
    Open,
    /// Connections are accepted and nothing is heard of them. They end when the way changes.
    Silent,
    /// Connections have ended, and others are refused.
    Closed,
}

/// A TCP proxy on loopback, open at first. It ends with the value.
pub(crate) struct Proxy {
    kubeconfig: PathBuf,
    way: watch::Sender<Way>,
    /// The tasks end with it.
    _runtime: Runtime,
}

impl Proxy {
    /// A proxy to the server of a kubeconfig.
    pub(crate) fn start(kubeconfig: &Path) -> Result<Self> {
        let mut config: Value = serde_json::from_slice(&fs::read(kubeconfig)?)?;
        let server = &mut config["clusters"][0]["cluster"]["server"];
        let address = server
            .as_str()
            .and_then(|url| url.strip_prefix("https://"))
            .context("the address of the API server")?;
        let target: SocketAddr = address.parse()?;
        let own = SocketAddr::from(([127, 0, 0, 1], ports::free()?));
        *server = json!(format!("https://{own}"));
        let through = kubeconfig.with_extension("proxied");
        fs::write(&through, config.to_string())?;

        let runtime = Runtime::new()?;
        let (way, seen) = watch::channel(Way::Open);
        let listener = runtime.block_on(TcpListener::bind(own))?;
        runtime.spawn(serve(listener, target, seen));
        Ok(Self {
            kubeconfig: through,
            way,
            _runtime: runtime,
        })
    }

    /// The same kubeconfig, through the proxy.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Opens or closes it. Whoever asks next may still meet it as it was.
    pub(crate) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

/// Until nobody can change the way any more, or the port is somebody else's.
async fn serve(
    mut listener: TcpListener,
    target: SocketAddr,
    mut way: watch::Receiver<Way>,
) -> Result<()> {
    let own = listener.local_addr()?;
    loop {
        let mut connections = JoinSet::new();
        while *way.borrow_and_update() != Way::Closed {
            tokio::select! {
                accepted = listener.accept() => {
                    connections.spawn(carry(accepted?.0, target, way.clone()));
                }
                changed = way.changed() => changed?,
            }
        }
        connections.shutdown().await;
        drop(listener);
        way.wait_for(|way| *way != Way::Closed).await?;
        listener = TcpListener::bind(own).await?;
    }
}

/// One connection.
async fn carry(
    mut client: TcpStream,
    target: SocketAddr,
    mut way: watch::Receiver<Way>,
) -> Result<()> {
    let mut server = TcpStream::connect(target).await?;
    if *way.borrow_and_update() == Way::Open {
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return Ok(()),
            changed = way.changed() => changed?,
        }
    }
    // Both stay open, and nobody reads them.
    way.wait_for(|way| *way != Way::Silent).await?;
    Ok(())
}
