"""A run as a job of a cluster that asks for a token: submitted as the README says, watched from outside."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import operators, processes, tiny

pytestmark = pytest.mark.ray
RAY = Path(sys.executable).with_name("ray")
MOST_UPLOADED_BYTES = 40 * 2**20
"""Code, bundled speech, and the weights that ship, which workers need."""
JOB_METADATA = """
from ray._raylet import GcsClient
for job in GcsClient(address="{address}").get_all_job_info().values():
    print(dict(job.config.metadata))
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster on this machine, with a home of its own, where its token lies."""

    home: Path
    port: int
    dashboard_port: int
    metrics_port: int
    agent_port: int

    @property
    def address(self) -> str:
        """Where jobs are handed in."""
        return f"http://127.0.0.1:{self.dashboard_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a user's shell holds: the token's home, and the project's Python first."""
        path = f"{RAY.parent}{os.pathsep}{os.environ['PATH']}"
        own = {"HOME": str(self.home), "PATH": path, "RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}
        return {**tiny.environment(), **own}

    def ray(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Call Ray's command line in the project's folder."""
        return subprocess.run(
            [RAY, *arguments],
            cwd=tiny.ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def submit(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Hand in a job with the project's folder as its working directory, and wait for its end."""
        return self.ray("job", "submit", "--address", self.address, "--working-dir", ".", "--", *command)

    def start_command(self) -> list[str]:
        """Return the command that holds the cluster for as long as it runs."""
        options = {
            "node-ip-address": "127.0.0.1",
            "port": self.port,
            "dashboard-port": self.dashboard_port,
            "metrics-export-port": self.metrics_port,
            "dashboard-agent-listen-port": self.agent_port,
            "num-cpus": 2,
            "object-store-memory": 80 * 2**20,
            "temp-dir": self.home / "ray",
        }
        said = [f"--{name}={value}" for name, value in options.items()]
        return [str(RAY), "start", "--head", "--block", "--disable-usage-stats", *said]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _answers(url: str) -> bool:
    """Whether somebody answers there, if only to ask for a token."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return error.code == 401
    except OSError:
        return False


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Start a cluster, and end exactly its processes afterwards."""
    home = Path(tempfile.mkdtemp(prefix="cluster-"))  # Ray's sockets need short paths
    started = Cluster(home, *_free_ports(4))
    started.ray("get-auth-token", "--generate")
    with (home / "log").open("wb") as log:
        head = subprocess.Popen(started.start_command(), env=started.environment, stdout=log, stderr=log)
    try:
        processes.wait_until(lambda: _answers(f"{started.address}/api/jobs/"), head)
        yield started
    finally:
        processes.kill_all(head)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def job(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> "tuple[Path, subprocess.CompletedProcess[str]]":
    """Return the folder of a run that was handed in with an operator of the user's own, and what it said."""
    folder = tmp_path_factory.mktemp("job")
    tiny.write_speech(folder / "speech", ["a", "b", "c"])
    operators.write_fragile(folder)
    own = {"operators": ["fragile.py"], "restorers": [{"kind": "spectral_gate"}, {"kind": "fragile"}]}
    config = tiny.write_config(folder, tiny.cheap_config(folder / "speech", **own))
    command = ("python", "-m", "pipeline", "run", str(config), "--workspace", str(folder / "workspace"))
    return folder, cluster.submit(*command)


def test_a_job_ends_with_the_bytes_of_a_local_run(
    job: "tuple[Path, subprocess.CompletedProcess[str]]",
) -> None:
    """With an operator of the user's own, on the cluster's actors, from an uploaded copy of the code."""
    folder, done = job
    tiny.run(folder / "tiny.yaml", folder / "local", "--executor", "local")

    assert done.returncode == 0, done.stdout + done.stderr
    assert tiny.files_of(folder / "workspace") == tiny.files_of(folder / "local")


def test_a_job_says_where_it_can_be_watched(
    cluster: Cluster, job: "tuple[Path, subprocess.CompletedProcess[str]]"
) -> None:
    """The dashboard is the cluster's, and asks for the token."""
    _, done = job

    assert f"dashboard: http://127.0.0.1:{cluster.dashboard_port}" in done.stdout
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        urllib.request.urlopen(f"{cluster.address}/api/jobs/", timeout=5)
    refused.value.close()


@pytest.mark.usefixtures("job")
def test_a_job_carries_name_and_config(cluster: Cluster) -> None:
    """The cluster's list of jobs knows the run's name and the hash of its config."""
    script = JOB_METADATA.format(address=f"{_node_address(cluster)}:{cluster.port}")

    said = subprocess.run(
        [sys.executable, "-c", script], env=cluster.environment, capture_output=True, text=True, check=True
    ).stdout

    assert "'run': 'tiny'" in said
    assert "'config_hash': '" in said


def _node_address(cluster: Cluster) -> str:
    return (cluster.home / "ray" / "ray_current_cluster").read_text().partition(":")[0]


@pytest.mark.usefixtures("job")
def test_rows_are_counted_on_the_metrics_endpoint(cluster: Cluster) -> None:
    """Rows by table and status, and speed, as series that a monitor can scrape."""
    deadline = time.monotonic() + 30
    page = ""
    while "ray_unanimous_rows" not in page and time.monotonic() < deadline:
        with urllib.request.urlopen(f"http://127.0.0.1:{cluster.metrics_port}/metrics", timeout=5) as answer:
            page = answer.read().decode()
        time.sleep(0.5)

    rows = [line for line in page.splitlines() if line.startswith("ray_unanimous_rows_total{")]
    ingested = next(line for line in rows if 'table="ingest"' in line)
    assert 'run="tiny"' in ingested
    assert 'status="ok"' in ingested
    assert float(ingested.rpartition(" ")[2]) == 3.0


@pytest.mark.usefixtures("job")
def test_the_upload_is_the_code_alone(cluster: Cluster) -> None:
    """Neither the environment nor earlier runs travel."""
    (uploaded,) = cluster.home.glob("ray/session_latest/runtime_resources/working_dir_files/*/")

    assert not [name for name in (".venv", "runs", ".git") if (uploaded / name).exists()]
    assert sum(path.stat().st_size for path in uploaded.rglob("*")) < MOST_UPLOADED_BYTES


def test_a_relative_workspace_in_a_job_is_refused(cluster: Cluster, config: Path) -> None:
    """The way out is said, and nothing is run."""
    done = cluster.submit("python", "-m", "pipeline", "run", str(config), "--workspace", "runs/lost")

    assert done.returncode != 0
    assert "--workspace /shared/runs/demo" in done.stdout
