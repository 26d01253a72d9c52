"""Changes that nobody hears: what they move a score by is that metric's noise floor."""

from collections.abc import Callable, Mapping

import numpy as np

from stages.audio.level import from_db
from stages.audio.resampling import fit_length
from stages.audio.waveform import Waveform

GAIN_DB = -0.5
SHIFT_S = 0.005
_BITS = 16


def lower_level(waveform: Waveform) -> Waveform:
    """Return the samples at half a decibel less."""
    return waveform.scale(from_db(GAIN_DB))


def quantise(waveform: Waveform) -> Waveform:
    """Return the samples in steps of 16 bits, without dither."""
    steps = 2.0 ** (_BITS - 1)
    return waveform.with_samples(np.rint(waveform.samples.astype(np.float64) * steps) / steps)


def delay_slightly(waveform: Waveform) -> Waveform:
    """Return the samples 5 ms later: silence first, the end cut off."""
    delay = np.zeros(round(SHIFT_S * waveform.sample_rate))
    return waveform.with_samples(np.concatenate([delay, waveform.samples])[: waveform.samples.size])


def resample_there_and_back(waveform: Waveform) -> Waveform:
    """Return the samples after a way to twice the rate and back through a polyphase filter (SciPy's)."""
    from scipy.signal import resample_poly  # noqa: PLC0415 - takes most of a second to load

    doubled = resample_poly(waveform.samples.astype(np.float64), 2, 1)
    return waveform.with_samples(fit_length(resample_poly(doubled, 1, 2), waveform.samples.size))


INAUDIBLE: Mapping[str, Callable[[Waveform], Waveform]] = {
    "0.5 dB": lower_level,
    "16 bits": quantise,
    "5 ms": delay_slightly,
    "resampler": resample_there_and_back,
}
"""By a short name."""
