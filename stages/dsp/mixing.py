"""Mixing: how loud one recording stands against another, and a recording made as long as needed."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schemas import Reason, UnfitError
from stages.audio.audible import audible_energies, audible_rms, is_inaudible
from stages.audio.level import from_db, peak, to_db
from stages.audio.loudness import active_level_db, loudness_lufs
from stages.audio.waveform import Samples, Waveform

SnrDefinition = Literal["rms_full", "rms_active", "p56", "lufs"]

_FRAME = 1024
_HOP = 512
ACTIVE_SHARE = 0.01
_SEAM_S = 0.01


@dataclass(frozen=True, slots=True)
class Snr:
    """A ratio of speech to what is added to it, and how the two levels are meant: of what can be heard.

    ``rms_full``: RMS over all samples. ``rms_active``: RMS over the frames that are not silent
    (URGENT, AATC). ``p56``: active speech level (ITU-T P.56) over the RMS of all of the noise, or over
    the active speech level of what was added if that is speech too. ``lufs``: loudness (BS.1770);
    what is shorter than its blocks of 400 ms is filled up with silence, on both sides alike.
    """

    db: float
    definition: SnrDefinition = "rms_full"
    added_is_speech: bool = False


@dataclass(frozen=True, slots=True)
class Mixture:
    """Speech with something added, what was added, and the figures of it."""

    waveform: Waveform
    added: Samples
    facts: dict[str, float]


def mix(speech: Waveform, noise: Samples, snr: Snr) -> Mixture:
    """Return ``speech`` with ``noise`` under it at ``snr``. Raises ``UnfitError`` if either is silent."""
    for name, samples in (("speech", speech.samples), ("stretch of noise", noise)):
        if is_inaudible(samples, speech.sample_rate):
            raise UnfitError(Reason.SILENT, f"the {name} is silent, so no SNR is defined")
    level = level_of(speech, snr.definition)
    noise_level = _level_of_added(speech.with_samples(noise), snr)
    gain = np.float32(level / noise_level / from_db(snr.db))
    added = noise * gain
    facts = {
        "noise_gain_db": to_db(float(gain)),
        "noise_peak": peak(added),
        "snr_db": to_db(level / max(float(gain) * noise_level, 1e-12)),
    }
    return Mixture(speech.with_samples(speech.samples + added), added, facts)


def measured_snr_db(speech: Waveform, noise: Waveform, definition: SnrDefinition) -> float:
    """Return the level of ``speech`` over that of ``noise`` in decibels."""
    return to_db(level_of(speech, definition) / max(_level_of_added(noise, Snr(0.0, definition)), 1e-12))


def level_of(waveform: Waveform, definition: SnrDefinition) -> float:
    """Return the level of speech, as an amplitude."""
    match definition:
        case "rms_full":
            return audible_rms(waveform.samples, waveform.sample_rate)
        case "rms_active":
            return _active_rms(waveform)
        case "p56":
            return from_db(active_level_db(waveform.samples, waveform.sample_rate))
        case "lufs":
            return from_db(loudness_lufs(waveform.samples, waveform.sample_rate))


def _level_of_added(waveform: Waveform, snr: Snr) -> float:
    if snr.definition == "p56" and not snr.added_is_speech:
        return audible_rms(waveform.samples, waveform.sample_rate)
    return level_of(waveform, snr.definition)


def _active_rms(waveform: Waveform) -> float:
    """Return the RMS over the hops that are not silent; over all samples if there is no whole frame."""
    samples, rate = waveform.samples, waveform.sample_rate
    if samples.size < _FRAME:
        return audible_rms(samples, rate)
    energies = audible_energies(samples, rate, _HOP)
    heard = active_hops(energies)
    missing = -samples.size % _HOP if heard[-1] else 0
    return math.sqrt(energies[heard].sum() / (_HOP * np.count_nonzero(heard) - missing))


def active_hops(energies: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which hops begin a frame above 1 % of the mean frame power; the last hop is as the one before.

    Frames of 1024 samples every 512, whatever the rate: ``detect_non_silence`` of the URGENT 2024
    simulation (after ESPnet), which the AATC 2025 recipe applies to the speech and to the noise.
    """
    powers = energies[:-1] + energies[1:]  # a frame is two hops
    frames = powers > ACTIVE_SHARE * powers.mean()
    return np.append(frames, frames[-1])


def stretch_of(
    samples: Samples, offset_fraction: float, length: int, sample_rate: int
) -> tuple[Samples, int]:
    """Return ``length`` samples and where they start in the recording.

    A recording that is long enough is cut; a shorter one is looped, its end faded into its
    beginning over 10 ms (equal power, since the two are unrelated), so that no seam clicks.
    """
    spare = samples.size - length
    if spare >= 0:
        start = int(offset_fraction * (spare + 1))
        return samples[start : start + length], start
    loop = _fade_seam(samples, round(_SEAM_S * sample_rate))
    start = int(offset_fraction * loop.size)
    return np.take(loop, np.arange(start, start + length), mode="wrap"), start


def _fade_seam(samples: Samples, seam: int) -> Samples:
    seam = min(seam, samples.size // 4)
    if seam == 0:
        return samples
    turn = (np.arange(seam, dtype=np.float32) + np.float32(0.5)) * np.float32(np.pi / 2 / seam)
    loop = samples[:-seam].copy()
    loop[:seam] = samples[:seam] * np.sin(turn) + samples[-seam:] * np.cos(turn)
    return loop
