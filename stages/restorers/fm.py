"""Flow matching: band gains that a flow leads from noise to speech, this project's own network."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from stages.operators.restorer import RESTORERS
from stages.restorers.common.band_gains import BandGainModel, Temperature


@RESTORERS.register
class FlowMatching(BandGainModel):
    """Gains of bands drawn by conditional flow matching (Lipman et al. 2023), around a predictive estimate.

    ``temperature`` scales the noise that the flow begins with: takes are nearer to one another with less. By
    default it is 0.6, for at 1 what is drawn was less intelligible than the input.
    """

    kind: ClassVar[str] = "fm"
    weights: ClassVar[str] = "in this package, trained by this project; 'train' makes others"
    paradigm: ClassVar[str] = "flow matching"
    parts: ClassVar[tuple[str, ...]] = ("estimate", "fm")
    cost_s_per_s: ClassVar[float] = 0.1

    steps: Annotated[int, Field(ge=1, le=1000)] = 4
    """Of the midpoint rule, each of which asks the network twice."""
    temperature: Temperature = 0.6

    def draw_gains(self, condition: Any, stream: Any) -> Any:
        """Return gains from noise that the stream gives."""
        import torch  # noqa: PLC0415

        from stages.networks.generative.gains import NUM_BANDS  # noqa: PLC0415

        noise = torch.randn((1, NUM_BANDS, condition.shape[-1]), generator=stream).to(condition.device)
        return self._networks["fm"].draw(condition, self.temperature * noise, self.steps)
