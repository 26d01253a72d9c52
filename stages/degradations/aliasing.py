"""Aliasing: sampled too slowly and without a filter, so that high frequencies come back as low ones."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from stages.audio.waveform import AudioSource, Samples, Waveform
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, LogUniform

_MARGIN_S = 0.05


@DEGRADATIONS.register
class Aliasing(Degradation):
    """Sampling at ``sample_rate_hz`` without an anti-aliasing filter, and a perfect way back up.

    A tone at f comes out at the distance from f to the nearest multiple of the rate. The fact
    ``sample_rate_hz`` is the rate that was met: the nearest with a whole number of samples. The default
    range is ours, from a toy to a good telephone. Speech at a rate no higher than that stays as it is.
    """

    kind: ClassVar[str] = "aliasing"
    draws: ClassVar[Mapping[str, Distribution]] = {"sample_rate_hz": LogUniform(low=4_000.0, high=20_000.0)}

    sample_rate_hz: float = Field(ge=500.0, le=384_000.0)
    """How often the speech is looked at, per second."""

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Fold down what is above half of the rate, and report whether there was anything to fold."""
        speech = scene.degraded
        if self.sample_rate_hz >= speech.sample_rate:
            return Scene(speech, scene.reference, {"applied": 0.0})
        size, period = self._period(speech)
        facts = {"applied": 1.0, "sample_rate_hz": speech.sample_rate * period / size}
        return Scene(speech.with_samples(self._sample(speech)), scene.reference, facts)

    def _period(self, speech: Waveform) -> tuple[int, int]:
        """Return how many samples are looked at, out of how many: the speech, and silence after it."""
        from scipy import fft  # noqa: PLC0415 - 0.3 s

        margin = round(_MARGIN_S * speech.sample_rate)
        size = fft.next_fast_len(speech.samples.size + margin, real=True)
        return size, max(2, round(size * self.sample_rate_hz / speech.sample_rate))

    def _sample(self, speech: Waveform) -> Samples:
        from scipy import fft  # noqa: PLC0415 - 0.3 s

        size, period = self._period(speech)
        spectrum = _fold(fft.rfft(speech.samples, size), period)
        return np.asarray(fft.irfft(spectrum, size)[: speech.samples.size])


def _fold(spectrum: NDArray[np.complex64], period: int) -> NDArray[np.complex64]:
    """Return what a spectrum becomes when only ``period`` evenly spaced samples are looked at.

    Around each multiple of ``period`` the bins above it come down as they are, those below it mirrored.
    """
    reach = (period + 1) // 2
    folded = np.zeros_like(spectrum)
    folded[:reach] = spectrum[:reach]
    for centre in range(period, spectrum.size + reach, period):
        above = spectrum[centre : centre + reach]
        below = spectrum[centre - reach + 1 : centre + 1][::-1].conj()
        missing = max(0, centre + 1 - spectrum.size)
        folded[: above.size] += above
        folded[missing : missing + below.size] += below
    if period % 2 == 0:  # the middle between two multiples is its own mirror image
        folded[reach] = spectrum[reach::period].real.sum()
    return folded
