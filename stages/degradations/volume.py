"""Volume: speech that is simply too quiet or too loud."""

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import Field, model_validator

from stages.audio.level import from_db, peak, to_db
from stages.audio.waveform import AudioSource
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, OneOf


@DEGRADATIONS.register
class Volume(Degradation):
    """One gain, or the gain that brings the peak to ``peak``; the reference keeps its level.

    The default is SonicMaster's: peaks of −60, −50, −40 and −26 dBFS. Silence stays silence.
    """

    kind: ClassVar[str] = "volume"
    draws: ClassVar[Mapping[str, Distribution]] = {"peak": OneOf(values=(0.001, 0.003, 0.01, 0.05))}

    gain_db: float | None = Field(default=None, ge=-100.0, le=60.0)
    """Change of level; or set ``peak``."""
    peak: float | None = Field(default=None, gt=0.0, le=1.0)
    """Highest absolute value afterwards; or set ``gain_db``."""

    @model_validator(mode="after")
    def _has_one_measure(self) -> Self:
        if (self.gain_db is None) == (self.peak is None):
            raise ValueError("set gain_db or peak, and the other one to null")
        return self

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Change the level, and report by how much."""
        gain = self._gain(peak(scene.degraded.samples))
        facts = {"applied": float(gain != 1.0), "gain_db": to_db(gain)}
        return Scene(scene.degraded.scale(gain), scene.reference, facts)

    def _gain(self, loudest: float) -> float:
        if self.gain_db is not None:
            return from_db(self.gain_db)
        return self.peak / loudest if self.peak and loudest > 0.0 else 1.0
