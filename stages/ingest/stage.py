"""Ingest: a file as people have it becomes utterances as the pipeline needs them, or a reason why not."""

from collections.abc import Callable, Sequence
from typing import BinaryIO, Literal

from pydantic import Field

from schemas import Ingested, Outcome, Probe, Reason, Record, SampleRate, Segment, Source, UnfitError
from stages.audio.flac import encode_flac
from stages.audio.level import is_silent
from stages.audio.pauses import split_at_pauses
from stages.audio.resampling import resample
from stages.audio.waveform import Samples, Waveform
from stages.ingest.decoding import ChannelRule, Decoded, decode_recording
from stages.ingest.probe import probe
from stages.ingest.splits import TRAIN_ONLY, Fractions, side_of
from stages.stage import Stage

VERSION = 4
"""Rises when the same records and settings would give other rows."""

Opener = Callable[[Source], BinaryIO]
"""Opens the file, or the row of a dataset, that a source names."""


class IngestSettings(Record):
    """What becomes of recordings on their way in."""

    sample_rate: SampleRate | Literal["native"] = "native"
    """Of all that follows; native: each recording keeps its own."""
    channels: ChannelRule = "mean"
    """What becomes of several channels."""
    min_duration_s: float = Field(default=0.3, gt=0.0)
    """Shorter recordings are refused."""
    max_duration_s: float = Field(default=20.0, ge=1.0)
    """Longer recordings are split at pauses."""
    min_bandwidth_hz: float | None = Field(default=None, gt=0.0)
    """Recordings whose signal ends below this are refused."""
    reject_duplicates: bool = True
    """Refuse a recording whose id an earlier one has.

    The same bytes under another name are taken, and ``plan`` warns of them.
    """
    splits: Fractions = dict(TRAIN_ONLY)
    """Shares of train, validation and test, by hash of speaker or recording."""


class IngestStage(Stage[Source, Ingested]):
    """Decode, measure, split at pauses, resample and store one source."""

    def __init__(self, settings: IngestSettings, opener: Opener) -> None:
        self._settings = settings
        self._open = opener

    def name_of(self, record: Source) -> str:
        """Return the id of the source."""
        return record.id

    def process(self, batch: Sequence[Source]) -> list[Ingested]:
        """Return the utterances of each source. Raises ``UnfitError`` for one that cannot serve."""
        return [self._ingest(source) for source in batch]

    def without_value(self, record: Source, outcome: Outcome) -> Ingested:
        """Return the row of a source that gives no utterance."""
        return _row(record, outcome, self._settings.splits, ())

    def _ingest(self, source: Source) -> Ingested:
        check_listed(source, reject_duplicates=self._settings.reject_duplicates)
        with self._open(source) as file:
            decoded = decode_recording(file, source.offset_s, source.duration_s, self._settings.channels)
        self._check_duration(decoded.waveform.duration_s)
        check_not_silent(decoded.waveform.samples)
        found = self._utterances(source, decoded)
        row = _row(source, Outcome(), self._settings.splits, found)
        return row if len(found) == 1 else row.model_copy(update={"transcript": None})

    def _utterances(self, source: Source, decoded: Decoded) -> tuple[Segment, ...]:
        whole = probe(decoded.waveform, decoded.channels)
        self._check_bandwidth(whole.bandwidth_hz)
        pieces = self._pieces(decoded.waveform)
        if len(pieces) == 1 and pieces[0][1].samples.size == decoded.waveform.samples.size:
            return (self._segment(source.id, source.offset_s, decoded.waveform, whole),)
        return tuple(
            self._segment(
                source.id if len(pieces) == 1 else f"{source.id}#{number}",
                source.offset_s + start / piece.sample_rate,
                piece,
                probe(piece, decoded.channels).model_copy(update={"bandwidth_hz": whole.bandwidth_hz}),
            )
            for number, (start, piece) in enumerate(pieces)
        )

    def _pieces(self, waveform: Waveform) -> list[tuple[int, Waveform]]:
        """Return where each utterance starts, and the utterance; coughs between pauses are none."""
        spans = split_at_pauses(waveform.samples, waveform.sample_rate, self._settings.max_duration_s)
        pieces = [(start, waveform.with_samples(waveform.samples[start:end])) for start, end in spans]
        shortest = self._settings.min_duration_s
        kept = [
            (at, piece)
            for at, piece in pieces
            if piece.duration_s >= shortest and not is_silent(piece.samples)
        ]
        if not kept:
            raise UnfitError(Reason.TOO_SHORT, f"nothing of {shortest:g} s or more between pauses")
        return kept

    def _segment(self, name: str, offset_s: float, waveform: Waveform, measured: Probe) -> Segment:
        rate = self._settings.sample_rate
        stored = waveform if rate == "native" else resample(waveform, rate)
        return Segment(id=name, offset_s=offset_s, audio=encode_flac(stored), probe=measured)

    def _check_duration(self, duration_s: float) -> None:
        shortest = self._settings.min_duration_s
        if duration_s < shortest:
            raise UnfitError(Reason.TOO_SHORT, f"{duration_s:.3f} s, under the {shortest:g} s asked for")

    def _check_bandwidth(self, bandwidth_hz: float) -> None:
        lowest = self._settings.min_bandwidth_hz
        if lowest is not None and bandwidth_hz < lowest:
            raise UnfitError(
                Reason.LOW_BANDWIDTH, f"signal up to {bandwidth_hz:.0f} Hz, under the {lowest:g} Hz asked for"
            )


def check_listed(source: Source, *, reject_duplicates: bool = True) -> None:
    """Raise ``UnfitError`` if the listing already knows that ``source`` cannot serve."""
    if reject_duplicates and source.duplicate_of is not None:
        raise UnfitError(Reason.DUPLICATE_ID, f"an earlier source is called {source.duplicate_of!r}")
    if not source.licence_allowed:
        stated = source.licence or "none is stated"
        raise UnfitError(Reason.LICENCE_NOT_ALLOWED, f"{stated}: allow_licences does not list it")
    if not source.content and "\N{REPLACEMENT CHARACTER}" in source.name:
        raise UnfitError(Reason.UNREADABLE, "its name is not UTF-8")
    if not source.content:
        raise UnfitError(Reason.UNREADABLE, "missing, not a file, or not allowed to be read")


def check_not_silent(samples: Samples) -> None:
    """Raise ``UnfitError`` if nothing but a constant offset is there."""
    if is_silent(samples - samples.mean(dtype="float64")):
        raise UnfitError(Reason.SILENT, "under −120 dBFS")


def _row(source: Source, outcome: Outcome, splits: Fractions, found: tuple[Segment, ...]) -> Ingested:
    return Ingested(
        id=source.id,
        **outcome.fields,
        corpus=source.corpus,
        name=source.name,
        content=source.content,
        speaker=source.speaker,
        transcript=source.transcript,
        language=source.language,
        licence=source.licence,
        split=side_of(source, splits),
        segments=found,
    )
