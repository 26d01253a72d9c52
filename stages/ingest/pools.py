"""Pools: noise and measured responses, decoded and stored like speech, whole and at one rate."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from schemas import Outcome, PoolRecording, Record, SampleRate, Source
from stages.audio.flac import encode_flac
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.ingest.decoding import Decoded, decode_recording
from stages.ingest.splits import TRAIN_ONLY, Fractions, side_of
from stages.ingest.stage import Opener, check_listed, check_not_silent
from stages.stage import Stage

VERSION = 5
"""Rises when the same records and settings would give other rows."""


class PoolSettings(Record):
    """What a pool holds, and how it is stored."""

    pool: str
    holds: Literal["noise", "responses"]
    """Noise is the mean of its channels; of a response the first one is taken, since a mean is no place."""
    sample_rate: SampleRate | Literal["native"] = "native"
    max_duration_s: float = Field(default=60.0, gt=0.0)
    """Longer recordings are cut at their end."""
    splits: Fractions = dict(TRAIN_ONLY)


class PoolStage(Stage[Source, PoolRecording]):
    """Decode, cut, resample and store one recording of a pool."""

    def __init__(self, settings: PoolSettings, opener: Opener) -> None:
        self._settings = settings
        self._open = opener

    def name_of(self, record: Source) -> str:
        """Return the id of the recording."""
        return record.id

    def process(self, batch: Sequence[Source]) -> list[PoolRecording]:
        """Return the recording of each source. Raises ``UnfitError`` for one that cannot serve."""
        return [make_pool_recording(source, self._settings, self._open) for source in batch]

    def without_value(self, record: Source, outcome: Outcome) -> PoolRecording:
        """Return the row of a recording that cannot be drawn."""
        return _row(record, self._settings, outcome)


def make_pool_recording(source: Source, settings: PoolSettings, opener: Opener) -> PoolRecording:
    """Return what ``source`` names as a recording of a pool.

    Facts: ``cut_from_s``, the full length if the end was cut off. Where the direct sound of a measured
    response is, reverb finds by its onset: the highest peak may be a reflection.
    Raises ``UnfitError`` as ingest does.
    """
    check_listed(source)
    with opener(source) as file:
        decoded = decode_recording(file, source.offset_s, source.duration_s, _channels(settings))
    check_not_silent(decoded.waveform.samples)
    stored = _convert_to_stored(decoded, settings)
    check_not_silent(stored.samples)
    row = _row(source, settings, Outcome())
    return row.model_copy(update={"audio": encode_flac(stored), "facts": _facts(decoded, settings)})


def _channels(settings: PoolSettings) -> Literal["mean", "first"]:
    return "first" if settings.holds == "responses" else "mean"


def _convert_to_stored(decoded: Decoded, settings: PoolSettings) -> Waveform:
    longest = max(1, int(settings.max_duration_s * decoded.waveform.sample_rate))
    kept = decoded.waveform.with_samples(decoded.waveform.samples[:longest])
    return kept if settings.sample_rate == "native" else resample(kept, settings.sample_rate)


def _facts(decoded: Decoded, settings: PoolSettings) -> dict[str, float]:
    longer = decoded.waveform.duration_s > settings.max_duration_s
    return {"cut_from_s": decoded.waveform.duration_s} if longer else {}


def _row(source: Source, settings: PoolSettings, outcome: Outcome) -> PoolRecording:
    return PoolRecording(
        id=source.id,
        **outcome.fields,
        pool=settings.pool,
        split=side_of(source, settings.splits),
        speaker=source.speaker,
        licence=source.licence,
    )
