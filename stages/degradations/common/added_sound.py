"""What all degradations that add a sound have in common: its level against the speech."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from schemas import Fact
from stages.audio.waveform import AudioSource, Samples, Waveform
from stages.dsp.mixing import Snr, SnrDefinition, mix
from stages.operators.degradation import Degradation, Scene

Sound = tuple[Samples, Mapping[str, Fact]]
"""What is to be added, at any level, and what is known of it."""


class AddedSound(Degradation):
    """Something under the speech, at a stated ratio.

    Raises ``UnfitError`` if the speech or what is added is silent: no SNR is defined then.
    """

    version: ClassVar[int] = 5
    speaks: ClassVar[bool] = False
    """Whether what is added is one voice, whose level is then measured as that of the speech is."""

    snr_db: float = Field(ge=-60.0, le=100.0)
    """Level of the speech over that of what is added, of what can be heard of either."""
    snr_definition: SnrDefinition = "rms_active"
    """``rms_full``: RMS over all samples. ``rms_active``: over the frames that are not silent, of either.
    ``p56``: active speech level (ITU-T P.56) over full RMS. ``lufs``: loudness (ITU-R BS.1770)."""

    @abstractmethod
    def sound_for(self, speech: Waveform, sources: AudioSource) -> Sound:
        """Return what is to be added to ``speech``, as long as that, and facts about it."""

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:
        """Mix, and report what was added, its gain and peak, and the SNR that was reached."""
        sound, facts = self.sound_for(scene.degraded, sources)
        snr = Snr(self.snr_db, self.snr_definition, added_is_speech=self.speaks)
        mixture = mix(scene.degraded, sound, snr)
        return Scene(mixture.waveform, scene.reference, {**facts, **mixture.facts})
