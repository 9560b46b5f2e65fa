//! What the converter puts out, given to the real API server, Trainer, JobSet and SDK.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::control_plane::kubectl::output;
use crate::control_plane::ports;
use crate::control_plane::programs::{TRAINING_OPERATOR, root, sources};
use crate::control_plane::trainshift::program;
use crate::jobs::{always_pulled, mnist, pods, variable};
use crate::sdk;

crate::facts![
    a_cluster_is_asked_what_it_has,
    every_example_of_v1_is_admitted_in_both_styles,
    strings_come_back_as_strings,
    comments_change_nothing_for_kubectl,
    two_roles_have_v1s_ranks,
    the_longest_names_that_convert_have_pods,
    the_sdk_lists_beside_every_kind_of_runtime,
];

/// Style exact takes the shipped runtime only where the cluster has it, and says by its exit code when nobody answers.
fn a_cluster_is_asked_what_it_has(control_plane: &ControlPlane) -> Result<()> {
    let kubeconfig = control_plane.admin().kubeconfig();
    let flag = format!("--kubeconfig={}", kubeconfig.display());
    let job = mnist("mnist", "default", 1);
    let found = convert(&job, &[&flag])?;
    ensure!(found.contains("name: trainshift-pytorch"), "{found}");

    let port = ports::free()?;
    let unreachable = kubeconfig.with_file_name("unreachable");
    let mut file: Value = serde_saphyr::from_str(&fs::read_to_string(kubeconfig)?)?;
    file["clusters"][0]["cluster"]["server"] = json!(format!("https://127.0.0.1:{port}"));
    fs::write(&unreachable, file.to_string())?;
    let mut command = Command::new(program()?);
    command.args([
        "convert",
        &format!("--kubeconfig={}", unreachable.display()),
        "-",
    ]);
    let answer = output(command, Some(&job.to_string()))?;
    ensure!(answer.status == 3 && answer.stdout.is_empty(), "{answer:?}");
    ensure!(
        answer.stderr.contains("the cluster can't be asked"),
        "{answer:?}"
    );
    Ok(())
}

/// kubectl reads the same objects from YAML with comments as from JSON, which has none.
fn comments_change_nothing_for_kubectl(control_plane: &ControlPlane) -> Result<()> {
    let cases = fs::read_dir(root().join("tests/fixtures/convert/pass"))?;
    let mut files = cases
        .map(|case| Ok(case?.path().join("pytorchjob.yaml")))
        .collect::<Result<Vec<_>>>()?;
    files.sort();
    let read = |format: &str| -> Result<(String, Vec<Value>)> {
        let mut command = Command::new(program()?);
        command.args(["convert", "--output", format]).args(&files);
        let converted = output(command, None)?.stdout;
        let flags = ["--dry-run=client", "--validate=false", "--output=json"];
        let create = [&["create", "--filename=-"], &flags[..]].concat();
        let printed = control_plane.admin().succeed(&create, Some(&converted))?;
        let objects = serde_json::Deserializer::from_str(&printed).into_iter();
        Ok((converted, objects.collect::<Result<_, _>>()?))
    };
    let ((yaml, commented), (_, plain)) = (read("yaml")?, read("json")?);
    ensure!(yaml.matches(" # v1: ").count() > 100, "there are comments");
    ensure!(commented == plain && plain.len() > 100, "{yaml}");
    Ok(())
}

/// `trainshift convert` of one object: the objects that it puts out, runtime first.
fn convert(job: &Value, flags: &[&str]) -> Result<String> {
    let mut command = Command::new(program()?);
    command.arg("convert").args(flags).arg("-");
    let converted = output(command, Some(&job.to_string()))?;
    ensure!(converted.status == 0, "{converted:?}");
    Ok(converted.stdout)
}

/// Converts a job and creates what comes out.
fn create_converted(control_plane: &ControlPlane, job: &Value, flags: &[&str]) -> Result<()> {
    let objects = convert(job, flags)?;
    control_plane
        .admin()
        .succeed(&["create", "--filename=-"], Some(&objects))?;
    Ok(())
}

fn every_example_of_v1_is_admitted_in_both_styles(control_plane: &ControlPlane) -> Result<()> {
    let examples = sources(TRAINING_OPERATOR, "github.com/kubeflow/training-operator")?
        .join("examples/pytorch");
    let mut files = Vec::new();
    let mut directories = vec![examples];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                directories.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "yaml")
                && fs::read_to_string(&path)?.contains("PyTorchJob")
            {
                files.push(path);
            }
        }
    }
    ensure!(
        files.len() == 9,
        "training-operator has 9 examples of PyTorchJobs: {files:#?}"
    );
    for style in ["exact", "idiomatic"] {
        let namespace = control_plane.namespace("none")?;
        for file in &files {
            let mut job: Value = serde_saphyr::from_str(&fs::read_to_string(file)?)?;
            job["metadata"]["namespace"] = json!(namespace);
            let objects = convert(&job, &["--style", style, "--output=json"])?;
            admit(control_plane, &objects)
                .with_context(|| format!("{} in style {style}", file.display()))?;
        }
    }
    Ok(())
}

