"""Third-octave envelopes and their correlations over 0.38 s: what STOI and ESTOI are made of.

Gives the numbers of pystoi to twelve digits, by blocks that stay in the cache and without its random draws.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from schemas import Reason, UnfitError
from stages.audio.waveform import Samples
from stages.dsp.spectra import Floats

STOI_SAMPLE_RATE = 10_000
_FRAME, _HOP, _FFT_SIZE = 256, 128, 512
_BANDS, _LOWEST_HZ = 15, 150.0
SPAN = 30
"""Frames that are correlated at a time: 0.38 s."""
_SPEECH_DB = 40.0
"""Frames further below the loudest one of the clean speech are cut out on both sides."""
_CEILING = 1.0 + 10.0 ** (15.0 / 20.0)
"""By how much a distorted envelope may exceed the clean one: −15 dB of SNR and all below count alike."""
_TINY = float(np.finfo(np.float64).eps)
SPANS_AT_ONCE = 64
"""Few enough to stay in a core's cache."""

Rule = Callable[[Floats, Floats], NDArray[np.float64]]
"""From the clean and the distorted envelopes, ``(bands, 30, spans)``, to a correlation for each span.

Spans come last: sums over 30 neighbours in memory are slow, sums of whole rows are not.
"""


def mean_correlation(clean: Samples, candidate: Samples, rule: Rule) -> float:
    """Return the mean of ``rule`` over all spans of the speech at 10 kHz.

    Raises ``UnfitError`` if fewer than 30 frames of the clean reference hold speech.
    """
    envelopes = [_envelopes(samples) for samples in _speech(clean, candidate)]
    if envelopes[0].shape[1] < SPAN:
        raise UnfitError(Reason.TOO_SHORT, f"fewer than {SPAN} frames of speech in the clean reference")
    spans = [sliding_window_view(envelope, envelope.shape[1] - SPAN + 1, axis=1) for envelope in envelopes]
    count = spans[0].shape[2]
    blocks = (slice(first, first + SPANS_AT_ONCE) for first in range(0, count, SPANS_AT_ONCE))
    return float(sum(rule(*(side[..., block] for side in spans)).sum() for block in blocks) / count)


def band_correlation(clean: Floats, candidate: Floats) -> NDArray[np.float64]:
    """Return the mean over bands of the correlation in time: STOI (Taal et al., 2011, eq. 5)."""
    as_loud = candidate * (_length(clean, axis=1) / (_length(candidate, axis=1) + _TINY))
    clipped = np.minimum(as_loud, clean * _CEILING)
    return np.asarray((_unit(clipped, axis=1) * _unit(clean, axis=1)).sum(axis=(0, 1)) / _BANDS)


def spectral_correlation(clean: Floats, candidate: Floats) -> NDArray[np.float64]:
    """Return the mean over time of the correlation across bands: ESTOI (Jensen and Taal, 2016, eq. 5)."""
    ours, theirs = (_unit(_unit(side, axis=1), axis=0) for side in (candidate, clean))
    return np.asarray((ours * theirs).sum(axis=(0, 1)) / SPAN)


def _unit(envelopes: Floats, axis: int) -> Floats:
    """Return ``envelopes`` without their mean along ``axis``, of length 1; nothing where there is nothing."""
    centred: Floats = envelopes - envelopes.mean(axis=axis, keepdims=True)
    centred /= _length(centred, axis) + _TINY
    return centred


def _length(envelopes: Floats, axis: int) -> Floats:
    length: Floats = np.sqrt(np.square(envelopes).sum(axis=axis, keepdims=True))
    return length


def _speech(clean: Samples, candidate: Samples) -> Iterator[Floats]:
    """Yield both sides with the frames cut out in which the clean one is silent."""
    clean_frames, candidate_frames = (_frames(side.astype(np.float64)) for side in (clean, candidate))
    if not len(clean_frames):
        yield from (np.empty(0), np.empty(0))
        return
    levels_db = 20.0 * np.log10(np.linalg.norm(clean_frames, axis=1) + _TINY)
    kept = levels_db > levels_db.max() - _SPEECH_DB
    for frames in (clean_frames[kept], candidate_frames[kept]):
        joined = np.zeros((len(frames) + 1, _HOP))
        joined[:-1] += frames[:, :_HOP]
        joined[1:] += frames[:, _HOP:]
        yield joined.ravel()


def _frames(samples: Floats) -> Floats:
    """Return windowed frames, half overlapped, without a last one that would end with the signal."""
    if samples.size <= _FRAME:
        return np.empty((0, _FRAME))
    frames: Floats = sliding_window_view(samples[:-1], _FRAME)[::_HOP] * _WINDOW
    return frames


def _envelopes(samples: Floats) -> Floats:
    spectrum = np.fft.rfft(_frames(samples), _FFT_SIZE, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    return np.ascontiguousarray(np.sqrt(power @ _bands().T).T)


def _bands() -> NDArray[np.float64]:
    """Return ``(bands, bins)``: 1 where a bin belongs to a third of an octave with edges on nearest bins."""
    bins_hz = np.linspace(0.0, STOI_SAMPLE_RATE, _FFT_SIZE + 1)[: _FFT_SIZE // 2 + 1]
    edges_hz = _LOWEST_HZ * 2.0 ** ((2.0 * np.arange(_BANDS + 1) - 1.0) / 6.0)
    edges = np.array([np.argmin(np.square(bins_hz - edge)) for edge in edges_hz])
    places = np.arange(bins_hz.size)
    inside = (places >= edges[:-1, None]) & (places < edges[1:, None])
    return inside.astype(np.float64)


_WINDOW = np.hanning(_FRAME + 2)[1:-1]
