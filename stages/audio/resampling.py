"""One resampler for the whole pipeline: soxr at very high quality."""

import numpy as np
import soxr

from stages.audio.waveform import Waveform


def resample(waveform: Waveform, sample_rate: int) -> Waveform:
    """Return ``waveform`` at ``sample_rate``: ``round(n · to / from)`` samples, no delay, linear phase."""
    if waveform.sample_rate == sample_rate:
        return waveform
    samples = soxr.resample(waveform.samples, waveform.sample_rate, sample_rate, quality="VHQ")
    length = resampled_length(waveform, sample_rate)
    return Waveform(fit_length(np.asarray(samples, dtype=np.float32), length), sample_rate)


def resampled_length(waveform: Waveform, sample_rate: int) -> int:
    """Return how many samples ``waveform`` has at ``sample_rate``."""
    return max(1, round(waveform.samples.size * sample_rate / waveform.sample_rate))


def fit_length(samples: np.ndarray, length: int) -> np.ndarray:
    """Return exactly ``length`` samples: cut at the end, or padded with zeros there."""
    if samples.size >= length:
        return np.ascontiguousarray(samples[:length])
    return np.pad(samples, (0, length - samples.size))
