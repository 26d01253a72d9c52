"""Nothing at all: the control that every model must beat."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from stages.audio.waveform import Waveform
from stages.operators.restorer import RESTORERS, Restorer


@RESTORERS.register
class Identity(Restorer):
    """The input, bit for bit."""

    kind: ClassVar[str] = "identity"
    paradigm: ClassVar[str] = "none"
    cost_s_per_s: ClassVar[float] = 0.005
    restores_level: ClassVar[bool] = True

    def restore(
        self,
        batch: Sequence[Waveform],
        streams: Sequence[np.random.Generator],  # noqa: ARG002
    ) -> Sequence[Waveform]:
        """Return what came in."""
        return tuple(batch)
