"""Agreement: whether scores fall where speech gets worse, and who may vote because they do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.operators.metric import Aspect, Better

LEAST_TAU_OF_MEANS = 0.8
"""Of five steps, one neighbouring pair may be swapped."""
LEAST_TAU_OF_UTTERANCES = 0.5
"""On average over single utterances, three of four comparisons of two steps are right.

Of those that vote, DNSMOS OVRL has the least, on bandwidth; 0.6 would leave it out, and no other.
"""
DAMAGE = ("SNR", "T60", "clipping", "bandwidth", "bitrate", "packet loss")
DECIDING: Mapping[Aspect, tuple[str, ...]] = {
    Aspect.PERCEPTUAL_QUALITY: DAMAGE,
    Aspect.SIGNAL_FIDELITY: DAMAGE,
    Aspect.CONTENT_CONSISTENCY: ("SNR", "packet loss", "other words"),
    Aspect.TIMBRE_PRESERVATION: ("other speaker",),
}
"""The ladders on which a score of an aspect must stand: what it claims to hear."""


@dataclass(frozen=True, slots=True)
class Trend:
    """How a score went down one ladder."""

    of_means: float
    """Kendall's τ between the steps and the mean score of each: 1 if every step is worse than the last."""
    of_utterances: float
    """Mean τ of single utterances."""
    utterances: int
    """How many had a value at every step."""

    @property
    def is_enough(self) -> bool:
        """Whether a score that goes down like this may vote."""
        return self.of_means >= LEAST_TAU_OF_MEANS and self.of_utterances >= LEAST_TAU_OF_UTTERANCES


def trend_of(scores: Sequence[Sequence[float]], better: Better) -> Trend | None:
    """Return how ``scores`` went down, one row per utterance and the mildest step first; None without any."""
    if not scores:
        return None
    worse = np.asarray(scores) * (1.0 if better is Better.LOWER else -1.0)
    singly = [kendall_tau(row) for row in worse]
    return Trend(kendall_tau(worse.mean(axis=0)), float(np.mean(singly)), len(scores))


def kendall_tau(values: Sequence[float] | NDArray[np.float64]) -> float:
    """Return Kendall's τ-b of ``values`` and their places: 1 if they rise, 0 if they do not move."""
    from scipy.stats import kendalltau  # noqa: PLC0415 - takes most of a second to load

    tau = float(kendalltau(np.arange(len(values)), values).statistic)
    return 0.0 if np.isnan(tau) else round(tau, 9)  # 0.8 is a threshold, and comes out a hair under it


def may_vote(aspect: Aspect, climbs: Mapping[str, Trend | None]) -> bool:
    """Say whether a score of ``aspect`` went down well enough on every ladder that decides on it."""
    deciding = [climbs.get(ladder) for ladder in DECIDING[aspect]]
    return all(climb is not None and climb.is_enough for climb in deciding)
