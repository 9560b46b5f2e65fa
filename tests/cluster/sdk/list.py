"""Prints what the v2 SDK lists in a namespace, as JSON: what a user of TrainerClient sees there."""

import json
import sys

from kubeflow.common.types import KubernetesBackendConfig
from kubeflow.trainer import TrainerClient


def main() -> None:
    client = TrainerClient(backend_config=KubernetesBackendConfig(namespace=sys.argv[1]))
    runtimes = [
        {"name": runtime.name, "trainer": runtime.trainer.framework, "nodes": runtime.trainer.num_nodes}
        for runtime in client.list_runtimes()
    ]
    jobs = [
        {
            "name": job.name,
            "runtime": job.runtime.name,
            "nodes": job.num_nodes,
            "status": job.status,
            "steps": [{"name": step.name, "status": step.status} for step in job.steps],
        }
        for job in client.list_jobs()
    ]
    json.dump({"runtimes": runtimes, "jobs": jobs}, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
