"""What the active speech level promises."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from schemas import Reason, UnfitError
from stages.audio.level import from_db, rms, to_db
from stages.audio.loudness import active_level_db
from stages.operators.rng import rng_for
from tests.support.other_process import printed_by
from tests.support.speech_like import hiss

RATES = (8_000, 16_000, 48_000)


def _noise(seconds: float, sample_rate: int) -> NDArray[np.float64]:
    return 0.1 * hiss(int(seconds * sample_rate), "noise")


def _sine(seconds: float, sample_rate: int) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * 440 * np.arange(int(seconds * sample_rate)) / sample_rate)


def _activity(samples: NDArray[np.floating[Any]], sample_rate: int) -> float:
    """Return the share of time that is active, by how much the active level exceeds the plain one."""
    return from_db(to_db(rms(samples)) - active_level_db(samples, sample_rate)) ** 2


@pytest.mark.parametrize("sample_rate", RATES)
def test_a_full_scale_sine_has_minus_three(sample_rate: int) -> None:
    """Without pauses the active level is the plain level."""
    samples = _sine(4.0, sample_rate)

    level_db = active_level_db(samples, sample_rate)

    assert level_db == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("sound", [_sine, _noise])
def test_pauses_do_not_count(sound: Callable[[float, int], NDArray[np.float64]], sample_rate: int) -> None:
    """Half a recording of silence leaves the active level where it was; the activity says half."""
    speech = sound(6.0, sample_rate)
    paused = np.concatenate([speech, np.zeros_like(speech)])

    without, with_pause = active_level_db(speech, sample_rate), active_level_db(paused, sample_rate)

    assert with_pause == pytest.approx(without, abs=0.5)
    assert _activity(paused, sample_rate) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("gain_db", [-40.0, -3.3, 0.01, 20.0])
def test_a_gain_of_the_signal_is_the_same_gain_of_its_level(gain_db: float) -> None:
    """The level follows a gain exactly, also between the steps of the standard's thresholds."""
    bursts = _noise(3.0, 16_000) * (np.arange(48_000) % 16_000 < 9_000)
    before = active_level_db(bursts, 16_000)

    after = active_level_db(bursts * 10 ** (gain_db / 20), 16_000)

    assert after - before == pytest.approx(gain_db, abs=1e-6)


def test_a_click_has_a_level() -> None:
    """Even a single sample gets a finite level: there is no threshold below it to cross."""
    click = np.zeros(16_000, dtype=np.float32)
    click[8_000] = 1.0

    level_db = active_level_db(click, 16_000)

    assert -60.0 < level_db < 0.0


@pytest.mark.parametrize("gain_db", np.arange(-60.0, 60.0, 7.7).tolist())
def test_a_gain_of_a_click_is_the_same_gain_of_its_level(gain_db: float) -> None:
    """Of a click no threshold is crossed: the loudest counts, its own envelope, whatever the gain."""
    click = np.zeros(16_000, dtype=np.float32)
    click[8_000] = 1.0

    level_db = active_level_db(click * np.float32(10 ** (gain_db / 20)), 16_000)

    assert level_db - active_level_db(click, 16_000) == pytest.approx(gain_db, abs=1e-4)


def test_a_tenth_of_a_second_is_enough() -> None:
    """A very short recording is active but for the rise of the envelope."""
    samples = _noise(0.1, 16_000)

    assert 0.7 < _activity(samples, 16_000) <= 1.0


@pytest.mark.parametrize("samples", [np.zeros(16_000, dtype=np.float32), np.zeros(0, dtype=np.float32)])
def test_silence_is_a_reason_not_a_number(samples: NDArray[np.float32]) -> None:
    """Nothing to measure gives no level."""
    with pytest.raises(UnfitError) as caught:
        active_level_db(samples, 16_000)

    assert caught.value.reason is Reason.SILENT


def digest_of_many() -> str:
    """Return the digest of the levels of 1500 noises: one of a hundred has another last bit by other sums."""
    rng = rng_for(0, "many")
    noises = 0.1 * rng.standard_normal((1_500, 4_410))
    levels = [active_level_db(noise.astype(np.float32), 44_100) for noise in noises]
    return hashlib.sha256(np.array(levels).tobytes()).hexdigest()


def test_adds_alike_on_every_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """BLAS adds in the order that suits a processor, here an old one: levels are the same to the last bit."""
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")

    assert printed_by(__file__) == digest_of_many()


if __name__ == "__main__":
    print(digest_of_many())  # noqa: T201 - for the test above
