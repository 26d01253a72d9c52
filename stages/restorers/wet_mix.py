"""How much of a restoration is taken: the rest stays as it was."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from stages.resampling import fit_length
from stages.waveform import Waveform

Strength = Annotated[float, Field(gt=0.0, le=1.0)]
"""1 is the restoration alone; 0.5 is half of it and half of the input."""


def blend(dry: Waveform, wet: NDArray[np.floating[Any]], strength: float) -> Waveform:
    """Return ``strength`` of ``wet`` and the rest of ``dry``, as long as ``wet``: who fits it has to see."""
    if strength == 1.0:
        return dry.with_samples(wet)
    rest = (1.0 - strength) * fit_length(dry.samples, wet.size)
    return dry.with_samples(strength * wet + rest)
