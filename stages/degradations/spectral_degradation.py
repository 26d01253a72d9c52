"""What all degradations that change the spectrum have in common: gains over frequency, and no phase."""

from abc import abstractmethod
from typing import ClassVar

from stages.degradations.base import Degradation, Scene
from stages.spectral_gain import Gains, Hertz, filtered
from stages.waveform import AudioSource, Waveform


class SpectralDegradation(Degradation):
    """Gains over frequency, applied without phase: no delay, no change of polarity."""

    version: ClassVar[int] = 2

    @abstractmethod
    def gains(self, hertz: Hertz, sample_rate: int) -> Gains:
        """Return the gain at each frequency, none negative."""

    def acts_at(self, sample_rate: int) -> bool:  # noqa: ARG002
        """Whether there is anything to change in speech at ``sample_rate``."""
        return True

    def facts_at(self, sample_rate: int) -> dict[str, float]:  # noqa: ARG002
        """Return what is known of it at ``sample_rate``, beyond its settings."""
        return {}

    def apply(self, speech: Waveform, sources: AudioSource) -> Waveform:  # noqa: ARG002
        """Return ``speech`` with its spectrum changed, or as it was if there is nothing to change."""
        rate = speech.sample_rate
        return filtered(speech, lambda hertz: self.gains(hertz, rate)) if self.acts_at(rate) else speech

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:
        """Change the spectrum, and report whether there was anything to change."""
        rate = scene.degraded.sample_rate
        facts = {"applied": float(self.acts_at(rate))} | self.facts_at(rate)
        return Scene(self.apply(scene.degraded, sources), scene.reference, facts)
