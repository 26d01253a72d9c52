"""What is stored is what is read: to the nearest step, up to the very edge of full scale."""

import numpy as np
import pytest

from stages.audio.flac import FLAC_CEILING, decode_flac, digest_of, encode_flac
from stages.audio.waveform import Waveform

JUST_UNDER_1 = float(np.nextafter(np.float32(1), np.float32(0)))
"""Half a step over the highest one."""


@pytest.mark.parametrize("peak", [FLAC_CEILING, JUST_UNDER_1, 1.0, 1.0000001, 1.7])
@pytest.mark.parametrize("sign", [1, -1])
def test_no_peak_turns_into_its_opposite(peak: float, sign: int) -> None:
    """Samples that round to 1, which has no step, go to the highest there is; digests are of what is read."""
    samples = np.array([0.0, 0.25, sign * peak, -0.5], dtype=np.float32)

    stored = encode_flac(Waveform(samples, 16_000))

    read = decode_flac(stored).samples
    gain = 10 ** (stored.gain_db / 20)
    np.testing.assert_allclose(read, np.clip(samples * gain, -1, FLAC_CEILING), atol=2**-23)
    assert digest_of(stored.flac) == stored.digest
