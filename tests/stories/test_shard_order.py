"""Metrics that a worker runs one after the other walk a shard to and fro."""

from collections.abc import Callable
from pathlib import Path

from pipeline.config.resolve import resolve
from pipeline.execution.local import LocalExecutor
from pipeline.execution.worker import Worker
from pipeline.operations.run import execute
from pipeline.store.workspace import Workspace
from stages.audio.cache import AudioCache
from stages.audio.waveform import Waveform
from tests.support import tiny

RECORDING = 3
"""Two takes and their clean reference."""


class AttentiveCache(AudioCache):
    """One that notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, ...]] = []

    def get(self, name: tuple[str, ...], make: Callable[[], Waveform]) -> Waveform:
        """Note the name."""
        self.asked.append(name)
        return super().get(name, make)

    def recordings(self, copy: str) -> list[set[str]]:
        """Return whose ``copy`` was asked for, recording by recording."""
        digests = list(dict.fromkeys(name[0] for name in self.asked if name[-1] == copy))
        return [set(digests[n : n + RECORDING]) for n in range(0, len(digests), RECORDING)]


def test_a_metric_begins_where_the_last_one_ended(speech: Path, tmp_path: Path) -> None:
    """Of audio that does not all fit into memory it finds there what was heard last."""
    changes = {"shard_seconds": 60, "restorers": [{"kind": "spectral_gate", "takes": 2}]}
    config = tiny.write_config(tmp_path, tiny.tiny_config(speech, **changes))
    workspace = Workspace(tmp_path / "workspace")
    worker = Worker(workspace)
    worker.reader.cache = cache = AttentiveCache()

    execute(resolve(config), workspace, lambda *_: LocalExecutor(worker))

    first, second = cache.recordings("-26.0 dBFS"), cache.recordings("10000")
    assert len(first) == 4
    assert second == first[::-1]
