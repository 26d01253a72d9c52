"""Babble: several other people talking at once."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from schemas import AudioRef, Reason, UnfitError
from stages.audio.audible import is_inaudible
from stages.audio.level import from_db
from stages.audio.waveform import AudioSource, Waveform
from stages.degradations.common.added_sound import AddedSound, Sound
from stages.dsp.mixing import level_of, stretch_of
from stages.operators.degradation import DEGRADATIONS
from stages.operators.distributions import Distribution, Integer, SeveralFromPool, Uniform
from stages.operators.rng import rng_for


@DEGRADATIONS.register
class Babble(AddedSound):
    """All ``voices`` at once, each begun somewhere, looped if short, at nearly the same level.

    Three to eight voices: fewer are interfering speakers, more are hardly told from stationary noise
    (Krishnamurthy and Hansen 2009). The SNR is URGENT's for noise; ±3 dB between voices is ours. Voices
    that are silent in the stretch are left out; if all are, ``UnfitError`` is raised.
    """

    kind: ClassVar[str] = "babble"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "voices": SeveralFromPool(pool="speech", low=3, high=8, other_speaker=True),
        "seed": Integer(low=0, high=2**31 - 1),
        "snr_db": Uniform(low=-5.0, high=20.0),
    }

    voices: tuple[AudioRef, ...] = Field(min_length=2, max_length=64)
    seed: int = Field(ge=0)
    """Decides where each voice starts and how loud it is."""
    level_spread_db: float = Field(default=3.0, ge=0.0, le=20.0)
    """By how much a voice may be louder or quieter than the middle."""

    def sound_for(self, speech: Waveform, sources: AudioSource) -> Sound:
        """Return the babble, how many voices can be heard in it, and where the stretch of each starts."""
        rng = rng_for(self.seed, self.kind)
        total, heard, starts = np.zeros_like(speech.samples), 0, []
        for ref in self.voices:
            offset, level_db = rng.uniform(), rng.uniform(-self.level_spread_db, self.level_spread_db)
            voice = sources.read(ref, speech.sample_rate).samples
            stretch, start = stretch_of(voice, offset, total.size, speech.sample_rate)
            starts.append(float(start))
            if is_inaudible(stretch, speech.sample_rate):
                continue
            level = level_of(speech.with_samples(stretch), "rms_active")
            total += stretch * np.float32(from_db(level_db) / level)
            heard += 1
        if heard == 0:
            raise UnfitError(Reason.SILENT, "no voice can be heard in the stretch of babble")
        return total, {"voices_heard": float(heard), "start_samples": tuple(starts)}
