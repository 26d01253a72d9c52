"""Several channels become one, and what is lost on the way is known: channels may cancel each other."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schemas import Reason, UnfitError
from stages.audio.level import SILENCE_RMS
from stages.audio.waveform import Samples

ChannelRule = Literal["mean", "first", "reject"]
_ENTIRELY_DB = 99.0


class MixDown:
    """Mix blocks of one recording down, and add up how loud its channels and their mix are without offset."""

    def __init__(self, rule: ChannelRule) -> None:
        self._rule = rule
        self._size = 0
        self._sums: NDArray[np.float64] = np.zeros(1)
        self._energies: NDArray[np.float64] = np.zeros(1)

    def mix(self, block: NDArray[np.float32]) -> Samples:
        """Return the mean of the channels, or the first one if that is the rule."""
        if self._rule != "mean" or block.shape[1] == 1:
            return np.ascontiguousarray(block[:, 0])
        mixed = block.mean(axis=1, dtype=np.float64)
        self._add(np.column_stack([block, mixed]))
        return np.asarray(mixed, dtype=np.float32)

    def _add(self, signals: NDArray[np.float64]) -> None:
        self._size += len(signals)
        self._sums = self._sums + signals.sum(axis=0)
        self._energies = self._energies + np.square(signals).sum(axis=0)

    @property
    def loss_db(self) -> float:
        """By how much the mix is quieter than that of as loud channels that have nothing in common.

        0 if it is not, if there is nothing to mix, and for silence. Of equal channels the mix is louder; one
        that is silent changes nothing; of two that are as loud, correlated by -0.75, 6 dB are lost.
        """
        if self._size == 0:
            return 0.0
        powers = self._energies / self._size - np.square(self._sums / self._size)
        expected = powers[:-1].sum() / (powers.size - 1) ** 2
        if expected < SILENCE_RMS**2:
            return 0.0
        return max(0.0, float(10 * np.log10(expected / max(powers[-1], expected * 1e-12))))


def check_mix(loss_db: float, max_loss_db: float | None) -> None:
    """Raise ``UnfitError`` if the channels of a recording cancel each other by more than is allowed."""
    if max_loss_db is not None and loss_db > max_loss_db:
        lost = "nothing is left of them" if loss_db > _ENTIRELY_DB else f"they lose {loss_db:.1f} dB"
        raise UnfitError(
            Reason.CHANNELS_CANCEL,
            f"mixed down {lost}, over the {max_loss_db:g} dB allowed: one may be inverted; "
            "'channels: first' takes one of them",
        )
