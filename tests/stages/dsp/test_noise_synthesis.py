"""Synthetic noise."""

from itertools import pairwise

import numpy as np
import pytest

from stages.audio.level import peak, rms, to_db
from stages.audio.waveform import Waveform
from stages.dsp.noise import NoiseKind, synthesise
from stages.operators.rng import rng_for

RATE = 16_000
KINDS: tuple[NoiseKind, ...] = ("white", "pink", "babble", "hum", "fan")


def voice(name: str, sample_rate: int = RATE) -> Waveform:
    """Return 0.7 s of modulated noise, as different from other names as voices are."""
    t = np.arange(int(0.7 * sample_rate)) / sample_rate
    samples = 0.2 * np.sin(np.pi * 4 * t) ** 2 * rng_for(0, "voice", name).standard_normal(t.size)
    return Waveform(samples.astype(np.float32), sample_rate)


VOICES = [voice("a"), voice("b", 22_050), voice("c"), voice("d")]


def noise(kind: NoiseKind, draw: int = 0, seconds: float = 4.0) -> Waveform:
    """Return noise of ``kind``."""
    return synthesise(kind, rng_for(draw, kind), seconds, RATE, VOICES)


def power(waveform: Waveform) -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies and power."""
    hertz = np.fft.rfftfreq(waveform.samples.size, 1.0 / waveform.sample_rate)
    return hertz, np.abs(np.fft.rfft(waveform.samples)) ** 2


def slope_db_per_octave(waveform: Waveform) -> float:
    """Return how the power density changes from 60 Hz to 7 kHz."""
    hertz, spectrum = power(waveform)
    edges = np.geomspace(60.0, 7_000.0, 15)
    densities = [
        10.0 * np.log10(np.mean(spectrum[(hertz >= low) & (hertz < high)])) for low, high in pairwise(edges)
    ]
    return float(np.polyfit(np.log2(edges[:-1]), densities, 1)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_is_at_its_level(kind: NoiseKind) -> None:
    """Every kind is as long and as loud as it should be, finite, and under full scale."""
    made = noise(kind)

    assert made.samples.size == 4 * RATE
    assert np.isfinite(made.samples).all()
    assert to_db(rms(made.samples)) == pytest.approx(-26.0, abs=0.01)
    assert peak(made.samples) < 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_belongs_to_its_stream(kind: NoiseKind) -> None:
    """The same stream gives the same bytes, another one does not."""
    np.testing.assert_array_equal(noise(kind).samples, noise(kind).samples)
    assert not np.array_equal(noise(kind).samples, noise(kind, 1).samples)


def test_white_is_flat_and_pink_falls_by_3_db_per_octave() -> None:
    """The slopes are those that the names stand for."""
    assert slope_db_per_octave(noise("white")) == pytest.approx(0.0, abs=0.3)
    assert slope_db_per_octave(noise("pink")) == pytest.approx(-3.01, abs=0.3)


def test_fan_rushes_below_and_has_blades() -> None:
    """Its density falls faster than pink, and a few lines stand out of it."""
    fan = noise("fan")
    hertz, spectrum = power(fan)
    low = (hertz > 50) & (hertz < 1_100)

    assert slope_db_per_octave(fan) < -3.5
    assert np.max(spectrum[low]) > 100 * np.median(spectrum[low])


def test_hum_is_mains_and_harmonics() -> None:
    """All of its energy lies on multiples of 50 or of 60 Hz."""
    hertz, spectrum = power(noise("hum"))

    on_lines = {
        mains: np.sum(spectrum[np.abs(hertz - mains * np.round(hertz / mains)) < 1.0]) / np.sum(spectrum)
        for mains in (50.0, 60.0)
    }

    assert max(on_lines.values()) > 0.99


def test_babble_is_all_voices_at_once() -> None:
    """More voices leave fewer gaps, and every voice is in it, wherever its rate was."""
    one, many = (synthesise("babble", rng_for(0, "b"), 4.0, RATE, VOICES[:n]) for n in (1, 4))

    def share_of_quiet(made: Waveform) -> float:
        frames = made.samples[: made.samples.size // 200 * 200].reshape(-1, 200)
        return float(np.mean(np.sqrt(np.mean(frames**2, axis=1)) < 0.3 * rms(made.samples)))

    assert share_of_quiet(many) < 0.5 * share_of_quiet(one)


@pytest.mark.parametrize("voices", [[], [Waveform(np.zeros(100, np.float32), RATE)]])
def test_babble_needs_voices(voices: list[Waveform]) -> None:
    """Nobody, or nobody who can be heard, makes no babble."""
    with pytest.raises(ValueError, match="babble is made of voices"):
        synthesise("babble", rng_for(0, "b"), 1.0, RATE, voices)


@pytest.mark.parametrize("kind", KINDS)
def test_may_be_short(kind: NoiseKind) -> None:
    """Ten milliseconds are enough."""
    assert noise(kind, seconds=0.01).samples.size == 160
