"""Spectral band replication: what is missing above the cutoff is made of the octave below it."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from stages.audio.bandwidth import bandwidth_hz
from stages.audio.level import from_db
from stages.audio.waveform import Waveform
from stages.dsp.short_time import OVERLAP, ShortTime, Spectra
from stages.operators.distributions import Distribution, Uniform
from stages.operators.restorer import RESTORERS, Restorer

FRAME_MS = 32.0
EDGE_HZ = 150.0
"""How far under the measured cutoff the filter that made it has begun: twice the smoothing of the measure."""
LOWEST_CUTOFF_HZ = 1_000.0
"""Under it there is no octave of speech to make anything of."""
HIGHEST_SHARE = 0.95
"""A signal that reaches so much of half the sample rate misses nothing."""
STEEPEST_DB, FLATTEST_DB = -24.0, 0.0
"""Between vowels and fricatives, in dB per octave."""
HALVES_APART_OCTAVES = float(np.log2(7.0 / 5.0))
"""From the middle of an octave's lower half to the middle of its upper half."""


@RESTORERS.register
class BandReplication(Restorer):
    """Translates the octave below the cutoff upwards (Dietz et al., AES 2002), with an envelope of its own.

    The cutoff is measured. Frame by frame the envelope goes on as it falls over the highest octave that is
    there, so that fricatives get what vowels do not. Below the cutoff nothing changes. A signal that
    reaches half its sample rate is returned as it is.
    """

    kind: ClassVar[str] = "band_replication"
    cost_s_per_s: ClassVar[float] = 0.008
    draws: ClassVar[Mapping[str, Distribution]] = {
        "gain_db": Uniform(low=-9.0, high=0.0),
        "tilt_db_per_octave": Uniform(low=-6.0, high=3.0),
    }

    gain_db: float = Field(default=-3.0, ge=-40.0, le=12.0)
    """Over what the envelope foretells."""
    tilt_db_per_octave: float = Field(default=0.0, ge=-24.0, le=12.0)
    """How much steeper (under 0) the envelope falls above the cutoff than below it."""

    @property
    def restores_level(self) -> bool:
        """True: what is there keeps its level."""
        return True

    def restore(
        self,
        batch: Sequence[Waveform],
        streams: Sequence[np.random.Generator],  # noqa: ARG002
    ) -> Sequence[Waveform]:
        """Return the inputs with a band above what they had, of the same length."""
        return [self._widen(waveform) for waveform in batch]

    def _widen(self, waveform: Waveform) -> Waveform:
        samples, rate = waveform.samples, waveform.sample_rate
        cutoff_hz = bandwidth_hz(samples, rate) - EDGE_HZ
        if not LOWEST_CUTOFF_HZ < cutoff_hz < HIGHEST_SHARE * rate / 2:
            return waveform
        short_time = ShortTime.of(FRAME_MS, rate)
        spectra = short_time.spectra(samples)
        cutoff = round(cutoff_hz * short_time.frame / rate)
        made = _translate(spectra, cutoff) * self._gains(spectra, cutoff)
        return waveform.with_samples(samples + short_time.samples(made.astype(np.complex64), samples.size))

    def _gains(self, spectra: Spectra, cutoff: int) -> NDArray[np.float64]:
        """Return (frames, bins): what each translated bin is multiplied by, 0 below the cutoff."""
        slopes_db = _slopes_db(spectra, cutoff)
        bins = np.arange(cutoff, spectra.shape[1])
        octaves, source_octaves = np.log2(bins / cutoff), np.log2(_sources(bins, cutoff) / cutoff)
        foretold_db = (slopes_db + self.tilt_db_per_octave)[:, np.newaxis] * octaves
        whitened_db = -slopes_db[:, np.newaxis] * source_octaves
        gains = np.zeros(spectra.shape)
        gains[:, cutoff:] = from_db(self.gain_db) * 10.0 ** ((foretold_db + whitened_db) / 20.0)
        return gains


def _sources(bins: NDArray[np.int64], cutoff: int) -> NDArray[np.int64]:
    """Return which bin of the octave below ``cutoff`` each bin above it is made of, in rising order."""
    width = cutoff - cutoff // 2
    return cutoff // 2 + (bins - cutoff) % width


def _translate(spectra: Spectra, cutoff: int) -> Spectra:
    """Return spectra whose upper bins are those of the octave below the cutoff, as a carrier moves them.

    A carrier of n bins turns by n quarters from frame to frame, for frames overlap by three quarters.
    """
    bins = np.arange(cutoff, spectra.shape[1])
    sources = _sources(bins, cutoff)
    turns = np.outer(np.arange(len(spectra)), bins - sources) % OVERLAP
    moved = np.zeros_like(spectra)
    moved[:, cutoff:] = spectra[:, sources] * np.array([1, 1j, -1, -1j], dtype=np.complex64)[turns]
    return moved


def _slopes_db(spectra: Spectra, cutoff: int) -> NDArray[np.float64]:
    """Return by how many dB each frame falls over the octave below the cutoff, from half to half of it."""
    powers = np.square(np.abs(spectra[:, cutoff // 2 : cutoff]), dtype=np.float64)
    lower_db, upper_db = (
        10.0 * np.log10(half.mean(axis=1) + 1e-20) for half in np.array_split(powers, 2, axis=1)
    )
    return np.asarray(np.clip((upper_db - lower_db) / HALVES_APART_OCTAVES, STEEPEST_DB, FLATTEST_DB))
