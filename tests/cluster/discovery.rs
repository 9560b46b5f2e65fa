//! What trainshift reads from a cluster is what runs there.

use anyhow::{Result, ensure};
use trainshift::discovery::{self, Connection};

use crate::control_plane::ControlPlane;

crate::facts![tells_the_minor_of_trainer, finds_the_shipped_runtimes];

fn tells_the_minor_of_trainer(control_plane: &ControlPlane) -> Result<()> {
    let seen = read(control_plane)?.dialect;
    let runs = control_plane.versions().dialect()?;
    ensure!(seen == Some(runs), "Trainer {runs} was taken for {seen:?}");
    Ok(())
}

fn finds_the_shipped_runtimes(control_plane: &ControlPlane) -> Result<()> {
    let seen = read(control_plane)?.cluster_runtimes;
    for runtime in ["torch-distributed", "trainshift-pytorch"] {
        ensure!(seen.contains(runtime), "{runtime} is not among {seen:?}");
    }
    Ok(())
}

/// As `trainshift serve` reads it, with the rights that it asks for and no others.
fn read(control_plane: &ControlPlane) -> Result<discovery::Snapshot> {
    let kubeconfig = control_plane.service_account("trainshift-system", "trainshift")?;
    let connection = Connection {
        kubeconfig: Some(kubeconfig),
        context: None,
    };
    // Another test may have been the first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(async {
        let client = discovery::connect(&connection).await?;
        discovery::read(&client).await
    })?)
}
