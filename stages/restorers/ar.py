"""Autoregression: codes of band gains, one frame after the other, this project's own network."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from stages.operators.restorer import RESTORERS
from stages.restorers.common.band_gains import BandGainModel, Temperature


@RESTORERS.register
class Autoregression(BandGainModel):
    """Codes of band gains drawn frame by frame, and within a frame stage by stage, each from those before."""

    kind: ClassVar[str] = "ar"
    unverified: ClassVar[str] = "no trained weights ship yet: only small random ones were run"
    paradigm: ClassVar[str] = "autoregressive"
    parts: ClassVar[tuple[str, ...]] = ("estimate", "codes", "ar")
    cost_s_per_s: ClassVar[float] = 0.2

    temperature: Temperature = 0.8
    top: Annotated[int, Field(ge=1)] = 64
    """How many of the likeliest codes there are to draw from."""

    def draw_gains(self, condition: Any, stream: Any) -> Any:
        """Return the gains of codes that the stream draws."""
        codes = self._networks["ar"].draw(condition, stream, temperature=self.temperature, top=self.top)
        return self._networks["codes"].decode(codes)
