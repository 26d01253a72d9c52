"""Fundamental frequency: YIN (de Cheveigné and Kawahara, JASA 2002), frame by frame."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stages.audio.waveform import Waveform
from stages.dsp.spectra import Floats

PITCH_HOP_S = 0.01
_WINDOW_S = 0.032
"""What is compared with itself a period later: two periods of a deep voice."""
LOWEST_PITCH_HZ, HIGHEST_PITCH_HZ = 60.0, 500.0
THRESHOLD = 0.35
"""Of the normalised difference, under which a frame is periodic.

By measurement on formant voices: 97 % of F0 within 50 cents of pYIN, and 0.91 as F1 of voicing; at 0.15
voicing has 0.67, at 0.5 one F0 in six is another. On the bundled speech, by voices of real speakers: 88 %,
and 0.83 to 0.92. On ten recordings of people: 82 %, 5 % an octave off, and 0.85.
"""
_ACTIVE_DB = 35.0
"""Frames further below the loud ones hold no voice: the hum of a pause is periodic too."""
_FRAMES_AT_ONCE = 4_096


def fundamental_hz(waveform: Waveform) -> Floats:
    """Return F0 in Hz every 10 ms, 0 where the frame is not voiced; no frame without a whole window."""
    window, longest = round(_WINDOW_S * waveform.sample_rate), int(waveform.sample_rate / LOWEST_PITCH_HZ) + 1
    size, hop = window + longest, round(PITCH_HOP_S * waveform.sample_rate)
    if waveform.samples.size < size:
        return np.empty(0)
    frames = sliding_window_view(waveform.samples.astype(np.float64), size)[::hop]
    parts = range(0, len(frames), _FRAMES_AT_ONCE)
    found = [_lags(frames[p : p + _FRAMES_AT_ONCE], window, waveform.sample_rate) for p in parts]
    lag, energy = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return np.where(loud_frames(energy) & (lag > 0.0), waveform.sample_rate / np.maximum(lag, 1.0), 0.0)


def loud_frames(energy: Floats) -> NDArray[np.bool_]:
    """Return which frames are loud enough to hold a voice, by the energy of each."""
    loud: NDArray[np.bool_] = energy > np.percentile(energy, 95) * 10.0 ** (-_ACTIVE_DB / 10.0)
    return loud


def _lags(frames: Floats, window: int, sample_rate: int) -> tuple[Floats, Floats]:
    """Return each frame's period in samples, 0 where there is none, and its energy."""
    difference, energy = _normalised_difference(frames, window)
    shortest = int(sample_rate / HIGHEST_PITCH_HZ)
    inner = difference[:, 1:-1]
    dips = (inner < THRESHOLD) & (inner <= difference[:, :-2]) & (inner < difference[:, 2:])
    dips[:, : shortest - 1] = False
    place = np.argmax(dips, axis=1) + 1  # the first dip, not the deepest: later ones are multiples
    return np.where(dips.any(axis=1), place + _vertex(difference, place), 0.0), energy


def _normalised_difference(frames: Floats, window: int) -> tuple[Floats, Floats]:
    """Return the cumulative mean normalised difference for lags from 0, and the window's energy."""
    size = frames.shape[1]
    spectrum = np.fft.rfft(frames, size, axis=1)
    correlation = np.fft.irfft(np.fft.rfft(frames[:, :window], size, axis=1).conj() * spectrum, size, axis=1)
    sums = np.cumsum(np.pad(np.square(frames), ((0, 0), (1, 0))), axis=1)
    energies = sums[:, window:] - sums[:, : size - window + 1]
    difference = np.maximum(energies[:, :1] + energies[:, :-1] - 2.0 * correlation[:, : size - window], 0.0)
    total = np.cumsum(difference, axis=1)
    lags = np.arange(difference.shape[1])
    normalised = np.where(total > 0.0, difference * lags / np.where(total > 0.0, total, 1.0), 1.0)
    normalised[:, 0] = 1.0
    return normalised, energies[:, 0]


def _vertex(curve: Floats, place: NDArray[np.int_]) -> Floats:
    """Return by how much the parabola through three points has its lowest one beside the middle."""
    rows = np.arange(len(curve))
    before, here, after = (curve[rows, place + step] for step in (-1, 0, 1))
    bend = before - 2.0 * here + after
    shift: Floats = np.where(bend > 0.0, 0.5 * (before - after) / np.where(bend > 0.0, bend, 1.0), 0.0)
    return shift
