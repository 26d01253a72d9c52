"""Bootstrap over utterances, one shard after the other, in memory that does not grow with their number."""

import numpy as np
from numpy.typing import NDArray

from pipeline.audit.records import Interval
from pipeline.progress.pair_yield import FEWEST_UTTERANCES
from stages.operators.rng import rng_for
from stages.prefer.comparisons import Floats64

BOOTSTRAP_RESAMPLES = 2_000
_DIGITS = 12
"""Of results: sums of shares of pairs are off in the last bits, and 50 % should read as that."""


class Bootstrap:
    """Resamples of a known number of utterances, with replacement, each of the same size as the whole."""

    def __init__(self, num_utterances: int) -> None:
        self._rng = rng_for(0, "audit")
        self._utterances_left = num_utterances
        self._draws_left = np.full(BOOTSTRAP_RESAMPLES, num_utterances)

    def draw_counts(self, num_utterances: int) -> NDArray[np.int64]:
        """Return how often each of the next utterances was drawn: resample × utterance.

        How many draws fall on them together is binomial, and multinomial among them: over all shards that
        is one multinomial draw of all utterances.
        """
        if not num_utterances:
            return np.zeros((BOOTSTRAP_RESAMPLES, 0), dtype=np.int64)
        here = self._rng.binomial(self._draws_left, num_utterances / self._utterances_left)
        self._draws_left = self._draws_left - here
        self._utterances_left -= num_utterances
        return self._rng.multinomial(here, np.full(num_utterances, 1 / num_utterances))


def interval_of(value: float, resampled: Floats64, num_utterances: int) -> Interval:
    """Return a value with the 2.5 % and 97.5 % points of what resamples give; NaN where one gives nothing."""
    known = resampled[~np.isnan(resampled)]
    if num_utterances < FEWEST_UTTERANCES or not known.size:
        return Interval(value=round(value, _DIGITS))
    low, high = np.percentile(known, (2.5, 97.5))
    return Interval(
        value=round(value, _DIGITS), low=round(float(low), _DIGITS), high=round(float(high), _DIGITS)
    )
