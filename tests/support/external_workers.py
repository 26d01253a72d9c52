"""Workers that a test writes, and what is asked of the model in them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from schemas import BrokenError, Reason
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for
from stages.restorers.external import External

ROOT = Path(__file__).parents[2]
Write = Callable[..., External]
BODY = """
import os, sys, time
import numpy as np
from unanimous_worker import MissingError, serve

class Model:
    sample_rate = {rate!r}
    sampling = {sampling!r}

    def load(self, device, weights):
        {load}

    def restore(self, samples, sample_rate, seed, settings):
        {restore}

serve(Model())
"""


def restored(model: External, samples: np.ndarray, take: int = 0) -> np.ndarray:
    """Return what the model makes of a recording at 16 kHz."""
    return model.restore([Waveform(samples, 16_000)], [rng_for(0, "take", take)])[0].samples


def reason_of(model: External, samples: np.ndarray) -> Reason:
    """Return why the model has no restoration of ``samples``."""
    with pytest.raises(BrokenError) as caught:
        restored(model, samples)
    return caught.value.reason
