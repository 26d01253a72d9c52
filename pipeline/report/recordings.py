"""Recordings inside a page: shortened, of 16 bits, each once however many pairs it is in."""

import base64
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import soundfile

from pipeline.report.clips import Clip
from pipeline.report.pair_cards import PairCard

EXCERPT_S = 12.0
"""How much of a longer recording is heard."""
MOST_BYTES = 22_000_000
"""Of all recordings in base64: what charts and texts leave of the 30 MB that a page may have."""


@dataclass(slots=True)
class Recordings:
    """Recordings in base64, by the id of the element that will hold them."""

    flac_of: Callable[[Clip], bytes]
    most_bytes: int = MOST_BYTES
    by_id: dict[str, str] = field(default_factory=dict)
    _ids: dict[Clip, str] = field(default_factory=dict)
    _num_bytes: int = 0

    def source(self, clip: Clip) -> str:
        """Return where the page finds a recording that was taken in."""
        return f"#{self._ids[clip]}"

    def take_fitting(self, cards: Sequence[PairCard]) -> list[PairCard]:
        """Take in the recordings of pairs, in order, as long as there is room, and return those pairs."""
        for number, card in enumerate(cards):
            found = {
                clip: cut_excerpt(self.flac_of(clip)) for _, clip, _ in card.clips if clip not in self._ids
            }
            ids = {clip: _name(flac) for clip, flac in found.items()}
            new = {ids[clip]: base64.b64encode(flac).decode() for clip, flac in found.items()}
            self._num_bytes += sum(len(text) for name, text in new.items() if name not in self.by_id)
            if self._num_bytes > self.most_bytes:
                return list(cards[:number])
            self._ids |= ids
            self.by_id |= new
        return list(cards)


def _name(flac: bytes) -> str:
    """Return the id of what is heard: the same for an input and a restoration that left it as it was."""
    return f"recording-{hashlib.sha256(flac).hexdigest()[:16]}"


def cut_excerpt(flac: bytes) -> bytes:
    """Return the beginning of a recording as FLAC of 16 bits, which is lossless but for the rounding.

    Opus would take less, but libsndfile numbers its streams by chance: no two reports would be the same.
    """
    samples, rate = soundfile.read(io.BytesIO(flac), dtype="int32")
    shortened = samples[: int(EXCERPT_S * rate)].astype(np.int64)
    rounded = np.clip((shortened + 2**15) >> 16, -(2**15), 2**15 - 1).astype(np.int16)
    buffer = io.BytesIO()
    soundfile.write(buffer, rounded, rate, format="FLAC", subtype="PCM_16", compression_level=1.0)
    return buffer.getvalue()
