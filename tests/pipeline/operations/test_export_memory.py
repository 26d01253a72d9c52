"""Writing a dataset takes no more memory the more shards there are."""

import sys
import tempfile
from pathlib import Path

import pytest

from pipeline.audit.audit import load_or_run_audit
from pipeline.execution.peak_memory import forget_peaks, peak_bytes
from pipeline.operations.export import write_dataset
from pipeline.store.dataset_files import DatasetFiles
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import assemble
from tests.support.made_run import write_run
from tests.support.other_process import printed_by

UTTERANCES = 8
MEGABYTE = 1e6


def peak_mb(folder: Path, shards: int) -> tuple[float, float]:
    """Export a made run, and return the megabytes held at most and those written."""
    settings = {"row_group_megabytes": 4, "shard_megabytes": 40}
    run = write_run(folder, shards=shards, utterances=UTTERANCES, seconds=1.5, export=settings)
    workspace = Workspace(folder / "workspace")
    graph = assemble(run, workspace, keep=False)
    forget_peaks()
    written = write_dataset(
        run,
        graph,
        workspace.store,
        DatasetFiles(folder / "dataset"),
        load_or_run_audit(run, graph, workspace, keep=False),
    )
    num_bytes = sum(files.num_bytes for splits in written.tables.values() for files in splits.values())
    return peak_bytes() / MEGABYTE, num_bytes / MEGABYTE


def _in_a_fresh_process(shards: int) -> tuple[float, float]:
    """Return the same of a process that has held nothing before: allocators keep what they once had."""
    peak, written = map(float, printed_by(__file__, str(shards)).split())
    return peak, written


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks can only be forgotten on Linux")
def test_memory_does_not_grow_with_shards() -> None:
    """Ten shards more write 150 MB more, and hold less than a fifth of that more at any time."""
    few, few_written = _in_a_fresh_process(5)  # enough to fill row groups and files
    many, many_written = _in_a_fresh_process(15)

    assert many_written - few_written > 150
    assert many - few < 30


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        peak_mb(Path(folder) / "first", 1)  # imports, and what allocators keep
        print(*peak_mb(Path(folder) / "measured", int(sys.argv[1])))  # noqa: T201 - for the test above
