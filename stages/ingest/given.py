"""Recordings that others restored, taken in as they are: nothing is split, resampled or fitted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from schemas import BrokenError, EncodedAudio, Given, Outcome, Reason, Source
from stages.audio.audible import is_inaudible
from stages.audio.flac import encode_flac
from stages.ingest.decoding import decode_recording
from stages.ingest.stage import check_listed
from stages.runtime.attempt import attempt
from stages.stage import Stage

VERSION = 1
"""Rises when the same records would give other rows."""


@dataclass(frozen=True, slots=True)
class GivenInput:
    """A recording and, if there is one, its clean reference; ``item`` is what they have in common."""

    source: Source
    clean: Source | None
    item: str


class GivenStage(Stage[GivenInput, Given]):
    """Decode and store what a restoration is and what it is compared with."""

    def __init__(self, opener: Callable[[Source], BinaryIO]) -> None:
        self._open = opener

    def name_of(self, record: GivenInput) -> str:
        """Return the id of the recording."""
        return record.source.id

    def process(self, batch: Sequence[GivenInput]) -> list[Given]:
        """Return the stored sides. Raises what keeps a recording from being a candidate."""
        return [self._given(record) for record in batch]

    def without_value(self, record: GivenInput, outcome: Outcome) -> Given:
        """Return the row of a recording that is no candidate."""
        return _row(record, **outcome.fields)

    def _given(self, record: GivenInput) -> Given:
        audio = require_heard(self._stored(record.source))
        if record.clean is None:
            return _row(record, audio=audio)
        tried = attempt(f"clean reference of {record.source.id}", partial(self._stored, record.clean))
        trouble = "" if tried.outcome.is_ok else f"{tried.outcome.reason}: {tried.outcome.detail}"
        return _row(record, audio=audio, clean=tried.value and tried.value[0], clean_trouble=trouble)

    def _stored(self, source: Source) -> tuple[EncodedAudio, bool]:
        """Return the recording as a run would store it, and whether anything can be heard in it."""
        check_listed(source, reject_duplicates=False)
        with self._open(source) as file:
            waveform = decode_recording(file, source.offset_s, source.duration_s).waveform
        return encode_flac(waveform), not is_inaudible(waveform.samples, waveform.sample_rate)


def require_heard(stored: tuple[EncodedAudio, bool]) -> EncodedAudio:
    """Return the audio; raises ``BrokenError`` for silence, as a run does for a take that is silent."""
    audio, is_heard = stored
    if not is_heard:
        raise BrokenError(Reason.SILENT, "it is under −120 dBFS")
    return audio


def _row(record: GivenInput, **values: object) -> Given:
    source, clean = record.source, record.clean
    said = {
        "id": source.id,
        "model": source.corpus,
        "item": record.item,
        "transcript": source.transcript or (clean and clean.transcript) or None,
        "language": source.language or (clean and clean.language) or None,
    }
    return Given.model_validate({**said, **values})
