"""Linear prediction: a signal as a sum of its own past, and how it would have gone on."""

import numpy as np
from numpy.typing import NDArray

_Signal = NDArray[np.float64]
_TINY = 1e-30


def fit_burg(samples: _Signal, order: int) -> _Signal:
    """Return ``order`` weights of past samples, the latest first, by Burg's method (1968).

    The filter that goes on with them never grows. Silence gives zeros.
    """
    forward, backward = samples[1:].copy(), samples[:-1].copy()
    errors = np.zeros(order + 1)
    errors[0] = 1.0
    for place in range(1, min(order, samples.size - 2) + 1):
        power = np.dot(forward, forward) + np.dot(backward, backward)
        reflection = -2.0 * np.dot(forward, backward) / (power + _TINY)
        errors[1 : place + 1] += reflection * errors[place - 1 :: -1][:place]
        forward, backward = (forward + reflection * backward)[1:], (backward + reflection * forward)[:-1]
    return -errors[1:]


def extrapolate(samples: _Signal, weights: _Signal, length: int) -> _Signal:
    """Return the ``length`` samples that follow ``samples`` if they are the weighted sum of their past."""
    from scipy.signal import lfilter, lfiltic  # noqa: PLC0415 - 0.8 s

    poles = np.concatenate([[1.0], -weights])
    past = samples[: -weights.size - 1 : -1]
    going_on, _ = lfilter([1.0], poles, np.zeros(length), zi=lfiltic([1.0], poles, past))
    return np.asarray(going_on)
