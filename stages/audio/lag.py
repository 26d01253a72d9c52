"""Lag: by how much one recording is later than another, how to take that back, and what is left of it."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from stages.audio.audible import audible_energies, remove_infrasound
from stages.audio.fft_length import quick_length
from stages.audio.level import Signal
from stages.audio.resampling import fit_length
from stages.audio.waveform import Samples, Waveform

AUDIBLE = 1e-3
"""Bins 60 dB under the mean of either signal hold rounding, not sound."""
ABOVE_SECOND = 2.0
"""Measured: at least 2.7 in reverberation with noise at 0 dB, at most 1.4 between unrelated signals."""
ABOVE_MEAN = 10.0
"""Measured: at least 16 in reverberation with noise at 0 dB, at most 6.6 between unrelated signals."""
LOBE_SHARE = 0.01
"""How much of the searched lags is the peak's own: at 250 ms, the lobe of speech below 400 Hz."""
RAMP_SHARE = 1 / 8
"""Of a recording, at either end: where it was cut off, both would have a click in the same place.

Measured: from 1/8 on of a tone nothing else is left, and up to 1/8 lags stand out as before.
"""
_WINDOW_S = 1.0
"""One second tells; the whole of a long recording would cost more than the damage."""
_REACH_S = 0.1
"""More than any codec delays."""
_HOP_S = 0.05


def lag_samples(candidate: Signal, reference: Signal, max_lag: int) -> int:
    """Return by how many samples ``candidate`` is later than ``reference``; 0 if no lag stands out."""
    return clear_lag_samples(candidate, reference, max_lag) or 0


def clear_lag_samples(candidate: Signal, reference: Signal, max_lag: int) -> int | None:
    """Return by how many samples ``candidate`` is later than ``reference``; negative if it is earlier.

    Generalised cross-correlation with phase transform (Knapp and Carter 1976). None unless one lag stands
    out: of a steady tone or of speech that was made anew nobody can say how late it is. Lags up to
    ``max_lag`` are looked at, and up to half of a recording that is shorter than that.
    """
    widest = min(max_lag, candidate.size // 2, reference.size // 2)
    correlation = _phase_correlation(candidate, reference, widest)
    place = int(np.argmax(correlation))
    return place - widest if _stands_out(correlation, place) else None


def align(samples: Samples, lag: int, length: int) -> Samples:
    """Return ``length`` samples of which ``lag`` was taken back: cut or filled with zeros at both ends."""
    early = samples[lag:] if lag >= 0 else np.pad(samples, (-lag, 0))
    return fit_length(early, length)


def _phase_correlation(candidate: Signal, reference: Signal, widest: int) -> NDArray[np.float64]:
    """Return the absolute correlation at lags from ``-widest`` to ``widest``; polarity does not count."""
    size = quick_length(max(candidate.size, reference.size) + widest)  # none wraps around
    left, right = (fft.rfft(_fade(signal), size) for signal in (candidate, reference))
    sizes = np.abs(left), np.abs(right)
    audible = _mask_audible(sizes[0]) & _mask_audible(sizes[1])
    weights = np.divide(1.0, sizes[0] * sizes[1], out=np.zeros_like(sizes[0]), where=audible)
    correlation = fft.irfft(weights * left * right.conj(), size)
    around_zero = np.concatenate([correlation[size - widest :], correlation[: widest + 1]])
    return np.asarray(np.abs(around_zero), dtype=np.float64)


def _fade(signal: Signal) -> Samples:
    """Return a copy that begins and ends in silence: in an empty band, cut edges are all that is heard."""
    faded = signal.astype(np.float32)
    ramp = round(RAMP_SHARE * signal.size)
    rise = np.sin(0.5 * np.pi * np.arange(ramp, dtype=np.float32) / max(ramp, 1)) ** 2
    faded[:ramp] *= rise
    faded[signal.size - ramp :] *= rise[::-1]
    return faded


def _mask_audible(magnitude: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray(magnitude > AUDIBLE * np.sqrt(np.mean(np.square(magnitude))))


def _stands_out(correlation: NDArray[np.float64], place: int) -> bool:
    lobe = max(4, round(LOBE_SHARE * correlation.size / 2))
    others = np.concatenate([correlation[: max(0, place - lobe)], correlation[place + lobe + 1 :]])
    if others.size == 0:
        return False
    mean = np.sqrt(np.mean(np.square(correlation)))
    return bool(correlation[place] > max(ABOVE_SECOND * others.max(), ABOVE_MEAN * mean))


def residual_lag_samples(degraded: Waveform, reference: Waveform) -> int:
    """Return the lag that GCC-PHAT finds in the loudest second of the reference; 0 if none stands out."""
    rate = reference.sample_rate
    window = find_loudest(reference, round(_WINDOW_S * rate), max(1, round(_HOP_S * rate)))
    late, early = (remove_infrasound(side.samples[window], rate) for side in (degraded, reference))
    return lag_samples(late, early, round(_REACH_S * rate))


def find_loudest(waveform: Waveform, length: int, hop: int) -> slice:
    """Return the stretch of ``length`` samples in which most is heard, looked at every ``hop`` samples."""
    size = waveform.samples.size
    if size <= length:
        return slice(0, size)
    energies = audible_energies(waveform.samples, waveform.sample_rate, hop)[: size // hop]
    until = np.append(0.0, np.cumsum(energies))
    width = length // hop
    start = min(int(np.argmax(until[width:] - until[:-width])) * hop, size - length)
    return slice(start, start + length)
