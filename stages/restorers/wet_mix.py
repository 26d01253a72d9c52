"""How much of a restoration is taken: the rest stays as it was."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from stages.resampling import fit_length
from stages.waveform import Waveform

Strength = Annotated[float, Field(gt=0.0, le=1.0)]
"""1 is the restoration alone; 0.5 is half of it and half of the input."""


def wet_mix(dry: Waveform, wet: NDArray[np.floating[Any]], strength: float) -> Waveform:
    """Return ``strength`` of ``wet`` and the rest of ``dry``; all of ``wet``, of whatever length, at 1."""
    if strength == 1.0:
        return dry.with_samples(wet)
    fitted = fit_length(wet, dry.samples.size)
    return dry.with_samples(strength * fitted + (1.0 - strength) * dry.samples)
