"""Ingest without storing: what would become of a recording, and what was decoded and measured on the way."""

from dataclasses import dataclass
from typing import Any

from schemas import EncodedAudio, Outcome, Probe, Segment, Source, UnfitError
from stages.audio.waveform import Waveform
from stages.ingest.decoding import Decoded, decode_recording
from stages.ingest.probe import probe
from stages.ingest.stage import IngestSettings, IngestStage, Opener
from stages.runtime.attempt import attempt


@dataclass(frozen=True, slots=True)
class Inspected:
    """How ingest would end, and what it heard."""

    outcome: Outcome
    utterances: int
    """How many it would make; 0 if it would refuse the recording."""
    decoded: Decoded | None
    """None for what cannot be decoded."""
    probe: Probe | None
    """Of the whole recording; None for what cannot be decoded, and for silence."""


def inspect_recording(source: Source, settings: IngestSettings, opener: Opener) -> Inspected:
    """Return what ingest would make of ``source``: all is done but resampling and encoding.

    What ingest refuses although it can be decoded is decoded and measured all the same. Raises ``RunError``
    for what the next recording would meet too.
    """
    stage = _StoringNothing(settings, opener)
    tried = attempt(source.id, lambda: stage.process([source])[0])
    decoded = stage.decoded or _decode(source, opener)
    segments = () if tried.value is None else tried.value.segments
    return Inspected(tried.outcome, len(segments), decoded, _probe_of(decoded, segments))


class _StoringNothing(IngestStage):
    """Ingest of one source that keeps what it decoded, and stores no audio."""

    def __init__(self, settings: IngestSettings, opener: Opener) -> None:
        super().__init__(settings, opener)
        self.decoded: Decoded | None = None

    def _utterances(self, source: Source, decoded: Decoded) -> Any:  # whatever the stage makes of them
        self.decoded = decoded
        return super()._utterances(source, decoded)

    def _segment(self, name: str, offset_s: float, waveform: Waveform, measured: Probe) -> Segment:
        nothing = EncodedAudio(
            flac=b"",
            sample_rate=waveform.sample_rate,
            num_samples=waveform.samples.size,
            gain_db=0.0,
            digest=_NO_DIGEST,
        )
        return Segment(id=name, offset_s=offset_s, audio=nothing, probe=measured)


_NO_DIGEST = "0" * 64


def _decode(source: Source, opener: Opener) -> Decoded | None:
    """Return a recording that was refused before its samples were looked at, if it has any."""
    if not source.content:
        return None

    def decode() -> Decoded:
        with opener(source) as file:
            return decode_recording(file, source.offset_s, source.duration_s)

    return attempt(source.id, decode).value


def _probe_of(decoded: Decoded | None, segments: tuple[Segment, ...]) -> Probe | None:
    if decoded is None:
        return None
    if len(segments) == 1 and segments[0].audio.num_samples == decoded.waveform.samples.size:
        return segments[0].probe
    try:
        return probe(decoded.waveform, decoded.channels)
    except UnfitError:
        return None
