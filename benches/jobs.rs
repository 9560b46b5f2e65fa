//! `cargo bench --bench jobs`: writes 10,000 jobs of real size (60 to 100 lines) into a directory and measures how
//! long the release binary takes to convert them. `cargo bench --bench jobs -- --write DIR [COUNT]` only writes them.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

const JOBS: usize = 10_000;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    if let [flag, directory, rest @ ..] = args.as_slice()
        && flag == "--write"
    {
        let count = rest.first().map_or(Ok(JOBS), |count| count.parse())?;
        return write(Path::new(directory), count);
    }
    let root = tempfile::tempdir()?;
    write(root.path(), JOBS)?;
    for flags in [
        ["--report", "none"],
        ["--report", "text"],
        ["--report", "json"],
    ] {
        let best = (0..ROUNDS)
            .map(|_| measure(root.path(), flags))
            .collect::<Result<Vec<_>, _>>()?;
        let best = best.into_iter().fold(f64::INFINITY, f64::min);
        let flags = flags.join(" ");
        writeln!(
            stdout(),
            "{JOBS} jobs, {flags}: {best:.2} s (best of {ROUNDS})"
        )?;
    }
    Ok(())
}

fn measure(directory: &Path, flags: [&str; 2]) -> Result<f64, Box<dyn Error>> {
    let begun = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_trainshift"))
        .arg("convert")
        .arg(directory)
        .args(flags)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(format!("trainshift ended with {status}").into());
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// Writes jobs, a file each, a hundred in a directory: every third elastic, every fifth with a Master unlike its Workers.
fn write(root: &Path, count: usize) -> Result<(), Box<dyn Error>> {
    for index in 0..count {
        let directory = root.join(format!("team-{:03}", index / 100));
        std::fs::create_dir_all(&directory)?;
        std::fs::write(directory.join(format!("job-{index:05}.yaml")), job(index))?;
    }
    Ok(())
}

fn job(index: usize) -> String {
    let mut text = format!(
        "apiVersion: kubeflow.org/v1\nkind: PyTorchJob\nmetadata:\n  name: train-{index}\n  namespace: team-{}\n  \
         labels:\n    app: trainer\n    team: research\n  annotations:\n    owner: somebody@example.com\nspec:\n  \
         runPolicy:\n    cleanPodPolicy: None\n    backoffLimit: 3\n    activeDeadlineSeconds: 86400\n",
        index / 100
    );
    if index.is_multiple_of(3) {
        text.push_str("  nprocPerNode: \"8\"\n  elasticPolicy:\n    rdzvBackend: c10d\n    minReplicas: 2\n    maxReplicas: 4\n    maxRestarts: 10\n");
    }
    text.push_str("  pytorchReplicaSpecs:\n");
    if !index.is_multiple_of(3) {
        text.push_str(&replica(
            "Master",
            1,
            if index.is_multiple_of(5) { 8 } else { 32 },
        ));
    }
    text.push_str(&replica("Worker", 2, 32));
    text
}

fn replica(role: &str, replicas: usize, cpu: usize) -> String {
    let mut text = format!(
        "    {role}:\n      replicas: {replicas}\n      restartPolicy: OnFailure\n      template:\n"
    );
    let template = [
        "metadata:",
        "  annotations:",
        "    sidecar.istio.io/inject: \"false\"",
        "spec:",
        "  serviceAccountName: trainer",
        "  nodeSelector:",
        "    node.kubernetes.io/instance-type: p4d.24xlarge",
        "  tolerations:",
        "  - key: nvidia.com/gpu",
        "    operator: Exists",
        "    effect: NoSchedule",
        "  containers:",
        "  - name: pytorch",
        "    image: registry.example.com/team/train:1.2.3",
        "    command: [torchrun, /workspace/train.py]",
        "    args: [--lr, \"1e-4\", --epochs, \"10\", --data, /data, --resume]",
        "    env:",
        "    - name: NCCL_DEBUG",
        "      value: INFO",
        "    - name: WANDB_API_KEY",
        "      valueFrom:",
        "        secretKeyRef: {name: wandb, key: token}",
        "    - name: OMP_NUM_THREADS",
        "      value: \"8\"",
        "    resources:",
        "      limits:",
        "        nvidia.com/gpu: 8",
        "        memory: 512Gi",
        "        cpu: CPU",
        "    volumeMounts:",
        "    - name: data",
        "      mountPath: /data",
        "    - name: shm",
        "      mountPath: /dev/shm",
        "  volumes:",
        "  - name: data",
        "    persistentVolumeClaim: {claimName: imagenet}",
        "  - name: shm",
        "    emptyDir: {medium: Memory, sizeLimit: 64Gi}",
    ];
    for line in template {
        let _ = writeln!(text, "        {}", line.replace("CPU", &cpu.to_string()));
    }
    text
}
