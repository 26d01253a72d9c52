"""NMFD: a reverberant spectrogram as a dry one smeared over time; both are found, and neither has a minus."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from schemas import Reason, UnfitError
from stages.audio.level import from_db
from stages.audio.waveform import Waveform
from stages.dsp.short_time import ShortTime
from stages.operators.distributions import Distribution, Uniform
from stages.operators.restorer import RESTORERS, Restorer
from stages.operators.unbatched_restorer import Strength, blend

_FRAME_MS = 64.0
_HEARD_DECAY = 0.6
"""The share of the reverberation time that is modelled: a decay by 36 dB."""
_ROOM_PACE = 0.3
"""Exponent of the room's updates: at 1 it takes what is speech for a room; at 0 it stays what it began as."""
_SPARSE_POWER = 0.5
_CEILING = 2.0
"""Of the gain: where a sound begins, the dry spectrum lies above the smeared one, but so does what is before
it in its frame; 4 would gain a little more PESQ."""
_FACTOR_ROUNDS = 30
_TINY = 1e-6

_Magnitudes = NDArray[np.float32]
"""Frames by bins, or frames by parts."""
_Room = NDArray[np.float32]
"""Delays in frames by bins; over all delays, each bin sums to 1."""


@RESTORERS.register
class Nmfd(Restorer):
    """Dereverberation by non-negative matrix factor deconvolution, blind and untrained.

    The magnitude of a bin is a sum of its dry past, weighted by a non-negative room (Kameoka, Nakatani and
    Yoshioka 2009, whose penalty on ``dry ** p`` this has); both are found by multiplicative updates for the
    Kullback-Leibler divergence (Smaragdis 2004). ``low_rank`` writes the dry spectrogram as a product inside
    that model (Mohammadiha and Doclo 2016). ``activations`` factorises the reverberant spectrogram first and
    then deconvolves the activations alone, as the abstract of arXiv 2512.23322 says in one sentence; that
    paper's text was not at hand: the updates are those above and need not be its own. The exponential decay
    that the room begins as is Polack's (1988). Ours are the slow pace of the room, few iterations, long
    frames, and the gain, which is the dry magnitude over the reverberant one: chosen by what PESQ and ESTOI
    gained on 20 reverberant recordings.
    """

    kind: ClassVar[str] = "nmfd"
    cost_s_per_s: ClassVar[float] = 0.03
    draws: ClassVar[Mapping[str, Distribution]] = {
        "rt60_s": Uniform(low=0.5, high=1.5),
        "strength": Uniform(low=0.6, high=1.0),
    }

    model: Literal["spectrogram", "low_rank", "activations"] = "spectrogram"
    """What is deconvolved: the spectrogram itself, a product that it is written as, or its activations."""
    parts: int = Field(default=80, ge=2, le=400)
    """Spectra that a product is made of; the model ``spectrogram`` has no product."""
    rt60_s: float = Field(default=1.0, ge=0.1, le=4.0)
    """Reverberation time of the room that the search begins with."""
    iterations: int = Field(default=8, ge=1, le=100)
    sparsity: float = Field(default=0.1, ge=0.0, le=2.0)
    """Weight of the penalty on what is not silent; not for ``low_rank``, where the product stands for it."""
    floor_db: float = Field(default=-20.0, ge=-60.0, le=0.0)
    """The lowest gain of a bin."""
    strength: Strength = 1.0

    @property
    def sampling(self) -> bool:
        """Whether there is a product: its factors begin at random."""
        return self.model != "spectrogram"

    def restore(
        self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Return each input with less reverberation. Raises ``UnfitError`` for less than a frame."""
        return [
            blend(waveform, self._dry(waveform, rng), self.strength)
            for waveform, rng in zip(batch, streams, strict=True)
        ]

    def _dry(self, waveform: Waveform, rng: np.random.Generator) -> NDArray[np.float32]:
        short_time = ShortTime.of(_FRAME_MS, waveform.sample_rate)
        if waveform.samples.size < short_time.frame:
            raise UnfitError(Reason.TOO_SHORT, f"NMFD's frames have {short_time.frame} samples")
        spectra = short_time.spectra(waveform.samples)
        wet = np.abs(spectra)
        dry = self._deconvolve(wet, short_time.hop / waveform.sample_rate, rng)
        gain = np.clip(dry / np.maximum(wet, _TINY * _mean(wet)), from_db(self.floor_db), _CEILING)
        return short_time.samples((gain * spectra).astype(np.complex64), waveform.samples.size)

    def _deconvolve(self, wet: _Magnitudes, hop_s: float, rng: np.random.Generator) -> _Magnitudes:
        """Return dry magnitudes like ``wet``."""
        scale = _mean(wet, axis=0)
        even = wet / scale
        room = _begin_room(self.rt60_s, hop_s)
        if self.model == "spectrogram":
            return scale * _deconvolve_sparse(even, room, self.iterations, self.sparsity)
        activations, parts = _factorise(even, self.parts, rng)
        if self.model == "low_rank":
            return scale * _deconvolve_product(even, room, activations, parts, self.iterations)
        levels = _mean(activations, axis=0)
        sharp = levels * _deconvolve_sparse(activations / levels, room, self.iterations, self.sparsity)
        smeared = np.maximum(activations @ parts, _TINY)
        return np.asarray(wet * (sharp @ parts) / smeared)


def _mean(magnitudes: _Magnitudes, axis: int | None = None) -> _Magnitudes:
    """Return the mean over ``axis``, never nothing: a bin may be empty, and in silence all of them are."""
    return np.asarray(np.mean(magnitudes, axis=axis) + _TINY * np.mean(magnitudes) + 1e-12, dtype=np.float32)


def _begin_room(rt60_s: float, hop_s: float) -> _Room:
    """Return an exponential decay, the same in every bin."""
    delays = np.arange(max(2, round(_HEARD_DECAY * rt60_s / hop_s)))
    decay = 10.0 ** (-3.0 * delays * hop_s / rt60_s)
    return np.asarray(decay / decay.sum(), dtype=np.float32)[:, np.newaxis]


def _deconvolve_sparse(wet: _Magnitudes, room: _Room, iterations: int, sparsity: float) -> _Magnitudes:
    """Return the dry magnitudes that ``room``, improved with them, smears to ``wet``; columns have mean 1."""
    dry, room = wet + np.float32(_TINY), np.repeat(room, wet.shape[1], axis=1)
    for _ in range(iterations):
        penalty = sparsity * _SPARSE_POWER * (dry + np.float32(1e-3)) ** (_SPARSE_POWER - 1.0)
        dry = dry * _unsmear(_unexplained(wet, dry, room), room) / (1.0 + penalty) + np.float32(_TINY)
        room = _improve(room, dry, _unexplained(wet, dry, room))
    return np.asarray(dry)


def _deconvolve_product(
    wet: _Magnitudes, room: _Room, activations: _Magnitudes, parts: _Magnitudes, iterations: int
) -> _Magnitudes:
    """Return the dry magnitudes ``activations @ parts``, both improved together with ``room``."""
    room = np.repeat(room, wet.shape[1], axis=1)
    for _ in range(iterations):
        missing = _unsmear(_unexplained(wet, activations @ parts, room), room)
        activations = activations * (missing @ parts.T) / (parts.sum(axis=1) + _TINY)
        missing = _unsmear(_unexplained(wet, activations @ parts, room), room)
        parts = parts * (activations.T @ missing) / (activations.sum(axis=0)[:, np.newaxis] + _TINY)
        room = _improve(room, activations @ parts, _unexplained(wet, activations @ parts, room))
    return np.asarray(activations @ parts)


def _factorise(
    magnitudes: _Magnitudes, rank: int, rng: np.random.Generator
) -> tuple[_Magnitudes, _Magnitudes]:
    """Return activations and parts whose product is near ``magnitudes`` (Lee and Seung 2001)."""
    frames, bins = magnitudes.shape
    activations, parts = (
        rng.uniform(0.1, 1.1, size=shape).astype(np.float32) for shape in ((frames, rank), (rank, bins))
    )
    for _ in range(_FACTOR_ROUNDS):
        missing = magnitudes / (activations @ parts + _TINY)
        activations = activations * (missing @ parts.T) / (parts.sum(axis=1) + _TINY)
        missing = magnitudes / (activations @ parts + _TINY)
        parts = parts * (activations.T @ missing) / (activations.sum(axis=0)[:, np.newaxis] + _TINY)
    return activations, parts


def _unexplained(wet: _Magnitudes, dry: _Magnitudes, room: _Room) -> _Magnitudes:
    """Return how many times what ``room`` makes of ``dry`` the reverberant magnitudes are."""
    smeared = np.full_like(dry, _TINY)
    for delay, gains in enumerate(room[: len(dry)]):
        smeared[delay:] += gains * dry[: len(dry) - delay]
    return wet / smeared


def _unsmear(ratio: _Magnitudes, room: _Room) -> _Magnitudes:
    """Return for each dry frame the mean ratio where it was smeared to."""
    gathered = np.zeros_like(ratio)
    for delay, gains in enumerate(room[: len(ratio)]):
        gathered[: len(ratio) - delay] += gains * ratio[delay:]
    return gathered


def _improve(room: _Room, dry: _Magnitudes, ratio: _Magnitudes) -> _Room:
    """Return the room a step nearer to the one that explains the ratio; of later delays that says nothing."""
    better = room.copy()
    for delay in range(min(len(room), len(dry))):
        early = dry[: len(dry) - delay]
        fit = np.einsum("tk,tk->k", early, ratio[delay:]) / (early.sum(axis=0) + _TINY)
        better[delay] *= fit**_ROOM_PACE
    better = np.maximum(better, np.float32(_TINY))  # of an empty bin nothing would be left
    return np.asarray(better / better.sum(axis=0))
