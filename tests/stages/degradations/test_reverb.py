"""Reverberation."""

from typing import Any

import numpy as np
import pytest

from schemas import BrokenError, UnfitError
from stages.audio.level import peak, ratio_db
from stages.audio.waveform import Waveform
from stages.degradations.reverb import Reverb
from stages.degrade.memory_source import MemoryAudioSource
from stages.operators.degradation import Scene
from stages.operators.rng import rng_for

RATE = 16_000
SPEECH = Waveform((0.1 * rng_for(0, "speech").standard_normal(RATE)).astype(np.float32), RATE)


def damaged(response: np.ndarray, facts: dict[str, float] | None = None, **settings: Any) -> Scene:
    """Return the speech after it was heard through ``response``."""
    sources = MemoryAudioSource()
    ref = sources.add("rir", "room", Waveform(response.astype(np.float32), RATE), facts)
    return Reverb(response=ref, **settings).damage(Scene(SPEECH, SPEECH), sources)


def strong_reflections(polarity: float = 1.0) -> np.ndarray:
    """Return a room whose reflection after 28 ms is louder than its direct sound."""
    response = np.zeros(8_000)
    response[250], response[700], response[5_000] = 0.4 * polarity, 0.8, 0.01
    return response


@pytest.mark.parametrize("polarity", [1.0, -1.0])
@pytest.mark.parametrize("known", [True, False])
def test_direct_sound_stays_where_it_is(polarity: float, known: bool) -> None:  # noqa: FBT001 - a parameter
    """It is neither late nor loud nor upside down, even where a reflection is louder."""
    facts = {"direct_path_sample": 250.3} if known else None

    scene = damaged(strong_reflections(polarity), facts, target="dry")

    assert scene.facts["direct_path_sample"] == 250
    head = slice(0, 400)  # before the first reflection
    np.testing.assert_allclose(scene.degraded.samples[head], SPEECH.samples[head], atol=1e-5)


def test_known_direct_path_is_believed_and_moved_to_the_speech_rate() -> None:
    """A response at another rate has its direct path at the same time."""
    sources = MemoryAudioSource()
    response = np.zeros(24_000, np.float32)
    response[600] = 0.5
    ref = sources.add("rir", "48k", Waveform(response, 48_000), {"direct_path_sample": 600.0})

    scene = Reverb(response=ref).damage(Scene(SPEECH, SPEECH), sources)

    assert scene.facts["direct_path_sample"] == 200
    # One sample beside it, white noise would differ by its own power and more: −3 dB.
    assert ratio_db(SPEECH.samples, scene.degraded.samples - SPEECH.samples) > 12


def test_says_what_is_known_of_the_room() -> None:
    """Its size, from the pool; its reverberation time as it was measured here, not as the pool has it."""
    tail = rng_for(0, "tail").standard_normal(8_000) * 10.0 ** (-3.0 * np.arange(8_000) / RATE / 0.2)
    known = {"direct_path_sample": 100.0, "length_m": 5.5, "rt60_s": 9.0}

    scene = damaged(np.r_[np.zeros(100), 1.0, 0.1 * tail], known)

    assert scene.facts["length_m"] == 5.5
    assert scene.facts["rt60_s"] == pytest.approx(0.2, rel=0.1)


def test_dry_reference_is_left_alone() -> None:
    """With ``target: dry`` restorations are judged by the speech as it was."""
    assert damaged(strong_reflections(), target="dry").reference is SPEECH


def test_early_reference_holds_the_early_reflections_only() -> None:
    """With ``target: early`` reverberation beyond ``early_ms`` is what there is to remove."""
    scene = damaged(strong_reflections(), target="early", early_ms=50.0)

    late = scene.degraded.samples - scene.reference.samples
    expected = np.r_[np.zeros(4_750), 0.01 / 0.4 * SPEECH.samples[:-4_750]]
    np.testing.assert_allclose(late, expected, atol=1e-5)


def test_aatc_window_and_peak() -> None:
    """−1 to +5 ms and a reverberant peak of 0.5: both sides take the same gain."""
    settings = {"target": "early", "pre_ms": 1.0, "early_ms": 5.0}
    plain = damaged(strong_reflections(), **settings)

    scene = damaged(strong_reflections(), **settings, reverberant_peak=0.5)

    assert peak(scene.degraded.samples) == pytest.approx(0.5)
    for levelled, as_it_was in (
        (scene.degraded, plain.degraded),
        (scene.reference, plain.reference),
    ):
        assert ratio_db(levelled.samples, as_it_was.samples) == pytest.approx(
            scene.facts["gain_db"], abs=1e-3
        )


def test_nothing_wraps_around() -> None:
    """The tail of a long response at the end of the speech does not come back at its beginning."""
    speech = np.zeros(RATE, np.float32)
    speech[-100] = 1.0
    sources = MemoryAudioSource()
    long = 0.3 * rng_for(0, "long").standard_normal(3 * RATE) * np.exp(-np.arange(3 * RATE) / RATE)
    long[0] = 1.0
    ref = sources.add("rir", "long", Waveform(long.astype(np.float32), RATE))

    wet = Reverb(response=ref).apply(Waveform(speech, RATE), sources)

    assert peak(wet.samples[:-100]) < 1e-6


def test_measures_the_room() -> None:
    """Reverberation time and direct-to-reverberant ratio are in the facts; what cannot be read is not."""
    t = np.arange(RATE) / RATE
    tail = 0.1 * rng_for(0, "tail").standard_normal(RATE) * 10.0 ** (-3.0 * t / 0.4)

    room, one_echo = damaged(np.r_[1.0, tail]), damaged(np.r_[1.0, np.zeros(99), 0.1])

    assert room.facts["rt60_s"] == pytest.approx(0.4, rel=0.05)
    assert room.facts["drr_db"] < 0.0
    assert one_echo.facts["drr_db"] == pytest.approx(20.0, abs=0.01)
    assert "rt60_s" not in one_echo.facts


def test_refuses_responses_that_are_none() -> None:
    """A silent response, or a direct path where there is none, is a reason."""
    with pytest.raises(UnfitError, match="the response is silent"):
        damaged(np.zeros(100))
    with pytest.raises(BrokenError, match="outside the response"):
        damaged(strong_reflections(), {"direct_path_sample": 9_000.0})
    with pytest.raises(BrokenError, match="no sound at the direct path"):
        damaged(strong_reflections(), {"direct_path_sample": 7_000.0})
