"""What stands in ``docker/`` fits together, and speaks of series and options that there are."""

import ast
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
METRICS = ROOT / "pipeline" / "execution" / "ray" / "metrics.py"
RAYS_OWN = {"ray_node_gpus_utilization"}
"""Series of Ray itself that are shown."""
STUB = """#!/bin/bash
echo "$(basename "$0") $*" >> "$CALLS"
case "$(basename "$0") $*" in
    "scontrol show"*) printf 'n1\\nn2\\nn3\\n' ;;
    "srun "*" ray start "*) exec sleep 60 ;;
    "srun "*" python -m pipeline "*)
        until [ "$(grep -c 'ray start' "$CALLS")" = 2 ]; do sleep 0.05; done
        exit "${RUN_ENDS_WITH:-0}" ;;
esac
"""


def loaded(name: str) -> Any:
    """Return a YAML file of the folder."""
    return yaml.safe_load((DOCKER / name).read_text())


def exported_series() -> set[str]:
    """Return the names under which Ray's endpoint has the series of a run."""
    calls = [node for node in ast.walk(ast.parse(METRICS.read_text())) if isinstance(node, ast.Call)]
    kinds = [
        call for call in calls if isinstance(call.func, ast.Name) and call.func.id in {"Counter", "Gauge"}
    ]
    ends = {"Counter": "_total", "Gauge": ""}
    return {f"ray_{ast.literal_eval(call.args[0])}{ends[ast.unparse(call.func)]}" for call in kinds}


def test_the_job_brings_up_the_cluster_that_the_other_file_has() -> None:
    """A pod, a group or a limit is changed in both files or in none."""
    cluster, job = loaded("kubernetes/raycluster.yaml"), loaded("kubernetes/rayjob.yaml")

    assert cluster["spec"] == job["spec"]["rayClusterSpec"]
    assert job["spec"]["entrypoint"].split()[:4] == ["python", "-m", "pipeline", "run"]
    for group in (cluster["spec"]["headGroupSpec"], *cluster["spec"]["workerGroupSpecs"]):
        (container,) = group["template"]["spec"]["containers"]
        assert container["image"] in {"unanimous", "unanimous:gpu"}
        assert group["rayStartParams"]["metrics-export-port"] == "8080"


def test_the_dashboard_asks_for_series_that_a_run_exports() -> None:
    """A series that is renamed takes its panel along, and none is forgotten."""
    dashboard = json.loads((DOCKER / "monitoring" / "dashboards" / "unanimous.json").read_text())

    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"ray_\w+", target["expr"])
    }

    assert asked == exported_series() | RAYS_OWN


def test_every_node_is_scraped() -> None:
    """Prometheus finds the services that start Ray by their names, at the port that they are told."""
    services = loaded("compose.yaml")["services"]
    (scraped,) = loaded("monitoring/prometheus.yml")["scrape_configs"][0]["dns_sd_configs"]
    nodes = {name for name, service in services.items() if service.get("entrypoint") == ["ray"]}

    assert set(scraped["names"]) == nodes
    for name in nodes:
        assert f"--metrics-export-port={scraped['port']}" in services[name]["command"]


def test_a_job_of_slurm_brings_up_ray_and_then_runs(tmp_path: Path) -> None:
    """With stand-ins for Slurm's commands: head, then workers, then the run, whose exit code is the job's."""
    for name in ("srun", "scontrol", "openssl"):
        (tmp_path / name).write_text(STUB)
        (tmp_path / name).chmod(0o755)
    told = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "CALLS": str(tmp_path / "calls"),
        "CONFIG": "demo",
        "WORKSPACE": "s3://bucket/run",
        "SLURM_JOB_ID": "7",
        "SLURM_JOB_NODELIST": "n[1-3]",
        "SLURM_JOB_NUM_NODES": "3",
        "SLURM_CPUS_PER_TASK": "16",
        "RUN_ENDS_WITH": "3",
    }

    script = DOCKER / "slurm" / "unanimous.sbatch"
    done = subprocess.run(
        ["bash", script, "--set", "a=1"], env=told, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 3, done.stderr
    calls = (tmp_path / "calls").read_text()
    workers = "srun --overlap --nodes=2 --ntasks=2 --exclude=n1 ray start --block --num-cpus=16"
    assert "--nodelist=n1 ray start --block --num-cpus=16 --object-store-memory=268435456 --head" in calls
    assert workers in calls
    assert "--nodelist=n1 python -m pipeline run demo --workspace s3://bucket/run --set a=1" in calls
    assert not list(tmp_path.glob(".unanimous-ray-*")), "the token goes with the job"
