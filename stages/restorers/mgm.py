"""Masked generation: codes of band gains, guessed in a few rounds, this project's own network."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from stages.operators.restorer import RESTORERS
from stages.restorers.common.band_gains import BandGainModel, Temperature


@RESTORERS.register
class MaskedGeneration(BandGainModel):
    """Codes of band gains filled in by rounds, the surest first, as MaskGIT and MaskSR fill in theirs."""

    kind: ClassVar[str] = "mgm"
    unverified: ClassVar[str] = "no trained weights ship yet: only small random ones were run"
    paradigm: ClassVar[str] = "masked generative"
    parts: ClassVar[tuple[str, ...]] = ("estimate", "codes", "mgm")
    cost_s_per_s: ClassVar[float] = 0.2

    rounds: Annotated[int, Field(ge=1, le=1000)] = 8
    """Of filling in, along a cosine."""
    temperature: Temperature = 1.0
    guidance: Annotated[float, Field(ge=0.0, le=10.0)] = 0.0
    """By how much to move away from what would be guessed without hearing the input."""

    def draw_gains(self, condition: Any, stream: Any) -> Any:
        """Return the gains of codes that the stream draws."""
        codes = self._networks["mgm"].draw(
            condition, stream, rounds=self.rounds, temperature=self.temperature, guidance=self.guidance
        )
        return self._networks["codes"].decode(codes)
