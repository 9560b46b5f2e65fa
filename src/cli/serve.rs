//! `trainshift serve`: the webhook.
//!
//! Flags, then [`Settings`], then the parts are made and put together: here, and nowhere else, it is decided which
//! certificate is served and which router answers.

mod flags;
mod greeting;
mod settings;

use std::sync::Arc;

use anyhow::Error;
use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use kube::Client;
use tracing::info;

use super::Exit;
use crate::admission::{self, App, Clock, Cluster, Offline};
use crate::api::policy::MigrationPolicy;
use crate::cli::input::policies;
use crate::convert::target::Target;
use crate::discovery;
use crate::server::cluster::Live;
use crate::server::count::Counted;
use crate::server::events::Events;
use crate::server::policies::{Feed, PolicyFile};
use crate::server::ready::Readiness;
use crate::server::standing::{Failures, Reporter};
use crate::server::tasks::Tasks;
use crate::server::tls::{Certificates, Identity};
use crate::server::{self, Parts, ServerError, self_signed};
use crate::telemetry::{Metrics, logs};
pub(super) use flags::Flags;
use greeting::Greeting;
use settings::Settings;

/// Serves until a signal comes.
pub(super) fn run(flags: Flags) -> Result<(), (Exit, Error)> {
    let settings = Settings::try_from(flags).map_err(|error| (Exit::Usage, error))?;
    logs::start(settings.log_format, settings.log_filter.clone())
        .map_err(failed("no log can be written"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(failed("the system gives no threads"))?;
    let done = runtime.block_on(serve(settings));
    // Whatever still runs has had its time.
    runtime.shutdown_background();
    done
}

async fn serve(settings: Settings) -> Result<(), (Exit, Error)> {
    let identity = identity(&settings)?;
    let expires = identity.not_after();
    let file = match &settings.policy {
        Some(path) => Some(
            PolicyFile::open(path, read)
                .map_err(|error| (Exit::Usage, Error::msg(error).context("--policy")))?,
        ),
        None => None,
    };
    let client = match &settings.cluster {
        Some(connection) => Some(
            discovery::connect(connection)
                .await
                .map_err(|error| (Exit::Usage, error.into()))?,
        ),
        None => None,
    };
    let listening = server::bind(settings.server.clone()).await.map_err(coded)?;
    let greeting = Greeting {
        webhook: listening.webhook_address,
        admin: listening.admin_address,
        tls_dir: settings.tls_dir.as_deref(),
        expires,
        mode: settings.mode,
        cluster: settings.cluster.is_some(),
        file: file.as_ref().map(|file| (file.path(), file.count())),
    };
    info!(
        webhook = %greeting.webhook,
        admin = %greeting.admin,
        mode = %settings.mode,
        self_signed = settings.tls_dir.is_none(),
        certificate_expires = %expires,
        "listening"
    );
    if settings.log_format == logs::Format::Text {
        greeting.print();
    }

    let metrics = Arc::new(Metrics::counting_namespaces(settings.metrics_namespaces));
    let mut parts = Parts {
        certificates: Certificates::new(identity, metrics.certificate_expiry.clone()),
        metrics,
        readiness: Readiness::default(),
        tasks: Tasks::default(),
    };
    let policies = Arc::new(ArcSwapOption::empty());
    // A file of policies has no status.
    let status = client.clone().filter(|_| file.is_none());
    let feed = Feed {
        client: client.clone(),
        file,
        default: settings.mode,
        policies: Arc::clone(&policies),
        metrics: Arc::clone(&parts.metrics),
    };
    let part = parts.readiness.part("policies");
    parts.tasks.spawn("policies", feed.follow(part));
    let clock: Clock = Arc::new(Timestamp::now);
    let reporter = Reporter {
        policies,
        failures: Arc::new(Failures::new(Arc::clone(&clock))),
        events: events(client.clone(), &clock, &mut parts),
        cluster: cluster(client, settings.wishes, &mut parts),
        metrics: Arc::clone(&parts.metrics),
        client: status,
        clock,
    };
    let app = app(&reporter, settings.queue_controllers);
    parts.tasks.spawn("status of policies", reporter.follow());
    listening
        .run(admission::router(Arc::new(app)), parts)
        .await
        .map_err(coded)
}

/// What judges requests, by what is reported on, and tells the reporter of them.
fn app(reporter: &Reporter, queue_controllers: Vec<String>) -> App {
    let counted = Counted(Arc::clone(&reporter.metrics));
    let failures = Arc::clone(&reporter.failures);
    App {
        policies: Arc::clone(&reporter.policies),
        clock: Arc::clone(&reporter.clock),
        cluster: Arc::clone(&reporter.cluster),
        queue_controllers,
        observer: Arc::new((counted, failures, reporter.events.clone())),
    }
}

/// The cluster behind `client`, followed by a task of its own, or what is assumed where none is.
fn cluster(client: Option<Client>, wishes: Target, parts: &mut Parts) -> Arc<dyn Cluster> {
    let Some(client) = client else {
        return Arc::new(Offline::new(wishes));
    };
    let live = Arc::new(Live::new(client, wishes));
    let part = parts.readiness.part("cluster");
    parts.tasks.spawn("cluster", Arc::clone(&live).follow(part));
    live
}

/// Where Events are told, and the task that writes them.
fn events(client: Option<Client>, clock: &Clock, parts: &mut Parts) -> Events {
    let metrics = Arc::clone(&parts.metrics);
    let Some(client) = client else {
        return Events::nowhere(metrics);
    };
    // In a pod, its name.
    let instance = std::env::var("HOSTNAME").unwrap_or_default();
    let (events, recorder) = Events::to(client, Arc::clone(clock), &instance, metrics);
    parts.tasks.spawn("events", recorder.follow());
    events
}

/// The policies in the text of a file, or all of its mistakes.
fn read(file: &str, text: &str) -> Result<Vec<MigrationPolicy>, String> {
    policies::read(file, text).map_err(|faults| {
        let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })
}

/// The pair in `--tls-dir`, or one made now.
fn identity(settings: &Settings) -> Result<Identity, (Exit, Error)> {
    let now = Timestamp::now();
    match &settings.tls_dir {
        Some(dir) => Identity::load(dir, now).map_err(|error| (Exit::Usage, error.into())),
        None => match self_signed::make(now) {
            Ok(made) => Ok(made.identity),
            Err(error) => Err((Exit::Failed, error.into())),
        },
    }
}

fn coded(error: ServerError) -> (Exit, Error) {
    let exit = match error {
        ServerError::Tls(_) => Exit::Usage,
        ServerError::Listen { .. } | ServerError::Signals(_) | ServerError::Task(_) => Exit::Failed,
        ServerError::CutOff { .. } | ServerError::SecondSignal { .. } => Exit::CutOff,
    };
    (exit, error.into())
}

fn failed<E: Into<Error>>(what: &'static str) -> impl Fn(E) -> (Exit, Error) {
    move |error| (Exit::Failed, error.into().context(what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::tasks::{Ended, How};
    use std::time::Duration;

    #[test]
    fn exit_code_says_whether_a_part_failed_or_requests_were_cut_off() {
        let died = Ended {
            name: "reload",
            how: How::Finished,
        };
        assert_eq!(coded(ServerError::Task(died)).0, Exit::Failed);
        assert_eq!(
            coded(ServerError::SecondSignal { requests: 0 }).0,
            Exit::CutOff
        );
        let late = ServerError::CutOff {
            requests: 2,
            grace: Duration::from_secs(25),
        };
        assert_eq!(coded(late).0, Exit::CutOff);
    }
}
