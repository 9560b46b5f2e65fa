//! Deny: what the user reads, and that it works when it is pasted back.

use anyhow::{Context, Result, ensure};
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::control_plane::audit::events;
use crate::jobs::{
    all_but_the_first_line, always_pulled, create, editor, exists, mnist, pods, variable,
};

crate::facts![
    a_denial_is_pasted_back_by_an_editor_and_trains_on_all_nodes,
    an_administrator_gets_the_runtime_as_well,
    an_editor_gets_what_an_editor_may_create,
    a_generated_name_is_pasted_back,
    machines_read_causes,
    a_service_account_gets_a_summary,
    the_api_servers_own_refusal_comes_through,
    v1s_own_refusal_comes_through,
    a_job_that_cannot_be_converted_is_told_why,
];

fn a_denial_is_pasted_back_by_an_editor_and_trains_on_all_nodes(
    control_plane: &ControlPlane,
) -> Result<()> {
    let namespace = control_plane.namespace("deny")?;
    let editor = editor(control_plane, &namespace)?;
    let answer = create(&editor, &mnist("mnist", &namespace, 3), &[])?;
    let first = answer.stderr.lines().next().unwrap_or_default();
    ensure!(
        first.starts_with("Error from server (Forbidden): error when creating"),
        "{answer:?}"
    );
    let denied = format!(
        "admission webhook \"mutate.trainshift.dev\" denied the request: PyTorchJob is refused in namespace {namespace}"
    );
    ensure!(first.contains(&denied), "{answer:?}");
    ensure!(
        !exists(control_plane, "pytorchjob", &namespace, "mnist")?,
        "the job was stored"
    );

    editor.succeed(
        &["apply", "--filename=-"],
        Some(&all_but_the_first_line(&answer)?),
    )?;
    let pods = pods(control_plane, &namespace, "mnist", 4)?;
    for (rank, pod) in pods.iter().enumerate() {
        for (name, value) in [
            ("RANK", rank.to_string()),
            ("WORLD_SIZE", "4".to_owned()),
            ("MASTER_ADDR", "mnist-node-0-0.mnist".to_owned()),
            ("MASTER_PORT", "23456".to_owned()),
            ("PYTHONUNBUFFERED", "1".to_owned()),
            ("PET_NNODES", "4".to_owned()),
        ] {
            ensure!(
                variable(pod, name).as_deref() == Some(&value),
                "{name} of pod {rank}: {pod:#}"
            );
        }
        ensure!(pod["spec"]["subdomain"] == "mnist", "{pod:#}");
        ensure!(
            pod["spec"]["hostname"] == format!("mnist-node-0-{rank}"),
            "{pod:#}"
        );
        ensure!(pod["spec"]["restartPolicy"] == "OnFailure", "{pod:#}");
    }
    let job =
        control_plane
            .admin()
            .json(&["get", "job", "mnist-node-0", "--namespace", &namespace])?;
    ensure!(job["spec"]["backoffLimit"] == i32::MAX, "{job:#}");
    Ok(())
}

fn an_administrator_gets_the_runtime_as_well(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("deny")?;
    let answer = create(
        control_plane.admin(),
        &always_pulled("mnist", &namespace),
        &[],
    )?;
    let yaml = all_but_the_first_line(&answer)?;
    ensure!(yaml.contains("\nkind: TrainingRuntime\n"), "{yaml}");
    control_plane
        .admin()
        .succeed(&["apply", "--filename=-"], Some(&yaml))?;
    for pod in pods(control_plane, &namespace, "mnist", 2)? {
        ensure!(
            pod["spec"]["containers"][0]["imagePullPolicy"] == "Always",
            "{pod:#}"
        );
    }
    Ok(())
}

fn an_editor_gets_what_an_editor_may_create(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("deny")?;
    let editor = editor(control_plane, &namespace)?;
    let answer = create(&editor, &always_pulled("mnist", &namespace), &[])?;
    let yaml = all_but_the_first_line(&answer)?;
    ensure!(!yaml.contains("kind: TrainingRuntime\n"), "{yaml}");
    ensure!(yaml.contains("imagePullPolicy: Always -> lost"), "{yaml}");
    ensure!(
        yaml.contains("ask whoever administers the namespace"),
        "{yaml}"
    );
    editor.succeed(&["apply", "--filename=-"], Some(&yaml))?;
    pods(control_plane, &namespace, "mnist", 2)?;
    Ok(())
}

fn a_generated_name_is_pasted_back(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("deny")?;
    let editor = editor(control_plane, &namespace)?;
    let mut job = mnist("", &namespace, 1);
    job["metadata"] = json!({ "generateName": "sweep-", "namespace": namespace });
    let yaml = all_but_the_first_line(&create(&editor, &job, &[])?)?;
    let created = editor.succeed(&["create", "--output=name", "--filename=-"], Some(&yaml))?;
    let name = created
        .trim()
        .rsplit('/')
        .next()
        .context("a name")?
        .to_owned();
    for (rank, pod) in pods(control_plane, &namespace, &name, 2)?
        .iter()
        .enumerate()
    {
        ensure!(variable(pod, "RANK") == Some(rank.to_string()), "{pod:#}");
        // The kubelet puts JOBSET_NAME, which comes before it in the list, in its place.
        ensure!(
            variable(pod, "MASTER_ADDR").as_deref()
                == Some("$(JOBSET_NAME)-node-0-0.$(JOBSET_NAME)"),
            "{pod:#}"
        );
        ensure!(
            variable(pod, "JOBSET_NAME").as_deref() == Some(&name),
            "{pod:#}"
        );
    }
    Ok(())
}

