//! trainshift is down: failurePolicy decides, and says so.

use anyhow::{Result, ensure};

use crate::control_plane::ControlPlane;
use crate::control_plane::trainshift::Trainshift;
use crate::jobs::{create, mnist, wait_until_judged};
use crate::report;

crate::facts![ignore_admits_and_fail_refuses_while_trainshift_is_down];

fn ignore_admits_and_fail_refuses_while_trainshift_is_down(
    control_plane: &ControlPlane,
) -> Result<()> {
    for policy in ["ignore", "fail"] {
        let label = format!("down-{policy}");
        let mut instance = Trainshift::start(control_plane, &label, "deny")?;
        instance.register(control_plane, policy)?;
        let namespace = control_plane.namespace(&label)?;
        let send = |name: &str| create(control_plane.admin(), &mnist(name, &namespace, 1), &[]);
        wait_until_judged(control_plane, &namespace)?;
        let up = send("up")?;
        ensure!(
            up.status == 1 && up.stderr.contains("PyTorchJob is refused"),
            "{up:?}"
        );

        ensure!(instance.stop()? == Some(0), "it did not end in order");
        let down = send("down")?;
        if policy == "ignore" {
            ensure!(down.status == 0, "{down:?}");
        } else {
            ensure!(
                down.status == 1 && down.stderr.contains("mutate.trainshift.dev"),
                "{down:?}"
            );
            ensure!(down.stderr.contains("connection refused"), "{down:?}");
        }

        // Whoever reads the audit log sees it as well.
        let seen = report::of_namespace(control_plane, &namespace)?;
        let count = if policy == "ignore" {
            "failedOpen"
        } else {
            "failedClosed"
        };
        ensure!(
            seen[0]["refused"] == 1 && seen[0][count] == 1,
            "{policy}: {seen:#?}"
        );

        instance.restart()?;
        let again = send("again")?;
        ensure!(
            again.status == 1 && again.stderr.contains("PyTorchJob is refused"),
            "{again:?}"
        );
    }
    Ok(())
}
