"""What an operator does to each frequency, measured with a click, and what it does to a tone."""

import numpy as np
from numpy.typing import NDArray

from stages.audio.waveform import Waveform
from stages.degradations import Degradation
from stages.degrade.memory_source import MemoryAudioSource
from stages.operators.degradation import Scene
from stages.operators.rng import rng_for

RATE = 48_000
SOURCES = MemoryAudioSource()
Floats = NDArray[np.float64]


def gain_db(degradation: Degradation, hertz: float, sample_rate: int = RATE) -> float:
    """Return the gain of a linear degradation at one frequency, and check that it turns no phase."""
    click = np.zeros(2 * sample_rate, np.float32)
    click[sample_rate] = 1.0
    answer = degradation.apply(Waveform(click, sample_rate), SOURCES).samples
    turns = np.exp(-2j * np.pi * hertz * (np.arange(click.size) - sample_rate) / sample_rate)
    response = complex(np.sum(answer * turns))
    assert abs(response.imag) < 1e-3, f"the phase is turned at {hertz} Hz"
    assert response.real > -1e-3, f"the polarity is turned at {hertz} Hz"
    return float(20.0 * np.log10(max(response.real, 1e-9)))


def tone(hertz: float, amplitude: float = 0.5, seconds: float = 1.0, sample_rate: int = RATE) -> Waveform:
    """Return a steady tone."""
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    return Waveform((amplitude * np.sin(2 * np.pi * hertz * t)).astype(np.float32), sample_rate)


def white(seconds: float = 1.0, amplitude: float = 0.1, sample_rate: int = RATE) -> Waveform:
    """Return white noise, for speech that is at all frequencies."""
    samples = amplitude * rng_for(0, "white").standard_normal(round(seconds * sample_rate))
    return Waveform(samples.astype(np.float32), sample_rate)


def damaged(degradation: Degradation, speech: Waveform) -> Scene:
    """Return the scene after the degradation; the reference is the speech."""
    return degradation.damage(Scene(speech, speech), SOURCES)


def added_by(degradation: Degradation, speech: Waveform) -> Waveform:
    """Return what the degradation added."""
    return speech.with_samples(degradation.apply(speech, SOURCES).samples - speech.samples)


def amplitude_of(waveform: Waveform, hertz: float) -> float:
    """Return the amplitude of a tone in the waveform."""
    t = np.arange(waveform.samples.size) / waveform.sample_rate
    return float(2.0 * np.abs(np.mean(waveform.samples * np.exp(-2j * np.pi * hertz * t))))


def density_db(waveform: Waveform, low_hz: float, high_hz: float) -> float:
    """Return the mean power per hertz between two frequencies."""
    power = np.square(np.abs(np.fft.rfft(waveform.samples)))
    hertz = np.fft.rfftfreq(waveform.samples.size, 1.0 / waveform.sample_rate)
    return float(10.0 * np.log10(np.mean(power[(hertz >= low_hz) & (hertz < high_hz)])))
