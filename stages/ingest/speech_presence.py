"""Whether anybody speaks in a recording, by how its level moves: syllables come and go, hum and hiss stay.

It needs no weights. What it cannot tell from speech are other things that come and go like syllables: music,
barking, babble, sweeps. It is there for what has no voice at all.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from schemas import Reason, UnfitError
from stages.audio.waveform import Samples, Waveform

SHORTEST_JUDGED_S = 1.0
"""Shorter recordings may be one vowel, which is as steady as hum."""
BANDS_HZ = (100.0, 400.0, 1_000.0, 2_000.0, 4_000.0)
"""Where the bands of speech begin, and the last one ends; octaves of telephone speech."""
_WINDOW_S = 0.03
_HOP_S = 0.01
_BATCH = 256
"""Frames that are transformed at once: an hour of audio is never whole in memory as frames."""
LASTING_FRAMES = 7
"""The median over so many frames: clicks shorter than 40 ms vanish, and edges stay where they are."""
TOP_FRAMES = 20
"""The level that 0.2 s reach is the top; a thump is shorter."""
SOUNDING_DB = 40.0
"""What lies farther under the top is a pause and says nothing; so do the edges of pauses."""
_EDGE_FRAMES = 3
CLAMP_DB = 50.0
"""A band that lies farther under the top counts as if it lay there: rounding and leakage also move."""
SYLLABLE_FRAMES = 5
PHRASE_FRAMES = 51
"""Moves between 50 and 510 ms are looked at: faster than a fade, slower than a pitch."""
STRETCH_FRAMES = 101
"""One second that moves is enough: one word in a long pause is speech."""
_FEWEST_FRAMES = 20
_Levels = NDArray[np.float64]


def find_fault(
    waveform: Waveform, level_db: float, *, min_modulation_db: float | None, min_level_db: float | None
) -> UnfitError | None:
    """Return why ``waveform``, of the active level ``level_db``, is no clean reference, or None.

    A bound that is None is not looked at.
    """
    judged = min_modulation_db is not None and waveform.duration_s >= SHORTEST_JUDGED_S
    moved_db = modulation_db(waveform.samples, waveform.sample_rate) if judged else math.inf
    if min_modulation_db is not None and moved_db < min_modulation_db:
        detail = (
            f"as steady as hum or hiss: its level, {level_db:.1f} dBFS, moves by {moved_db:.1f} dB, "
            f"under the {min_modulation_db:g} dB asked for (ingest.min_modulation_db)"
        )
        return UnfitError(Reason.NO_SPEECH, detail)
    if min_level_db is not None and level_db < min_level_db:
        detail = f"{level_db:.1f} dBFS, under the {min_level_db:g} dBFS asked for (ingest.min_level_db)"
        return UnfitError(Reason.LOW_LEVEL, detail)
    return None


def modulation_db(samples: Samples, sample_rate: int) -> float:
    """Return by how much the level moves in the second and the band in which it moves the most.

    The standard deviation, in dB, of the level of 30 ms frames against its mean over half a second, where
    something sounds; an offset and clicks have no part in it. Speech has 8 dB or more, a held note 3, white
    noise up to 1.5, hum less. 0 if nothing lasts.
    """
    powers = _drop_clicks(_band_powers(samples, sample_rate))
    total = powers.sum(axis=1)
    top = float(np.sort(total)[-min(TOP_FRAMES, total.size)])
    sounding = _without_edges(total > top * 10 ** (-SOUNDING_DB / 10))
    if top <= 0.0 or not sounding.any():
        return 0.0
    here = sounding[:, None].astype(float)
    levels_db = 10 * np.log10(np.clip(powers, top * 10 ** (-CLAMP_DB / 10), None))
    moved_db = (
        _mean_where(here, levels_db, SYLLABLE_FRAMES) - _mean_where(here, levels_db, PHRASE_FRAMES)
    ) * here
    counted = np.maximum(_sums(here, STRETCH_FRAMES), _FEWEST_FRAMES)
    return math.sqrt(float((_sums(moved_db**2, STRETCH_FRAMES) / counted).max()))


def _band_powers(samples: Samples, sample_rate: int) -> _Levels:
    """Return the power of each frame in each band that the rate can hold.

    In single precision, which reaches far below ``CLAMP_DB`` and takes a quarter of the time.
    """
    length, hop = round(_WINDOW_S * sample_rate), round(_HOP_S * sample_rate)
    centred = samples - np.float32(samples.mean(dtype=np.float64))
    padded = np.pad(centred, (0, max(0, length - samples.size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]
    size = 2 ** math.ceil(math.log2(length))
    edges = np.searchsorted(np.fft.rfftfreq(size, 1.0 / sample_rate), BANDS_HZ)
    window = np.hanning(length).astype(np.float32)
    found = []
    for start in range(0, len(frames), _BATCH):
        spectra = fft.rfft(frames[start : start + _BATCH] * window, size, axis=1)[:, edges[0] : edges[-1]]
        starts = edges[:-1] - edges[0]
        held = starts[starts < spectra.shape[1]]
        powers = np.square(spectra.real) + np.square(spectra.imag)
        found.append(np.add.reduceat(powers, held, axis=1))
    return np.concatenate(found).astype(np.float64)


def _drop_clicks(powers: _Levels) -> _Levels:
    around = np.pad(powers, ((LASTING_FRAMES // 2, LASTING_FRAMES // 2), (0, 0)), mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(around, LASTING_FRAMES, axis=0)
    return np.asarray(np.median(views, axis=-1))


def _without_edges(sounding: NDArray[np.bool_]) -> NDArray[np.bool_]:
    around = np.pad(sounding, _EDGE_FRAMES, constant_values=True)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(around, 2 * _EDGE_FRAMES + 1).all(axis=-1))


def _mean_where(here: _Levels, levels_db: _Levels, length: int) -> _Levels:
    return _sums(levels_db * here, length) / np.maximum(_sums(here, length), 1.0)


def _sums(values: _Levels, length: int) -> _Levels:
    """Return the sum of ``length`` frames around each one; beyond the ends there is nothing."""
    ends = np.pad(np.cumsum(np.pad(values, ((length // 2, length // 2), (0, 0))), axis=0), ((1, 0), (0, 0)))
    return np.asarray(ends[length:] - ends[:-length])
