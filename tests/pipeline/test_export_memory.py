"""Writing a dataset takes no more memory for ten shards than for one."""

from pathlib import Path

import pytest

from pipeline.export import export
from pipeline.graph import assemble
from pipeline.peak_memory import forget_peaks, peak_bytes
from pipeline.workspace import Workspace
from tests.made_run import write_run

UTTERANCES = 8
MEGABYTE = 1e6


def _peak_mb(folder: Path, shards: int) -> tuple[float, float]:
    """Export a made run, and return the megabytes held at most and those written."""
    settings = {"row_group_megabytes": 4, "shard_megabytes": 40}
    run = write_run(folder, shards=shards, utterances=UTTERANCES, seconds=1.5, export=settings)
    workspace = Workspace(folder / "workspace")
    graph = assemble(run, workspace.root, keep=False)
    forget_peaks()
    written = export(run, graph, workspace.store, folder / "dataset")
    num_bytes = sum(files.num_bytes for splits in written.tables.values() for files in splits.values())
    return peak_bytes() / MEGABYTE, num_bytes / MEGABYTE


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks can only be forgotten on Linux")
def test_memory_does_not_grow_with_shards(tmp_path: Path) -> None:
    """Ten shards write 150 MB more than one, and hold less than a fifth of that more at any time."""
    _peak_mb(tmp_path / "first", 1)  # imports, and what allocators keep
    one, one_written = _peak_mb(tmp_path / "one", 1)
    ten, ten_written = _peak_mb(tmp_path / "ten", 10)

    assert ten_written - one_written > 150
    assert ten - one < 30
