use super::*;
use crate::server::ready::Readiness;
use std::future::pending;
use tokio::time::Instant;

struct Scene {
    readiness: Readiness,
    in_flight: InFlight,
    tasks: Tasks,
    shutdown: Shutdown,
}

/// Ten seconds of drain, twenty-five in all, and a listener that ends `lingers` after it is stopped.
fn scene(lingers: Duration) -> Scene {
    let readiness = Readiness::default();
    let accepting = readiness.part("webhook listener");
    accepting.ready();
    let (stop, mut stopped) = watch::channel(false);
    let in_flight = InFlight::default();
    let mut tasks = Tasks::default();
    tasks.spawn(WEBHOOK_LISTENER, async move {
        stopped.wait_for(|stopped| *stopped).await?;
        sleep(lingers).await;
        Ok(())
    });
    Scene {
        readiness,
        in_flight: in_flight.clone(),
        tasks,
        shutdown: Shutdown {
            drain: Duration::from_secs(10),
            grace: Duration::from_secs(25),
            accepting,
            stop,
            in_flight,
        },
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn is_not_ready_at_once_and_stops_accepting_after_the_drain() {
    let mut scene = scene(SECOND);
    let started = Instant::now();
    let done = {
        let run = scene.shutdown.run("SIGTERM", &mut scene.tasks, pending());
        tokio::pin!(run);
        tokio::select! {
            biased;
            _ = &mut run => panic!("too early"),
            () = sleep(SECOND) => {}
        }
        assert!(!scene.readiness.report().is_ready());
        assert!(
            scene
                .readiness
                .report()
                .to_string()
                .contains("shutting down")
        );
        run.await
    };
    assert!(done.is_ok());
    assert_eq!(started.elapsed().as_secs(), 11);
}

#[tokio::test(start_paused = true)]
async fn says_how_many_were_cut_off() {
    let mut scene = scene(Duration::from_mins(1));
    let _held = [scene.in_flight.begin(), scene.in_flight.begin()];
    let started = Instant::now();
    let error = scene
        .shutdown
        .run("SIGTERM", &mut scene.tasks, pending())
        .await
        .unwrap_err();
    assert_eq!(started.elapsed().as_secs(), 25);
    assert!(
        error
            .to_string()
            .starts_with("2 request(s) were cut off: not answered 25 s"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_only_stays_connected_is_no_failure() {
    let mut scene = scene(Duration::from_mins(1));
    let done = scene
        .shutdown
        .run("SIGTERM", &mut scene.tasks, pending())
        .await;
    assert!(done.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_ends_it_at_once() {
    let mut scene = scene(SECOND);
    let started = Instant::now();
    let second = async {
        sleep(SECOND).await;
        "SIGINT"
    };
    let error = scene
        .shutdown
        .run("SIGTERM", &mut scene.tasks, second)
        .await
        .unwrap_err();
    assert!(matches!(error, ServerError::SecondSignal { requests: 0 }));
    assert_eq!(started.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn another_task_that_dies_meanwhile_is_named() {
    let mut scene = scene(SECOND);
    scene.tasks.spawn("reload", async { Err("gone".into()) });
    let error = scene
        .shutdown
        .run("SIGTERM", &mut scene.tasks, pending())
        .await
        .unwrap_err();
    assert!(error.to_string().contains(r#"task "reload" failed: gone"#));
}
