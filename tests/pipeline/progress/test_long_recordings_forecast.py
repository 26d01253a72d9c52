"""What a plan expects of recordings that will be cut."""

from pathlib import Path

import pytest

from pipeline.config.resolve import resolve
from pipeline.progress.forecast import Forecast
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import assemble
from tests.support.command_line import written


@pytest.mark.parametrize(
    ("duration_s", "expected"), [(1.0, 1), (20.0, 1), (20.1, 2), (70.0, 4), (1200.0, 64)]
)
def test_a_long_recording_counts_as_its_utterances(duration_s: float, expected: int, tmp_path: Path) -> None:
    """Ingest halves at pauses what is longer than 20 s until nothing is."""
    graph = assemble(resolve(written(tmp_path)), Workspace(tmp_path / "workspace"), keep=False)
    num_sources = sum(len(shard.sources) for shard in graph.shards)

    forecast = Forecast(graph, Workspace(tmp_path).store, (), 16_000, duration_s=lambda _: duration_s)

    assert sum(load.records for load in forecast.speech.values()) == expected * num_sources
    assert sum(load.audio_s for load in forecast.speech.values()) == pytest.approx(duration_s * num_sources)
