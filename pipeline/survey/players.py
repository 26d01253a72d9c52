"""The worst of each kind inside a page: the beginnings of recordings, of 16 bits, each once."""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from pipeline.report.recordings import MOST_BYTES, cut_excerpt
from pipeline.sources.audio import open_source
from pipeline.survey.oddities import KINDS
from pipeline.survey.records import Oddity, Survey, SurveyedRecording
from schemas import RecordError, Source
from stages.audio.flac import encode_flac
from stages.ingest.decoding import decode_recording

HEARD_S = 8.0


@dataclass(frozen=True, slots=True)
class Card:
    """One recording under an oddity."""

    recording: SurveyedRecording
    figure: str
    """What is so bad about it, in words."""
    player: str | None
    """The id of the element with its excerpt; None for what cannot be played, or has no room."""


@dataclass(slots=True)
class Excerpts:
    """Beginnings of recordings as FLAC in base64, by the id of the element that will hold them."""

    most_bytes: int = MOST_BYTES
    by_id: dict[str, str] = field(default_factory=dict)
    _ids: dict[str, str | None] = field(default_factory=dict)
    _num_bytes: int = 0

    def take(self, source: Source) -> str | None:
        """Return the id of the excerpt of ``source``; None if it cannot be decoded, or there is no room."""
        if source.id not in self._ids:
            self._ids[source.id] = self._keep(_encode_beginning(source))
        return self._ids[source.id]

    def _keep(self, flac: bytes | None) -> str | None:
        if flac is None:
            return None
        name = f"recording-{hashlib.sha256(flac).hexdigest()[:16]}"
        text = base64.b64encode(flac).decode()
        if name not in self.by_id:
            if self._num_bytes + len(text) > self.most_bytes:
                return None
            self._num_bytes += len(text)
            self.by_id[name] = text
        return name


def take_worst(survey: Survey, excerpts: Excerpts) -> dict[Oddity, list[Card]]:
    """Return cards of the worst recordings of each oddity; room is given in turns, the worst ones first."""
    by_id = {one.source.id: one for one in survey.recordings}
    worst = {group.oddity: [by_id[name] for name in group.worst] for group in survey.summary.oddities}
    for one in _in_turns(worst):
        excerpts.take(one.source)
    return {
        oddity: [Card(one, KINDS[oddity].figure(one), excerpts.take(one.source)) for one in ones]
        for oddity, ones in worst.items()
    }


def _in_turns(worst: Mapping[Oddity, Sequence[SurveyedRecording]]) -> Iterator[SurveyedRecording]:
    return (one for rank in zip_longest(*worst.values()) for one in rank if one is not None)


def _encode_beginning(source: Source) -> bytes | None:
    """Return the first seconds of a recording; also of one that is refused, if its beginning can be read."""
    seconds = min(HEARD_S, source.duration_s or HEARD_S)
    try:
        with open_source(source) as file:
            decoded = decode_recording(file, source.offset_s, seconds)
        return cut_excerpt(encode_flac(decoded.waveform).flac)
    except (RecordError, OSError):
        return None
