"""What all degradations that change the spectrum have in common: gains over frequency, and no phase."""

from abc import abstractmethod
from typing import ClassVar

from stages.audio.waveform import AudioSource, Waveform
from stages.dsp.spectral_gain import Gains, Hertz, apply_gains
from stages.operators.degradation import Degradation, Scene


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

    def changed(self, speech: Waveform) -> Waveform:
        """Return ``speech`` with its spectrum changed, where there is something to change."""
        return apply_gains(speech, lambda hertz: self.gains(hertz, speech.sample_rate))

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Change the spectrum, and report whether there was anything to change."""
        speech, rate = scene.degraded, scene.degraded.sample_rate
        acts = self.acts_at(rate)
        facts = {"applied": float(acts)} | self.facts_at(rate)
        return Scene(self.changed(speech) if acts else speech, scene.reference, facts)
