"""What workers of a cluster that was there before the run are told by it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
SCRIPT = """
import os

import ray

ray.init(num_cpus=1, include_dashboard=False, logging_level="error", log_to_driver=False)
os.environ["UNANIMOUS_WEIGHTS"] = "/some/weights"
os.environ["UNANIMOUS_ENVIRONMENTS"] = "/some/environments"

from pipeline.execution.ray.cluster import worker_environment


@ray.remote
def places():
    from stages.restorers import RESTORERS
    from stages.weights import cache_directory

    return cache_directory(), RESTORERS["sgmse"]().interpreter


print(*ray.get(places.options(runtime_env=worker_environment()).remote()))
"""


@pytest.mark.ray
def test_workers_look_where_the_driver_looks() -> None:
    """For weights and for models' environments, although the cluster was started without a word of them."""
    ours = ("UNANIMOUS_WEIGHTS", "UNANIMOUS_ENVIRONMENTS", "RAY_ADDRESS")
    environment = {name: value for name, value in os.environ.items() if name not in ours}

    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ran.stdout.split() == ["/some/weights", "/some/environments/sgmse/bin/python"], ran.stderr
