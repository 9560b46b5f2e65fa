//! trainshift inside this process, so that its clock can be set.

use std::io::{self, Write};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use anyhow::{Context, Result};
use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use tokio::runtime::Runtime;
use trainshift::admission::{self, App};
use trainshift::convert::target::Target;
use trainshift::discovery::{self, Connection};
use trainshift::policy::{Mode, Snapshot};
use trainshift::server::cluster::Live;
use trainshift::server::count::Counted;
use trainshift::server::policies::Feed;
use trainshift::server::ready::Readiness;
use trainshift::server::tasks::Tasks;
use trainshift::server::tls::{Certificates, Identity};
use trainshift::server::{self, Limits, Listening, Parts, Patience, Settings};
use trainshift::telemetry::Metrics;

use crate::control_plane::ControlPlane;
use crate::control_plane::trainshift::{register, write_certificates};

/// What `serve` puts together, with a clock that stands still.
pub(super) struct Served {
    now: Arc<AtomicI64>,
    policies: Arc<ArcSwapOption<Snapshot>>,
}

impl Served {
    /// Starts it for the namespaces with this label, and tells the API server of it. It serves as long as this process
    /// lives: a server takes the process's signals, and ends with one.
    pub(super) fn start(control_plane: &ControlPlane, label: &str) -> Result<Self> {
        // Somebody else may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificates = write_certificates(control_plane, label)?;
        let identity = Identity::load(&certificates, Timestamp::now())?;
        let runtime = Runtime::new()?;
        let served = Self {
            now: Arc::default(),
            policies: Arc::default(),
        };
        let (listening, app, parts) = runtime.block_on(served.parts(control_plane, identity))?;
        let port = listening.webhook_address.port();
        thread::spawn(move || {
            let ended = runtime.block_on(listening.run(admission::router(Arc::new(app)), parts));
            let _ = writeln!(io::stderr(), "the server of the test has ended: {ended:?}");
            process::exit(1)
        });
        register(control_plane, label, port, &certificates, "fail")?;
        Ok(served)
    }

    /// Sets the clock.
    pub(super) fn set(&self, now: Timestamp) {
        self.now.store(now.as_second(), Ordering::SeqCst);
    }

    /// What it judges by.
    pub(super) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.policies.load_full()
    }

    async fn parts(
        &self,
        control_plane: &ControlPlane,
        identity: Identity,
    ) -> Result<(Listening, App, Parts)> {
        let connection = Connection {
            kubeconfig: Some(control_plane.admin().kubeconfig().to_owned()),
            context: None,
        };
        let client = discovery::connect(&connection).await?;
        let listening = server::bind(settings()?).await?;
        let metrics = Arc::new(Metrics::new());
        let mut parts = Parts {
            certificates: Certificates::new(identity, metrics.certificate_expiry.clone()),
            metrics: Arc::clone(&metrics),
            readiness: Readiness::default(),
            tasks: Tasks::default(),
        };
        let feed = Feed {
            client: Some(client.clone()),
            file: None,
            default: Mode::Audit,
            policies: Arc::clone(&self.policies),
            metrics: Arc::clone(&metrics),
        };
        let part = parts.readiness.part("policies");
        parts.tasks.spawn("policies", feed.follow(part));
        let cluster = Arc::new(Live::new(client, Target::default()));
        let part = parts.readiness.part("cluster");
        parts
            .tasks
            .spawn("cluster", Arc::clone(&cluster).follow(part));
        let now = Arc::clone(&self.now);
        let app = App {
            policies: Arc::clone(&self.policies),
            clock: Arc::new(move || {
                Timestamp::from_second(now.load(Ordering::SeqCst)).unwrap_or_default()
            }),
            cluster,
            queue_controllers: Vec::new(),
            observer: Arc::new(Counted(metrics)),
        };
        Ok((listening, app, parts))
    }
}

/// Free ports of loopback, and no time to say goodbye.
fn settings() -> Result<Settings> {
    let any = "127.0.0.1:0".parse().context("an address")?;
    Ok(Settings {
        bind: any,
        admin: any,
        drain: std::time::Duration::ZERO,
        grace: std::time::Duration::ZERO,
        connections: 64,
        patience: Patience::default(),
        limits: Limits::default(),
    })
}
