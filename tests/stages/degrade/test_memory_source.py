"""Pools in memory."""

import numpy as np
import pytest

from schemas import AudioRef, IntegrityError
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.degrade.memory_source import MemoryAudioSource


def test_gives_back_what_was_added(hiss: Waveform) -> None:
    """A recording comes back to within 24 bits, with its facts, at its own rate and at others."""
    source = MemoryAudioSource()

    ref = source.add("noise", "hiss", hiss, {"rt60_s": 0.3})

    np.testing.assert_allclose(source.read(ref, 16_000).samples, hiss.samples, atol=2**-24)
    at_8k = source.read(ref, 8_000)
    np.testing.assert_allclose(at_8k.samples, resample(hiss, 8_000).samples, atol=1e-6)
    assert source.read(ref, 8_000) is at_8k, "resampled once"
    assert source.facts(ref) == {"rt60_s": 0.3}
    assert source.refs("noise") == (ref,)
    assert source.refs("rir") == ()


def test_keeps_recordings_apart(hiss: Waveform) -> None:
    """The same sound may lie in two pools with different facts, but not twice under one name."""
    source = MemoryAudioSource()
    first = source.add("a", "hiss", hiss, {"rt60_s": 0.1})
    second = source.add("b", "hiss", hiss, {"rt60_s": 0.2})

    assert source.facts(first) != source.facts(second)
    with pytest.raises(ValueError, match="already has a recording 'hiss'"):
        source.add("a", "hiss", hiss)


def test_knows_nothing_else(hiss: Waveform) -> None:
    """A reference to a recording that is not there is an error that names it."""
    ref = MemoryAudioSource().add("noise", "hiss", hiss)

    with pytest.raises(IntegrityError, match="pool 'noise' has no recording 'hiss'"):
        MemoryAudioSource().read(AudioRef.model_validate(ref.model_dump()), 16_000)
