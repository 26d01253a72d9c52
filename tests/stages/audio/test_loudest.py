"""Where a recording is loudest, at which lags are looked for."""

import numpy as np
import pytest

from stages.audio.lag import find_loudest
from stages.operators.rng import rng_for


@pytest.mark.parametrize(("size", "length", "hop"), [(5_000, 1_000, 50), (1_049, 1_000, 50), (999, 100, 7)])
def test_is_where_the_most_energy_is(size: int, length: int, hop: int) -> None:
    """No stretch of that length, looked at every hop, has more; the whole if there is no more than one."""
    samples = rng_for(size, "loudest").standard_normal(size).astype(np.float32)
    length = length // hop * hop

    found = find_loudest(samples, length, hop)

    energies = [np.sum(samples[start : start + length] ** 2) for start in range(0, size - length + 1, hop)]
    assert found.stop - found.start == length
    assert np.sum(samples[found] ** 2) == pytest.approx(max(energies))
    assert find_loudest(samples[:length], length, hop) == slice(0, length)
