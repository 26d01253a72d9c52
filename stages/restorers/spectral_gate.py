"""Spectral gating: what does not rise over the noise floor of its band is turned down."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from schemas import Reason, UnfitError
from stages.audio.waveform import Waveform
from stages.operators.distributions import Distribution, OneOf, Uniform
from stages.operators.restorer import RESTORERS, Restorer
from stages.operators.unbatched_restorer import Strength

_FRAME_S = 0.064
FRAME_MULTIPLE = 4


@RESTORERS.register
class SpectralGate(Restorer):
    """The gate of noisereduce (Sainburg), in frames of 64 ms at whatever rate comes in."""

    kind: ClassVar[str] = "spectral_gate"
    licence: ClassVar[str] = "MIT"
    cost_s_per_s: ClassVar[float] = 0.012
    libraries: ClassVar[tuple[str, ...]] = ("noisereduce",)
    draws: ClassVar[Mapping[str, Distribution]] = {
        "stationary": OneOf(values=(False, True)),
        "strength": Uniform(low=0.5, high=1.0),
    }

    stationary: bool = False
    """Whether one noise floor holds for the whole recording, or follows it over two seconds."""
    strength: Strength = 0.9
    """The share of the noise that is taken away."""

    def restore(
        self,
        batch: Sequence[Waveform],
        streams: Sequence[np.random.Generator],  # noqa: ARG002
    ) -> Sequence[Waveform]:
        """Return the gated inputs. Raises ``UnfitError`` for less than one frame."""
        return [waveform.with_samples(self._gate(waveform)) for waveform in batch]

    def _gate(self, waveform: Waveform) -> np.ndarray:
        from noisereduce import reduce_noise  # noqa: PLC0415 - costs most of a second

        frame = round(_FRAME_S * waveform.sample_rate / FRAME_MULTIPLE) * FRAME_MULTIPLE
        length = waveform.samples.size
        if length < frame:
            raise UnfitError(Reason.TOO_SHORT, f"a spectral gate needs {frame} samples, got {length}")
        gated = reduce_noise(
            y=waveform.samples,
            sr=waveform.sample_rate,
            stationary=self.stationary,
            prop_decrease=self.strength,
            n_fft=frame,
            chunk_size=length,  # a second chunk would go through a temporary file
            n_jobs=1,
        )
        return np.asarray(gated)
