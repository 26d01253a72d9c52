"""Whether speech is told from what is none, by how its level moves."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.audio.waveform import Waveform
from stages.ingest.speech_presence import find_fault, modulation_db
from stages.ingest.stage import IngestSettings
from stages.operators.rng import rng_for
from tests.support.bundled_speech import bundled
from tests.support.speech_like import noisy

RATE = 16_000
Floats = NDArray[np.float64]
BOUND_DB = IngestSettings().min_modulation_db
assert BOUND_DB is not None


def _seconds(seconds: float) -> Floats:
    return np.arange(round(seconds * RATE)) / RATE


def _white(seconds: float) -> Floats:
    return 0.05 * rng_for(0, "white").standard_normal(round(seconds * RATE))


def _pink(seconds: float) -> Floats:
    spectrum = np.fft.rfft(_white(seconds))
    return np.fft.irfft(spectrum / np.sqrt(np.arange(1, spectrum.size + 1)), round(seconds * RATE))


def _dither(seconds: float) -> Floats:
    return rng_for(0, "dither").integers(-1, 2, round(seconds * RATE)) / 2**15


def _hum(hertz: float, partials: int) -> Callable[[float], Floats]:
    def made(seconds: float) -> Floats:
        phases = 2 * np.pi * hertz * _seconds(seconds)
        return np.asarray(sum(0.05 / k * np.sin(k * phases + k) for k in range(1, partials + 1)))

    return made


def _clicks(seconds: float) -> Floats:
    samples = np.zeros(round(seconds * RATE))
    samples[:: RATE // 4] = 0.5
    return samples


def _clicks_in_hiss(seconds: float) -> Floats:
    return _clicks(seconds) + 0.01 * _white(seconds)


def _late_hiss(seconds: float) -> Floats:
    """Return hiss after zeros, as from a device that opens late."""
    return np.where(_seconds(seconds) < 0.3 * seconds, 0.0, _white(seconds))


def _beeps(seconds: float) -> Floats:
    return 0.1 * np.sin(2 * np.pi * 1_000 * _seconds(seconds)) * (_seconds(seconds) % 0.5 < 0.25)


def _digits(seconds: float) -> Floats:
    """Return two tones at once in bursts, as of a telephone's keys."""
    t = _seconds(seconds)
    high = np.array([1_209.0, 1_336.0, 1_477.0])[(t / 0.2).astype(int) % 3]
    return 0.1 * (np.sin(2 * np.pi * 770 * t) + np.sin(2 * np.pi * high * t)) * (t % 0.2 < 0.1)


NO_SPEECH = {
    "white": _white,
    "pink": _pink,
    "dither": _dither,
    "clicks": _clicks,
    "clicks in hiss": _clicks_in_hiss,
    "late hiss": _late_hiss,
    "beeps": _beeps,
    "digits": _digits,
    "tone": _hum(1_000, 1),
    **{f"{hz} Hz × {n}": _hum(hz, n) for hz in (50, 60, 100) for n in (1, 20)},
}


@pytest.mark.parametrize("seconds", [1.0, 6.0])
@pytest.mark.parametrize("kind", NO_SPEECH)
def test_what_is_steady_is_no_speech(kind: str, seconds: float) -> None:
    """Noises, hums, tones and clicks stay under the bound, at any level and with any offset."""
    samples = NO_SPEECH[kind](seconds).astype(np.float32)

    assert modulation_db(samples, RATE) < BOUND_DB
    assert modulation_db(0.1 * samples + np.float32(0.3), RATE) < BOUND_DB


@pytest.mark.parametrize("number", range(1, 33))
def test_bundled_speech_is_speech(number: int) -> None:
    """Every sentence is far over the bound; so is each in as much noise as speech."""
    clean = bundled(number)

    assert modulation_db(clean.samples, RATE) > 4 * BOUND_DB
    assert modulation_db(noisy(clean, 0.0).samples, RATE) > BOUND_DB


@pytest.mark.parametrize("rate", [1_000, 2_000, 8_000, 22_050, 48_000])
def test_speech_is_speech_at_any_rate(rate: int) -> None:
    """Bands that a rate cannot hold are not asked."""
    assert modulation_db(bundled(3, rate).samples, rate) > 3 * BOUND_DB


def test_a_gain_and_an_offset_change_nothing() -> None:
    """The figure is of the sound alone."""
    clean = bundled(4)
    found = modulation_db(clean.samples, RATE)

    assert modulation_db(0.01 * clean.samples, RATE) == pytest.approx(found, abs=1e-3)
    assert modulation_db(clean.samples + np.float32(0.3), RATE) == pytest.approx(found, abs=1e-2)


@pytest.mark.parametrize("floor", [0.0, 1e-3])
def test_one_word_in_a_long_pause_is_speech(floor: float) -> None:
    """Twenty seconds of silence, or of a faint hiss, with half a second of speech in them."""
    samples = floor * _white(20.0) / 0.05
    samples[RATE * 5 : RATE * 5 + RATE // 2] += bundled(3).samples[RATE // 2 : RATE]

    assert modulation_db(samples.astype(np.float32), RATE) > 2 * BOUND_DB


def test_a_thump_does_not_hide_speech() -> None:
    """A tenth of a second that is 40 dB louder than everything else is not what the rest is held against."""
    speech = 0.01 * bundled(5).samples
    speech[RATE : RATE + RATE // 10] += _hum(80, 3)(0.1).astype(np.float32) * 10

    assert modulation_db(speech, RATE) > 2 * BOUND_DB


def test_a_short_recording_is_not_judged() -> None:
    """Half a second may be one vowel; its level is looked at all the same."""
    vowel = Waveform(_hum(120, 10)(0.9).astype(np.float32), RATE)

    assert find_fault(vowel, -25.0, min_modulation_db=BOUND_DB, min_level_db=-90.0) is None
    assert find_fault(vowel, -95.0, min_modulation_db=BOUND_DB, min_level_db=-90.0) is not None
