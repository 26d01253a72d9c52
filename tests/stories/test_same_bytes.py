"""The same inputs give the same bytes, whoever does the work and in which order."""

from pathlib import Path

import pytest

from pipeline.config.resolve import resolve
from pipeline.execution.local import LocalExecutor
from pipeline.execution.worker import Worker
from pipeline.operations.run import RunResult, execute
from pipeline.store.files import StoredFile
from pipeline.store.memory_files import MemoryFiles
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
        lambda *_: LocalExecutor(Worker(workspace, arrange=lambda records: records[::-1])),
    )

    assert tiny.files_of(workspace.root) == expected


def test_another_kind_of_storage_gives_the_same_bytes(
    config: Path, tmp_path: Path, expected: dict[str, str]
) -> None:
    """Tables in memory are those on disk, and so are the dataset and what a second run finds done."""
    files = MemoryFiles()
    workspace = Workspace(tmp_path / "beside", files)

    first, second = (execute_here(config, workspace) for _ in range(2))

    for name in files.list("tables"):
        copy = tmp_path / "beside" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(StoredFile(files, name).read())
    assert tiny.files_of(workspace.root) == expected
    assert (first.computed, second.computed) == (tiny.TICKETS, 0)
    assert {"report.html", "audit.json", "tables.json"} <= set(files.list())


def execute_here(config: Path, workspace: Workspace) -> RunResult:
    """Run a config in a workspace, wherever that is."""
    return execute(resolve(config), workspace, lambda *_: LocalExecutor(Worker(workspace)))


@pytest.mark.ray
@pytest.mark.parametrize("workers", [1, 2])
def test_ray_gives_the_same_bytes(
    workers: int, config: Path, tmp_path: Path, expected: dict[str, str]
) -> None:
    """Actors and their number are nothing that a table depends on."""
    tiny.run(config, tmp_path / "ray", "--executor", "ray", "--workers", str(workers))

    assert tiny.files_of(tmp_path / "ray") == expected