/// A runtime is created, because a dry run of the TrainJob needs it; the TrainJob is asked about only.
fn admit(control_plane: &ControlPlane, objects: &str) -> Result<()> {
    let object: Value = serde_json::from_str(objects)?;
    let items = object["items"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![object]);
    for item in items {
        let dry: &[&str] = if item["kind"] == "TrainJob" {
            &["--dry-run=server"]
        } else {
            &[]
        };
        let flags = [&["create", "--validate=strict", "--filename=-"], dry].concat();
        control_plane
            .admin()
            .succeed(&flags, Some(&item.to_string()))?;
    }
    Ok(())
}

/// Every string that a careless writer of YAML turns into something else, as environment and as arguments, in a TrainJob
/// and in a runtime.
fn strings_come_back_as_strings(control_plane: &ControlPlane) -> Result<()> {
    let strings: Vec<String> = serde_json::from_str(include_str!("../fixtures/strings.json"))?;
    ensure!(strings.len() > 200, "the fixture has its strings");
    // Trainer can't read these characters, which the converter knows: TS048.
    let (unreadable, strings): (Vec<_>, Vec<_>) = strings
        .into_iter()
        .partition(|text| text.contains(['\u{7f}', '\u{85}', '\u{9f}', '\u{feff}']));
    let namespace = control_plane.namespace("none")?;
    // A TrainJob has room for 128 arguments, and for 128 variables with those of the launch.
    for (index, strings) in strings.chunks(100).enumerate() {
        for (form, flags) in [("short", &[][..]), ("long", &["--layout=roles"][..])] {
            let name = format!("{form}-{index}");
            come_back(control_plane, &namespace, &name, strings, flags)?;
        }
    }
    for (text, layout) in unreadable.iter().zip(["--layout=one", "--layout=roles"]) {
        let job = saying("refused", &namespace, std::slice::from_ref(text)).to_string();
        let mut command = Command::new(program()?);
        command.args(["convert", layout, "-"]);
        let refused = output(command, Some(&job))?;
        ensure!(
            refused.status == 1 && refused.stderr.contains("TS048"),
            "{refused:?}"
        );
    }
    Ok(())
}

/// A job that says `strings` to its processes.
fn saying(name: &str, namespace: &str, strings: &[String]) -> Value {
    let variable = |(index, text)| json!({ "name": format!("S{index}"), "value": text });
    let env: Vec<Value> = strings.iter().enumerate().map(variable).collect();
    let mut job = mnist(name, namespace, 1);
    for role in ["Master", "Worker"] {
        let container =
            &mut job["spec"]["pytorchReplicaSpecs"][role]["template"]["spec"]["containers"][0];
        container["env"] = json!(env);
        container["args"] = json!(strings);
    }
    job
}

