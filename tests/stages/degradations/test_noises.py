"""Several noises at once."""

import numpy as np
import pytest
from pydantic import ValidationError

from schemas import AudioRef
from stages.audio.waveform import Waveform
from stages.degradations.noises import Noises
from stages.degrade.memory_source import MemoryAudioSource
from stages.operators.degradation import Scene
from tests.support.measured_response import RATE, SOURCES, amplitude_of, tone, white


def held() -> tuple[MemoryAudioSource, tuple[AudioRef, ...]]:
    """Return two noises that can be told from one another."""
    sources = MemoryAudioSource()
    sources.add("noise", "low", tone(1_000.0, 0.01, seconds=3.0))
    sources.add("noise", "high", tone(3_000.0, 0.9, seconds=3.0))
    return sources, sources.refs("noise")


def test_has_the_relative_levels_and_the_total_snr() -> None:
    """However loud the recordings are, the second is 6 dB under the first, and both are at 3 dB."""
    sources, refs = held()
    speech = white(2.0)
    noises = Noises(noises=refs, seed=0, levels_db=(0.0, -6.0), snr_db=3.0, snr_definition="rms_full")

    scene = noises.damage(Scene(speech, speech), sources)

    added = speech.with_samples(scene.degraded.samples - speech.samples)
    ratio = amplitude_of(added, 1_000.0) / amplitude_of(added, 3_000.0)
    assert 20.0 * np.log10(ratio) == pytest.approx(6.0, abs=0.05)
    assert scene.facts["snr_db"] == pytest.approx(3.0, abs=0.01)
    assert scene.facts["level_2_db"] == -6.0


def test_draws_levels_and_places_from_its_seed_and_says_which() -> None:
    """Without levels each is within the spread, and the facts hold them."""
    sources, refs = held()
    speech = white()

    facts = (
        Noises(noises=refs, seed=5, level_spread_db=4.0, snr_db=0.0)
        .damage(Scene(speech, speech), sources)
        .facts
    )

    assert -4.0 <= facts["level_1_db"] <= 4.0
    assert facts["level_1_db"] != facts["level_2_db"]
    assert 0.0 <= facts["start_1_sample"] <= 2 * RATE


def test_each_level_belongs_to_a_noise() -> None:
    """Two noises with three levels are a mistake."""
    _, refs = held()

    with pytest.raises(ValidationError, match="2 noises have 3 levels"):
        Noises(noises=refs, seed=0, levels_db=(0.0, 1.0, 2.0), snr_db=0.0)


def test_takes_at_most_four() -> None:
    """Five are babble, or a mistake."""
    ref = SOURCES.add("noise", "noises", Waveform(np.ones(100, np.float32), RATE))

    with pytest.raises(ValidationError, match="at most 4"):
        Noises(noises=(ref,) * 5, seed=0, snr_db=0.0)
