"""Impulse responses: where the direct sound is, how long the room rings, and speech heard through them."""

import math

import numpy as np
from numpy.typing import NDArray

from stages.audio.level import energy, from_db, to_db
from stages.audio.resampling import fit_length
from stages.audio.waveform import Waveform
from stages.dsp.convolution import convolve

ONSET_DB = -20.0
DIRECT_MS = 2.5
_NEAR_MS = 1.0
_HEADROOM_DB = 10.0
_SHORTEST_S = 0.01
_STRAIGHT = 0.9


def find_direct_path(response: Waveform) -> int:
    """Return the sample at which the direct sound arrives.

    That is the largest sample within a millisecond of the first one above −20 dB of the peak. The
    largest of all would be a reflection in rooms where several reflections arrive at once.
    """
    size = np.abs(response.samples)
    onset = int(np.argmax(size >= from_db(ONSET_DB) * size.max()))
    near = _samples(_NEAR_MS, response.sample_rate)
    return onset + int(np.argmax(size[onset : onset + near + 1]))


def direct_gain(response: Waveform, direct: int) -> float:
    """Return the gain of the direct sound, with its sign: the root of the energy within ±2.5 ms.

    The energy does not depend on where between two samples the sound arrives; the largest sample does.
    """
    around = _window(response, direct, DIRECT_MS, DIRECT_MS)
    near = _window(response, direct, _NEAR_MS, _NEAR_MS)
    sign = np.sign(near[np.argmax(np.abs(near))])
    return float(sign) * math.sqrt(energy(around))


def direct_to_reverberant_db(response: Waveform, direct: int) -> float:
    """Return the energy within ±2.5 ms of the direct sound over that after it, in dB; 240 if none is."""
    after = response.samples[direct + _samples(DIRECT_MS, response.sample_rate) + 1 :]
    around = _window(response, direct, DIRECT_MS, DIRECT_MS)
    return to_db(math.sqrt(energy(around) / max(energy(after), 1e-24 * energy(around))))


def reverberation_time_s(response: Waveform, direct: int) -> float | None:
    """Return T60, or None if the decay cannot be read.

    Schroeder's backward integral with a straight line from −5 to −35 dB, or to −25 dB where the
    response is too short for that (ISO 3382-1, T30 and T20). A few echoes are steps, not a line.
    """
    decay_db = _decay_db(response.samples[direct:])
    slopes = (_slope(decay_db, low_db, response.sample_rate) for low_db in (-35.0, -25.0))
    return next((-60.0 / slope for slope in slopes if slope is not None), None)


def cut_early_part(response: Waveform, direct: int, *, pre_ms: float, early_ms: float) -> Waveform:
    """Return ``response`` with nothing left but ``pre_ms`` before to ``early_ms`` after the direct sound."""
    start = max(0, direct - _samples(pre_ms, response.sample_rate))
    stop = direct + _samples(early_ms, response.sample_rate) + 1
    samples = np.zeros_like(response.samples)
    samples[start:stop] = response.samples[start:stop]
    return response.with_samples(samples)


def convolve_with_response(speech: Waveform, response: Waveform, delay_samples: int = 0) -> Waveform:
    """Return the linear convolution of both, begun ``delay_samples`` late, as long as ``speech``."""
    needed = np.trim_zeros(response.samples[: delay_samples + speech.samples.size], "b")
    heard = fit_length(convolve(speech.samples, needed), delay_samples + speech.samples.size)
    return speech.with_samples(heard[delay_samples : delay_samples + speech.samples.size])


def _samples(milliseconds: float, sample_rate: int) -> int:
    return round(milliseconds * sample_rate / 1000.0)


def _window(response: Waveform, centre: int, before_ms: float, after_ms: float) -> NDArray[np.float32]:
    start = max(0, centre - _samples(before_ms, response.sample_rate))
    return response.samples[start : centre + _samples(after_ms, response.sample_rate) + 1]


def _decay_db(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    remaining = np.cumsum(np.square(samples[::-1], dtype=np.float64))[::-1]
    decay_db: NDArray[np.float64] = 10.0 * np.log10(np.maximum(remaining / remaining[0], 1e-24))
    return decay_db


def _slope(decay_db: NDArray[np.float64], low_db: float, sample_rate: int) -> float | None:
    """Return the decay in dB per second between −5 dB and ``low_db``, if it is a straight one."""
    start, stop = (int(np.argmax(decay_db <= level)) for level in (-5.0, low_db))
    end = int(0.95 * decay_db.size)  # the integral of a cut response falls off its end
    if stop - start < _SHORTEST_S * sample_rate or decay_db[max(end - 1, 0)] > low_db - _HEADROOM_DB:
        return None
    t = np.arange(stop - start) / sample_rate
    t, level = t - t.mean(), decay_db[start:stop] - decay_db[start:stop].mean()
    explained = float(np.sum(t * level)) ** 2
    if explained <= _STRAIGHT * float(np.sum(t * t) * np.sum(level * level)):
        return None
    return float(np.sum(t * level) / np.sum(t * t))