fn machines_read_causes(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("deny")?;
    let status = refused_over_the_api(control_plane, &mnist("mnist", &namespace, 1), &namespace)?;
    let causes = status["details"]["causes"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    ensure!(
        status["reason"] == "Forbidden" && status["code"] == 403,
        "{status:#}"
    );
    ensure!(status["details"]["kind"] == "PyTorchJob", "{status:#}");
    let address = |cause: &Value| cause["reason"] == "TS003" && cause["field"] == "MASTER_ADDR";
    ensure!(causes.iter().any(address), "{status:#}");
    let events = events(control_plane, "create", &namespace, "mnist")?;
    let recorded = events
        .iter()
        .any(|event| event["annotations"]["mutate.trainshift.dev/mode"] == "Deny");
    ensure!(recorded, "the audit log doesn't know the mode: {events:#?}");
    Ok(())
}

/// Creates a job as any client of the API would, and returns the refusal's Status.
fn refused_over_the_api(
    control_plane: &ControlPlane,
    job: &Value,
    namespace: &str,
) -> Result<Value> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answer = runtime.block_on(async {
        let file = Kubeconfig::read_from(control_plane.admin().kubeconfig())?;
        let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
        let kind =
            ApiResource::from_gvk(&GroupVersionKind::gvk("kubeflow.org", "v1", "PyTorchJob"));
        let jobs: Api<DynamicObject> =
            Api::namespaced_with(Client::try_from(config)?, namespace, &kind);
        let object = serde_json::from_value(job.clone())?;
        anyhow::Ok(jobs.create(&PostParams::default(), &object).await)
    })?;
    match answer {
        Err(kube::Error::Api(status)) => Ok(serde_json::to_value(status)?),
        other => anyhow::bail!("the job was not refused: {other:?}"),
    }
}

fn a_service_account_gets_a_summary(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("deny")?;
    let mut command = vec!["--as=system:serviceaccount:kubeflow:katib-controller"];
    command.extend([
        "--as-group=system:masters",
        "--as-group=system:serviceaccounts",
    ]);
    let answer = create(
        control_plane.admin(),
        &mnist("mnist", &namespace, 1),
        &command,
    )?;
    ensure!(
        answer.status == 1 && !answer.stderr.contains("kind: TrainJob"),
        "{answer:?}"
    );
    ensure!(
        answer.stderr.contains("trainshift convert FILE"),
        "{answer:?}"
    );
    Ok(())
}

fn the_api_servers_own_refusal_comes_through(control_plane: &ControlPlane) -> Result<()> {
    for mode in ["audit", "warn", "deny"] {
        let namespace = control_plane.namespace(mode)?;
        // The webhook is asked before the CRD's schema is, and answers in the same words whatever the mode.
        let mut job = mnist("mnist", &namespace, 1);
        job["spec"]["pytorchReplicaSpecs"]["Worker"]["replicas"] = json!("three");
        let answer = create(control_plane.admin(), &job, &["--validate=false"])?;
        ensure!(answer.status == 1, "{mode}: {answer:?}");
        ensure!(
            answer
                .stderr
                .contains("spec.pytorchReplicaSpecs.Worker.replicas"),
            "{mode}: {answer:?}"
        );
    }
    // What only the schema knows: a probe without any of what it could do is the API server's to refuse.
    let namespace = control_plane.namespace("warn")?;
    let mut job = mnist("mnist", &namespace, 1);
    job["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]["containers"][0]["livenessProbe"] =
        json!({ "grpc": {} });
    let answer = create(control_plane.admin(), &job, &["--validate=false"])?;
    ensure!(
        answer.status == 1
            && answer
                .stderr
                .contains("livenessProbe.grpc.port: Required value"),
        "{answer:?}"
    );
    Ok(())
}

fn v1s_own_refusal_comes_through(control_plane: &ControlPlane) -> Result<()> {
    let two_masters = |namespace: &str| {
        let mut job = mnist("mnist", namespace, 1);
        job["spec"]["pytorchReplicaSpecs"]["Master"]["replicas"] = json!(2);
        job
    };
    for mode in ["audit", "warn"] {
        let namespace = control_plane.namespace(mode)?;
        let answer = create(control_plane.admin(), &two_masters(&namespace), &[])?;
        ensure!(
            answer
                .stderr
                .contains("validator.pytorchjob.training-operator.kubeflow.org"),
            "{mode}: {answer:?}"
        );
        ensure!(answer.stderr.contains("must be 1"), "{mode}: {answer:?}");
    }
    // And what both admit is created, with both webhooks in the way.
    let namespace = control_plane.namespace("warn")?;
    let answer = create(control_plane.admin(), &mnist("mnist", &namespace, 1), &[])?;
    ensure!(answer.status == 0, "{answer:?}");
    Ok(())
}

fn a_job_that_cannot_be_converted_is_told_why(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("deny")?;
    let mut job = mnist("mnist", &namespace, 1);
    job["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]["containers"][0]["image"] =
        json!("$IMAGE");
    let answer = create(control_plane.admin(), &job, &[])?;
    ensure!(
        answer.stderr.contains("TS041") && answer.stderr.contains("containers[0].image"),
        "{answer:?}"
    );
    ensure!(!answer.stderr.contains("kind: TrainJob"), "{answer:?}");
    Ok(())
}
