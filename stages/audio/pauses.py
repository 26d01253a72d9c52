"""Where to cut a long recording: at its pauses, so that no word is split unless there is no pause."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.audio.audible import remove_infrasound
from stages.audio.level import Signal

_FRAME_S = 0.01
SMOOTHING_FRAMES = 5
SHORTEST_PAUSE_FRAMES = 20
"""0.2 s: shorter gaps are the closures of stops."""
KEPT_PAUSE_FRAMES = 20
"""Of a longer pause this much stays on either side of speech, so that faint ends of words are not lost."""
OVER_FLOOR_DB = 9.0
SPEECH_RANGE_DB = (15.0, 45.0)
"""A pause lies at least so far, and need not lie farther, under the loudest percent of the frames."""
SILENCE_DB = -110.0

Levels = NDArray[np.float64]


class Span(NamedTuple):
    """Frames from ``start`` up to, not including, ``end``."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Number of frames."""
        return self.end - self.start


def split_at_pauses(samples: Signal, sample_rate: int, max_duration_s: float) -> list[tuple[int, int]]:
    """Return (start, end) in samples of stretches that hold all speech, each at most ``max_duration_s``.

    What is short enough stays whole. Longer audio loses its outer pauses and is halved, again and again,
    at the longest pause near its middle, or at the quietest moment there if nobody pauses. So stretches
    are longer than a quarter of the maximum, unless long pauses surround them. Silence gives none.
    """
    if samples.size <= max_duration_s * sample_rate:
        return [(0, samples.size)]
    hop = max(1, round(_FRAME_S * sample_rate))
    longest = max(1, int(max_duration_s * sample_rate) // hop)
    levels_db = _levels_db(remove_infrasound(samples, sample_rate), hop)
    talk = _runs(levels_db > _threshold_db(levels_db))
    if not talk:
        return []
    whole = Span(
        max(0, talk[0].start - KEPT_PAUSE_FRAMES), min(levels_db.size, talk[-1].end + KEPT_PAUSE_FRAMES)
    )
    spans = _split(whole, _pauses_between(talk), levels_db, longest)
    return [(span.start * hop, min(span.end * hop, samples.size)) for span in spans]


def speech_stretches(samples: Signal, sample_rate: int) -> list[tuple[int, int]]:
    """Return (start, end) in samples of what is said: everything but pauses of 0.2 s and more."""
    hop = max(1, round(_FRAME_S * sample_rate))
    levels_db = _levels_db(remove_infrasound(samples, sample_rate), hop)
    talk = _runs(levels_db > _threshold_db(levels_db))
    pauses = _pauses_between(talk)
    starts = [*(span.start for span in talk[:1]), *(pause.end for pause in pauses)]
    ends = [*(pause.start for pause in pauses), *(span.end for span in talk[-1:])]
    return [(a * hop, min(b * hop, samples.size)) for a, b in zip(starts, ends, strict=True)]


def _levels_db(samples: Signal, hop: int) -> Levels:
    """Return the level of each frame in dBFS, smoothed over five frames."""
    padded = np.pad(samples, (0, -samples.size % hop)).reshape(-1, hop)
    power = np.einsum("ij,ij->i", padded, padded, dtype=np.float64) / hop
    kernel = np.full(SMOOTHING_FRAMES, 1.0 / SMOOTHING_FRAMES)
    return np.asarray(10.0 * np.log10(np.convolve(power, kernel, mode="same") + 1e-20))


def _threshold_db(levels_db: Levels) -> float:
    """Return the level under which nobody speaks: a little over the floor, within the range of speech."""
    floor_db, top_db = np.percentile(levels_db, (10.0, 99.0))
    nearest, farthest = SPEECH_RANGE_DB
    return max(float(np.clip(floor_db + OVER_FLOOR_DB, top_db - farthest, top_db - nearest)), SILENCE_DB)


def _runs(flags: NDArray[np.bool_]) -> list[Span]:
    """Return where ``flags`` are up."""
    edges = np.flatnonzero(np.diff(np.pad(flags, 1).astype(np.int8)))
    return [Span(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _pauses_between(talk: Sequence[Span]) -> list[Span]:
    gaps = [Span(before.end, after.start) for before, after in pairwise(talk)]
    return [gap for gap in gaps if gap.length >= SHORTEST_PAUSE_FRAMES]


def _split(span: Span, pauses: Sequence[Span], levels_db: Levels, longest: int) -> list[Span]:
    if span.length <= longest:
        return [span]
    inner = [pause for pause in pauses if span.start < pause.start and pause.end < span.end]
    left, right = _halves(span, inner, levels_db)
    return _split(left, inner, levels_db, longest) + _split(right, inner, levels_db, longest)


def _halves(span: Span, pauses: Sequence[Span], levels_db: Levels) -> tuple[Span, Span]:
    quarter = span.length // 4
    middle = Span(span.start + quarter, span.end - quarter)
    central = [pause for pause in pauses if pause.start < middle.end and pause.end > middle.start]
    if not central:
        cut = max(middle.start + int(np.argmin(levels_db[middle.start : middle.end])), span.start + 1)
        return Span(span.start, cut), Span(cut, span.end)
    pause = max(central, key=lambda candidate: (candidate.length, -candidate.start))
    kept = min(KEPT_PAUSE_FRAMES, pause.length // 2)
    return Span(span.start, pause.start + kept), Span(pause.end - kept, span.end)
