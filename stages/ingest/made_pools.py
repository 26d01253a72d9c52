"""Pools that are made rather than recorded: simulated rooms and synthesised noise."""

from collections.abc import Sequence
from functools import cached_property

from pydantic import Field

from schemas import Outcome, PoolRecording, Reason, Record, SampleRate, Source, Split, UnfitError
from stages.audio.flac import encode_flac
from stages.audio.waveform import Waveform
from stages.dsp.noise import NoiseKind, synthesise
from stages.dsp.rooms import RoomRanges, simulate_room
from stages.ingest.decoding import decode_recording
from stages.ingest.splits import TRAIN_ONLY, Fractions, side_of, split_for
from stages.ingest.stage import Opener
from stages.operators.rng import rng_for
from stages.stage import Stage

ROOMS_VERSION = 3
NOISES_VERSION = 3
VOICES_IN_BABBLE = 6


class MadePoolSettings(Record):
    """What every made pool has."""

    pool: str
    seed: int
    sample_rate: SampleRate
    splits: Fractions = dict(TRAIN_ONLY)


class RoomSettings(MadePoolSettings):
    """Shoebox rooms."""

    ranges: RoomRanges


class NoiseSettings(MadePoolSettings):
    """Noise of one kind or several; the kind of a recording is the name of its source."""

    duration_s: float = Field(gt=0)


class _MadePoolStage(Stage[Source, PoolRecording]):
    def __init__(self, settings: MadePoolSettings) -> None:
        self._made = settings

    def name_of(self, record: Source) -> str:
        """Return the id of the recording."""
        return record.id

    def without_value(self, record: Source, outcome: Outcome) -> PoolRecording:
        """Return the row of a recording that cannot be drawn."""
        split = split_for(self._made.splits, record.corpus, record.name)
        return PoolRecording(
            id=record.id, **outcome.fields, pool=self._made.pool, split=split, licence=record.licence
        )

    def _recording(self, source: Source, waveform: Waveform, facts: dict[str, float]) -> PoolRecording:
        row = self.without_value(source, Outcome())
        return row.model_copy(update={"audio": encode_flac(waveform), "facts": facts})


class RoomStage(_MadePoolStage):
    """Simulate one room per source, from a stream named by the source."""

    def __init__(self, settings: RoomSettings) -> None:
        super().__init__(settings)
        self._settings = settings

    def process(self, batch: Sequence[Source]) -> list[PoolRecording]:
        """Return one response per source."""
        return [self._room(source) for source in batch]

    def _room(self, source: Source) -> PoolRecording:
        rng = rng_for(self._settings.seed, "room", source.id)
        response, facts = simulate_room(rng, self._settings.sample_rate, self._settings.ranges)
        return self._recording(source, response, facts)


class NoiseStage(_MadePoolStage):
    """Synthesise one noise per source; babble is made of voices on the same side of the split."""

    def __init__(self, settings: NoiseSettings, voices: Sequence[Source], opener: Opener) -> None:
        super().__init__(settings)
        self._settings = settings
        self._voices = voices
        self._open = opener

    def process(self, batch: Sequence[Source]) -> list[PoolRecording]:
        """Return one noise per source."""
        return [self._noise(source) for source in batch]

    def _noise(self, source: Source) -> PoolRecording:
        rng = rng_for(self._settings.seed, "noise", source.id)
        kind: NoiseKind = source.content.removeprefix("synthesised:")  # type: ignore[assignment]
        side = split_for(self._settings.splits, source.corpus, source.name)
        voices: list[Waveform] = []
        if kind == "babble":
            there = self._voices_by_split.get(side, [])
            if not there:
                raise UnfitError(Reason.EMPTY, f"no voice to make babble of on the {side} side")
            chosen = rng.choice(len(there), size=min(VOICES_IN_BABBLE, len(there)), replace=False)
            voices = [self._voice(there[index]) for index in sorted(chosen)]
        noise = synthesise(kind, rng, self._settings.duration_s, self._settings.sample_rate, voices)
        return self._recording(source, noise, {})

    @cached_property
    def _voices_by_split(self) -> dict[Split, list[Source]]:
        found: dict[Split, list[Source]] = {}
        for voice in self._voices:
            side = side_of(voice, self._settings.splits)
            found.setdefault(side, []).append(voice)
        return found

    def _voice(self, source: Source) -> Waveform:
        with self._open(source) as file:
            return decode_recording(file, source.offset_s, source.duration_s, "first").waveform
