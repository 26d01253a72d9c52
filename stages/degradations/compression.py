"""Compression: loud parts turned down, so that the quiet ones, and what lies under them, come up."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from stages.audio.waveform import AudioSource, Waveform
from stages.dsp.dynamics import Ballistics, Control, amplify, peaks_db
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, Uniform


@DEGRADATIONS.register
class Compression(Degradation):
    """A feed-forward compressor with a hard knee on peak levels (Giannoulis, Massberg and Reiss 2012).

    The defaults are SonicMaster's. Speech that never reaches ``threshold_db`` is only made up for.
    """

    kind: ClassVar[str] = "compression"
    version: ClassVar[int] = 2
    draws: ClassVar[Mapping[str, Distribution]] = {
        "threshold_db": Uniform(low=-45.0, high=-38.0),
        "ratio": Uniform(low=6.0, high=45.0),
        "attack_ms": Uniform(low=3.0, high=150.0),
        "release_ms": Uniform(low=80.0, high=250.0),
        "make_up_gain_db": Uniform(low=16.0, high=25.0),
    }

    threshold_db: float = Field(ge=-90.0, le=0.0)
    """Peak level in dBFS above which the gain falls."""
    ratio: float = Field(ge=1.0, le=1_000.0)
    """dB of input for one dB of output above the threshold."""
    attack_ms: float = Field(default=10.0, ge=0.0, le=1_000.0)
    """Until 63 % of a reduction are there."""
    release_ms: float = Field(default=100.0, ge=0.0, le=5_000.0)
    """Until 63 % of a reduction are gone again, 10 ms of holding not counted."""
    make_up_gain_db: float = Field(default=0.0, ge=-40.0, le=60.0)
    """Gain after the reduction, on all of it."""

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Compress, and report the largest and the mean reduction."""
        speech = scene.degraded
        gains_db = self._gains_db(speech)
        facts = {
            "applied": float(bool(np.any(gains_db + self.make_up_gain_db))),
            "most_reduction_db": -float(gains_db.min()),
            "mean_reduction_db": -float(gains_db.mean()),
        }
        return Scene(amplify(speech, gains_db + self.make_up_gain_db), scene.reference, facts)

    def _gains_db(self, speech: Waveform) -> Control:
        excess_db = np.maximum(peaks_db(speech) - self.threshold_db, 0.0)
        wanted_db = -(1.0 - 1.0 / self.ratio) * excess_db
        ballistics = Ballistics(self.attack_ms, self.release_ms)
        return ballistics.smooth(wanted_db, speech.sample_rate)
