"""The tables of pools: recorded, simulated, synthesised."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline.sources.audio import open_source
from pipeline.tables.table import PoolTable, TableReader
from schemas import PoolRecording, Source, Split
from stages.ingest import made_pools
from stages.ingest import pools as pool_files
from stages.ingest.splits import side_of, split_for
from stages.stage import Stage


@dataclass(frozen=True)
class RecordedPoolTable(PoolTable):
    """Recordings of the user's own."""

    settings: pool_files.PoolSettings
    version: ClassVar[int] = pool_files.VERSION

    def side(self, source: Source) -> Split:
        return side_of(source, self.settings.splits)

    def stage(self, reader: TableReader) -> Stage[Source, PoolRecording]:  # noqa: ARG002
        return pool_files.PoolStage(self.settings, open_source)


@dataclass(frozen=True)
class MadePoolTable(PoolTable):
    """Recordings that a run makes itself."""

    settings: made_pools.MadePoolSettings

    def side(self, source: Source) -> Split:
        return split_for(self.settings.splits, source.corpus, source.name)


@dataclass(frozen=True)
class RoomPoolTable(MadePoolTable):
    """Simulated rooms."""

    settings: made_pools.RoomSettings
    version: ClassVar[int] = made_pools.ROOMS_VERSION

    def stage(self, reader: TableReader) -> Stage[Source, PoolRecording]:  # noqa: ARG002
        return made_pools.RoomStage(self.settings)


@dataclass(frozen=True)
class NoisePoolTable(MadePoolTable):
    """Synthesised noise."""

    settings: made_pools.NoiseSettings
    voices: tuple[Source, ...] = ()
    version: ClassVar[int] = made_pools.NOISES_VERSION

    @property
    def spec(self) -> Mapping[str, Any]:
        voices = [[voice.id, voice.speaker, voice.content] for voice in self.voices]
        return {**super().spec, "voices": voices}

    def stage(self, reader: TableReader) -> Stage[Source, PoolRecording]:  # noqa: ARG002
        return made_pools.NoiseStage(self.settings, self.voices, open_source)
