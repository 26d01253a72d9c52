"""An interfering speaker: one other voice that is not the one to be restored."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from schemas import AudioRef
from stages.audio.waveform import AudioSource, Waveform
from stages.degradations.common.added_sound import AddedSound, Sound
from stages.dsp.mixing import SnrDefinition, stretch_of
from stages.operators.degradation import DEGRADATIONS
from stages.operators.distributions import Distribution, FromPool, Uniform


@DEGRADATIONS.register
class InterferingSpeaker(AddedSound):
    """A stretch of ``voice`` under the speech; ``snr_db`` is the signal-to-interference ratio.

    The default range is UniSE's for enhancement, 2 to 20 dB; AATC 2025 has 0 to 10 dB.
    """

    kind: ClassVar[str] = "interfering_speaker"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "voice": FromPool(pool="speech", other_speaker=True),
        "offset_fraction": Uniform(low=0.0, high=1.0),
        "snr_db": Uniform(low=2.0, high=20.0),
    }
    speaks: ClassVar[bool] = True

    voice: AudioRef
    offset_fraction: float = Field(ge=0.0, lt=1.0)
    """Where the stretch starts, as a fraction of the places where it can."""
    snr_definition: SnrDefinition = "p56"
    """``p56``: both are speech, so both are measured by their active speech level (ITU-T P.56).
    ``rms_full``, ``rms_active`` and ``lufs`` as for noise."""

    def sound_for(self, speech: Waveform, sources: AudioSource) -> Sound:
        """Return the stretch, and where it starts."""
        voice = sources.read(self.voice, speech.sample_rate)
        stretch, start = stretch_of(
            voice.samples, self.offset_fraction, speech.samples.size, speech.sample_rate
        )
        return stretch, {"start_sample": float(start)}
