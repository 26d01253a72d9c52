"""The cluster: the one that this process is in, or one on this machine for as long as the run takes."""

import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray.job_config import JobConfig

from pipeline.execution.executor import Job
from pipeline.execution.interrupts import preserve_handlers
from pipeline.store.workspaces import is_ray_job
from schemas import RunError
from stages.restorers.common.worker import ENVIRONMENTS_VARIABLE
from stages.threads import ONE_THREAD
from stages.weights.files import CACHE_VARIABLE

OBJECT_STORE_BYTES = 80 * 2**20
"""Only tickets and counts travel; 80 MB is just above the least that Ray accepts."""
ANSWER_S = 10.0
ROOT = Path(__file__).parents[3]
QUIET = {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_USAGE_STATS_ENABLED": "0"}
"""Ray warns of its own future on every start, and tells its makers of it, unless the environment says so."""


@contextmanager
def connect_cluster(run: Job, workers: int | None, say: Callable[[str], None]) -> Iterator[None]:
    """Connect, say where the dashboard is, and let go in the end.

    Joins the cluster of ``RAY_ADDRESS`` or of the job that this process belongs to; else starts one here.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    job = JobConfig(metadata={"run": run.config.name, "config_hash": run.config_hash})
    quiet: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "configure_logging": True,
    }
    if is_ray_job() or os.environ.get("RAY_ADDRESS"):
        address = os.environ.get("RAY_ADDRESS", "")
        say(f"joining the Ray cluster {f'at {address}' if address else 'of this job'}")
        check_answers(address)
        with preserve_handlers():
            context = ray.init(address="auto", job_config=job, **quiet)
    else:
        say("starting Ray on this machine")
        with preserve_handlers():
            context = ray.init(
                num_cpus=workers or len(os.sched_getaffinity(0)),
                include_dashboard=True,
                dashboard_host="127.0.0.1",
                _node_ip_address="127.0.0.1",  # nobody else is meant to reach a run on one machine
                object_store_memory=OBJECT_STORE_BYTES,
                job_config=job,
                **quiet,
            )
    try:
        say(_dashboard(context.dashboard_url))
        yield
    finally:
        ray.shutdown()


def check_answers(address: str) -> None:
    """Raise ``RunError`` if nobody listens at ``HOST:PORT``, which Ray would try for minutes."""
    host, _, port = address.rpartition(":")
    if "://" in address or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise RunError(
            f"no Ray cluster answers at {address}, which RAY_ADDRESS names: start it there, or unset "
            "RAY_ADDRESS to run on this machine alone"
        ) from error


def _dashboard(url: str | None) -> str:
    if not url:
        return "this cluster has no dashboard"
    return f"dashboard: http://{url}  (asks for a token: `ray get-auth-token` prints it)"


def worker_environment() -> dict[str, dict[str, str]]:
    """Return what a worker's process is started with: one thread, and where code, weights and models are.

    Inside a job the code is the job's working directory, which Ray has put on the path already.
    """
    paths = [] if is_ray_job() else [str(ROOT)]
    given = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([*paths, given] if given else paths)
    places = {name: os.environ.get(name) for name in (CACHE_VARIABLE, ENVIRONMENTS_VARIABLE)}
    found = {"PYTHONPATH": path, **places}
    return {"env_vars": {**ONE_THREAD, **{name: value for name, value in found.items() if value}}}
