"""The same inputs give the same bytes, whoever does the work and in which order."""

from pathlib import Path

import pytest

from pipeline.config.resolve import resolve
from pipeline.execution.local import LocalExecutor
from pipeline.execution.worker import Worker
from pipeline.operations.run import execute
from pipeline.store.workspace import Workspace
from tests.support import tiny


def test_a_second_local_run_elsewhere_gives_the_same_bytes(
    config: Path, tmp_path: Path, expected: dict[str, str]
) -> None:
    """Neither the folder of the workspace nor that of the speech is in any table."""
    tiny.run(config, tmp_path / "elsewhere", "--executor", "local")

    assert tiny.files_of(tmp_path / "elsewhere") == expected


def test_records_in_another_order_give_the_same_bytes(
    config: Path, tmp_path: Path, expected: dict[str, str]
) -> None:
    """No operator keeps anything from one record to the next."""
    workspace = Workspace(tmp_path / "reversed")

    execute(
        resolve(config),
        workspace,
        lambda *_: LocalExecutor(Worker(workspace.root, arrange=lambda records: records[::-1])),
    )

    assert tiny.files_of(workspace.root) == expected


@pytest.mark.ray
@pytest.mark.parametrize("workers", [1, 2])
def test_ray_gives_the_same_bytes(
    workers: int, config: Path, tmp_path: Path, expected: dict[str, str]
) -> None:
    """Actors and their number are nothing that a table depends on."""
    tiny.run(config, tmp_path / "ray", "--executor", "ray", "--workers", str(workers))

    assert tiny.files_of(tmp_path / "ray") == expected
