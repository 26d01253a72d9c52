"""WPE: late reverberation is predicted from the past and taken away."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from schemas import Reason, UnfitError
from stages.audio.waveform import Waveform
from stages.operators.distributions import Distribution, Integer, Uniform
from stages.operators.restorer import RESTORERS
from stages.operators.unbatched_restorer import UnbatchedRestorer

_HOP_S = 0.008
HOPS_PER_FRAME = 4


@RESTORERS.register
class Wpe(UnbatchedRestorer):
    """Offline weighted prediction error (Nakatani et al. 2010, after nara_wpe), one channel.

    The same bits only with one thread, which every process of a run has.
    """

    kind: ClassVar[str] = "wpe"
    licence: ClassVar[str] = "MIT"
    cost_s_per_s: ClassVar[float] = 0.045
    libraries: ClassVar[tuple[str, ...]] = ("nara_wpe",)
    draws: ClassVar[Mapping[str, Distribution]] = {
        "taps": Integer(low=6, high=30),
        "strength": Uniform(low=0.6, high=1.0),
    }

    taps: int = Field(default=20, ge=1, le=60)
    """Length of the prediction filter, in hops of 8 ms."""
    delay: int = Field(default=3, ge=1, le=20)
    """How far back the prediction starts, in hops of 8 ms: what is nearer counts as speech."""
    iterations: int = Field(default=3, ge=1, le=10)

    def restore_one(self, waveform: Waveform) -> NDArray[np.float64]:
        """Return the input with less reverberation. Raises ``UnfitError`` if the filter is not shorter."""
        from nara_wpe.utils import istft, stft  # noqa: PLC0415
        from nara_wpe.wpe import wpe_v8  # noqa: PLC0415

        shift = round(_HOP_S * waveform.sample_rate)
        size = HOPS_PER_FRAME * shift
        needed = (self.taps + self.delay) * shift
        if waveform.samples.size <= needed:
            raise UnfitError(Reason.TOO_SHORT, f"this WPE filter spans {needed} samples")
        bands = stft(waveform.samples.astype(np.float64), size, shift).T[:, np.newaxis, :]
        dry = wpe_v8(bands, taps=self.taps, delay=self.delay, iterations=self.iterations)
        return np.asarray(istft(dry[:, 0, :].T, size, shift))[: waveform.samples.size]