fn come_back(
    control_plane: &ControlPlane,
    namespace: &str,
    name: &str,
    strings: &[String],
    flags: &[&str],
) -> Result<()> {
    create_converted(control_plane, &saying(name, namespace, strings), flags)?;
    let pod = &pods(control_plane, namespace, name, 2)?[0];
    let args = pod["spec"]["containers"][0]["args"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    ensure!(args.len() == strings.len(), "{args:#?}");
    for (index, text) in strings.iter().enumerate() {
        ensure!(
            args[index] == *text,
            "argument {text:?} came back as {:?}",
            args[index]
        );
        // An empty value isn't written at all by Kubernetes.
        let value = variable(pod, &format!("S{index}")).unwrap_or_default();
        ensure!(value == *text, "variable {text:?} came back as {value:?}");
    }
    Ok(())
}

fn two_roles_have_v1s_ranks(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("none")?;
    let mut job = mnist("mnist", &namespace, 3);
    let worker =
        &mut job["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]["containers"][0];
    worker["image"] = json!("example.com/worker:1.0");
    create_converted(control_plane, &job, &[])?;
    let pods = pods(control_plane, &namespace, "mnist", 4)?;
    for (rank, pod) in pods.iter().enumerate() {
        let (image, hostname) = match rank {
            0 => ("example.com/mnist:1.0", "mnist-node-0-0".to_owned()),
            rank => (
                "example.com/worker:1.0",
                format!("mnist-worker-{}-0", rank - 1),
            ),
        };
        ensure!(variable(pod, "RANK") == Some(rank.to_string()), "{pod:#}");
        ensure!(
            variable(pod, "MASTER_ADDR").as_deref() == Some("mnist-node-0-0.mnist"),
            "{pod:#}"
        );
        ensure!(
            variable(pod, "WORLD_SIZE").as_deref() == Some("4"),
            "{pod:#}"
        );
        ensure!(pod["spec"]["containers"][0]["image"] == image, "{pod:#}");
        ensure!(pod["spec"]["hostname"] == hostname, "{pod:#}");
    }
    Ok(())
}

/// A name that is admitted as a TrainJob and fails at JobSet, where nobody looks, is what the converter must prevent.
fn the_longest_names_that_convert_have_pods(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("none")?;
    for (length, flags) in [
        (48, &[][..]),
        (51, &[][..]),
        (46, &["--layout=roles"][..]),
        (51, &["--layout=roles"][..]),
    ] {
        let prefix = if flags.is_empty() { "one" } else { "two" };
        let name = format!("{prefix}{}", "x".repeat(length - prefix.len()));
        create_converted(control_plane, &mnist(&name, &namespace, 1), flags)?;
        let pods = pods(control_plane, &namespace, &name, 2)?;
        let host = variable(&pods[1], "MASTER_ADDR").context("MASTER_ADDR")?;
        let (hostname, subdomain) = host.split_once('.').context("a host and its domain")?;
        ensure!(
            pods[0]["spec"]["hostname"] == hostname,
            "{host}: {:#}",
            pods[0]
        );
        ensure!(
            pods[0]["spec"]["subdomain"] == subdomain,
            "{host}: {:#}",
            pods[0]
        );
    }
    let mut command = Command::new(program()?);
    command.args(["convert", "-"]);
    let refused = output(
        command,
        Some(&mnist(&"x".repeat(52), &namespace, 1).to_string()),
    )?;
    ensure!(
        refused.status == 1 && refused.stdout.is_empty() && refused.stderr.contains("TS042"),
        "{refused:?}"
    );
    Ok(())
}

/// The job with limits and a pull policy, so that it takes a runtime of its own.
fn limited(name: &str, namespace: &str, limits: &Value) -> Value {
    let mut job = always_pulled(name, namespace);
    for role in ["Master", "Worker"] {
        let container =
            &mut job["spec"]["pytorchReplicaSpecs"][role]["template"]["spec"]["containers"][0];
        container["resources"] = json!({ "limits": limits });
    }
    job
}

/// One runtime that the SDK can't read makes it fail for the whole namespace.
fn the_sdk_lists_beside_every_kind_of_runtime(control_plane: &ControlPlane) -> Result<()> {
    let namespace = control_plane.namespace("none")?;
    let long = "n".repeat(50);
    // Pods with limits but without a device that the SDK knows would make it fail, whoever wrote the TrainJob (TS037);
    // the runtime doesn't, because the limits stand in the TrainJob.
    let mut memory = limited("memory", &namespace, &json!({ "memory": "8Gi" }));
    memory["spec"]["runPolicy"] = json!({ "suspend": true });
    for (job, flags, nodes) in [
        (mnist("shipped", &namespace, 1), &[][..], 2),
        (always_pulled("generated", &namespace), &[][..], 2),
        (mnist("roles", &namespace, 2), &["--layout=roles"][..], 3),
        (mnist("stock", &namespace, 1), &["--style=idiomatic"][..], 2),
        (mnist(&long, &namespace, 1), &[][..], 2),
        (
            limited("gpus", &namespace, &json!({ "nvidia.com/gpu": 8 })),
            &[][..],
            2,
        ),
        (
            limited("cpus", &namespace, &json!({ "cpu": "4", "memory": "8Gi" })),
            &[][..],
            2,
        ),
        (
            limited("slices", &namespace, &json!({ "nvidia.com/mig-1g.5gb": 1 })),
            &[][..],
            2,
        ),
        (memory, &[][..], 0),
    ] {
        create_converted(control_plane, &job, flags)?;
        pods(
            control_plane,
            &namespace,
            job["metadata"]["name"].as_str().unwrap_or_default(),
            nodes,
        )?;
    }

    let seen = sdk::list(control_plane, &namespace)?;
    let names = |what: &str| -> Vec<&str> {
        let listed = seen[what].as_array().into_iter().flatten();
        let mut names: Vec<_> = listed.filter_map(|item| item["name"].as_str()).collect();
        names.sort_unstable();
        names
    };
    let jobs = [
        "cpus",
        "generated",
        "gpus",
        "memory",
        &long,
        "roles",
        "shipped",
        "slices",
        "stock",
    ];
    ensure!(names("jobs") == jobs, "{seen:#}");
    let own = [
        "generated",
        "roles",
        &long,
        "gpus",
        "cpus",
        "slices",
        "memory",
    ];
    for runtime in own
        .iter()
        .chain(&["trainshift-pytorch", "torch-distributed"])
    {
        ensure!(
            names("runtimes").contains(runtime),
            "{runtime} is not listed: {seen:#}"
        );
    }
    let listed = seen["jobs"].as_array().into_iter().flatten();
    let nodes = |job: &&Value| (job["name"] == "shipped").then(|| job["nodes"].clone());
    ensure!(
        listed.clone().find_map(|job| nodes(&job)) == Some(json!(2)),
        "{seen:#}"
    );
    Ok(())
}
