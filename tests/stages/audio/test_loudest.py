"""Where a recording is loudest, at which lags are looked for."""

import numpy as np
import pytest

from stages.audio.audible import remove_infrasound
from stages.audio.lag import find_loudest
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for

RATE = 16_000


@pytest.mark.parametrize(("size", "length", "hop"), [(5_000, 1_000, 50), (1_049, 1_000, 50), (999, 100, 7)])
def test_is_where_the_most_energy_is(size: int, length: int, hop: int) -> None:
    """No stretch of that length, looked at every hop, has more; the whole if there is no more than one."""
    samples = rng_for(size, "loudest").standard_normal(size).astype(np.float32)
    length = length // hop * hop

    found = find_loudest(Waveform(samples, RATE), length, hop)

    heard = remove_infrasound(samples, RATE)
    energies = [np.sum(heard[start : start + length] ** 2) for start in range(0, size - length + 1, hop)]
    assert found.stop - found.start == length
    assert np.sum(heard[found] ** 2) == pytest.approx(max(energies), rel=1e-3)
    assert find_loudest(Waveform(samples[:length], RATE), length, hop) == slice(0, length)
