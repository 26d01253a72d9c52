"""Pumping: an automatic gain control that chases every pause and every word."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from stages.audio.waveform import AudioSource
from stages.dsp.dynamics import Ballistics, amplify, peaks_db
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, Uniform


@DEGRADATIONS.register
class AgcPumping(Degradation):
    """A gain that brings the peaks to ``target_db``, fast downwards and slowly upwards.

    In pauses the gain climbs and lifts whatever noise there is; the next word starts too loud. The
    ranges are ours, after the release times of speech AGCs, 0.1 to 1 s.
    """

    kind: ClassVar[str] = "agc_pumping"
    version: ClassVar[int] = 2
    draws: ClassVar[Mapping[str, Distribution]] = {
        "target_db": Uniform(low=-15.0, high=-3.0),
        "most_gain_db": Uniform(low=6.0, high=24.0),
        "attack_ms": Uniform(low=2.0, high=20.0),
        "release_ms": Uniform(low=100.0, high=1_000.0),
    }

    target_db: float = Field(ge=-60.0, le=0.0)
    """Peak level in dBFS that the control aims at."""
    most_gain_db: float = Field(ge=0.0, le=60.0)
    """Highest gain, reached in silence."""
    most_cut_db: float = Field(default=40.0, ge=0.0, le=80.0)
    """Strongest reduction."""
    attack_ms: float = Field(default=10.0, ge=0.0, le=1_000.0)
    """Until 63 % of a fall of the gain are done."""
    release_ms: float = Field(default=300.0, ge=0.0, le=10_000.0)
    """Until 63 % of a rise of the gain are done."""

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Pump, and report the lowest and the highest gain."""
        speech = scene.degraded
        wanted_db = np.clip(self.target_db - peaks_db(speech), -self.most_cut_db, self.most_gain_db)
        ballistics = Ballistics(self.attack_ms, self.release_ms)
        gains_db = ballistics.smooth(wanted_db, speech.sample_rate)
        facts = {
            "applied": float(bool(np.any(gains_db))),
            "lowest_gain_db": float(gains_db.min()),
            "highest_gain_db": float(gains_db.max()),
        }
        return Scene(amplify(speech, gains_db), scene.reference, facts)
