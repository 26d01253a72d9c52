"""DNSMOS's network for SIG, BAK and OVRL, on windows that start a second apart: what they share is done once.

Four convolutions at the full resolution of the spectrogram take nearly all of its time, and neighbouring
windows share eight of their nine seconds. A window's own are the four frames at either end, where the
convolutions see zeros instead of its neighbours. Every score is bit for bit the whole network's.

The file is the package speechmos's (``find_speechmos_model``), as are the models of DNSMOS P.808 and PLCMOS.
"""

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from schemas import MissingWeightsError
from stages.audio.waveform import Samples
from stages.dsp.spectra import Floats
from stages.weights.onnx import open_parts, open_session

DNSMOS_SAMPLE_RATE = 16_000
DNSMOS_WINDOW = 144_160
"""9.01 s, 900 frames: the one input length that the network was trained on."""
WINDOWS_PER_RUN = 10
"""Consecutive ones are 18 s: some 220 MiB of memory."""
HOP_FRAMES = 100
EDGE_FRAMES = 8
"""Four that zeros reach from the side that is cut off here, after the four that are wanted."""
POOL = 2

INPUT, SPECTRUM = "input_1", "mos_estimator_logpow/truediv:0"
IMAGE, MAPS = "adjusted_input6", "mos_estimator_logpow/conv2d_3/Relu:0_pooling0"
OUTPUT = "Identity:0"
_PARTS = (([INPUT], [SPECTRUM]), ([IMAGE], [MAPS]), ([MAPS], [OUTPUT]))
_SHAPES: Mapping[str, Sequence[int | str]] = {
    SPECTRUM: ("windows", 900, 161),
    IMAGE: ("windows", 1, "frames", 161),
    MAPS: ("windows", 32, "frames", 80),
}


@dataclass(frozen=True, slots=True)
class WholeNetwork:
    """Windows that share little, one after the other: more at once are no faster on one thread."""

    session: Any

    def score_windows(self, windows: NDArray[np.float32]) -> Floats:
        """Return ``(windows, 3)``: raw SIG, BAK and OVRL of ``(windows, 144160)``, heard at once."""
        raw: Floats = self.session.run(None, {INPUT: windows})[0]
        return raw

    @classmethod
    def load(cls, path: Path, device: str) -> Self:
        """Open the graph in ``path``."""
        return cls(open_session(path, device))

    def score_raw(self, samples: Samples, starts: Sequence[int]) -> Floats:
        """Return ``(windows, 3)``: raw SIG, BAK and OVRL of the window at each of ``starts``."""
        return np.concatenate(
            [self.session.run(None, {INPUT: window})[0] for window in _cut_windows(samples, starts)]
        )


@dataclass(frozen=True, slots=True)
class SharedNetwork:
    """The same in three parts: a window's spectra, convolutions of any stretch, the rest of each window."""

    spectra: Any
    convolutions: Any
    rest: Any

    def score_windows(self, windows: NDArray[np.float32]) -> Floats:
        """Return ``(windows, 3)``: raw SIG, BAK and OVRL of ``(windows, 144160)``, heard at once."""
        maps = self._maps(self.spectra.run(None, {INPUT: windows})[0])
        raw: Floats = self.rest.run(None, {MAPS: maps})[0]
        return raw

    @classmethod
    def load(cls, path: Path, device: str) -> Self:
        """Open the graph in ``path`` in parts."""
        return cls(*open_parts(path, device, _PARTS, _SHAPES))

    def score_raw(self, samples: Samples, starts: Sequence[int]) -> Floats:
        """Return ``(windows, 3)``: raw SIG, BAK and OVRL of the window at each of ``starts``."""
        return np.concatenate([self._run(samples, run) for run in runs_of(starts)])

    def _run(self, samples: Samples, starts: Sequence[int]) -> Floats:
        spectra = [self.spectra.run(None, {INPUT: window})[0][0] for window in _cut_windows(samples, starts)]
        joined = np.concatenate([spectra[0], *(spectrum[-HOP_FRAMES:] for spectrum in spectra[1:])])
        (shared,) = self._maps(joined[None])
        firsts = self._maps(np.stack([spectrum[:EDGE_FRAMES] for spectrum in spectra]))
        lasts = self._maps(np.stack([spectrum[-EDGE_FRAMES:] for spectrum in spectra]))
        edge, length = EDGE_FRAMES // 2 // POOL, spectra[0].shape[0] // POOL
        raw = []
        for place, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
            own = shared[:, place * HOP_FRAMES // POOL :][:, :length].copy()
            own[:, :edge], own[:, -edge:] = first[:, :edge], last[:, -edge:]
            raw.append(self.rest.run(None, {MAPS: own[None]})[0])
        return np.concatenate(raw)

    def _maps(self, spectra: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``(windows, 32, frames / 2, 80)`` of ``(windows, frames, 161)``."""
        maps: NDArray[np.float32] = self.convolutions.run(None, {IMAGE: spectra[:, None]})[0]
        return maps


def find_speechmos_model(name: str) -> Path:
    """Return where the package keeps ``name``. Raises ``MissingWeightsError`` without the package.

    Its modules import librosa, which is slow, and others that it does not declare; its files need none.
    """
    package = importlib.util.find_spec("speechmos")
    if package is None or not package.submodule_search_locations:
        raise MissingWeightsError(
            "the package speechmos, which holds the weights, is not there: pip install it"
        )
    return Path(package.submodule_search_locations[0]) / name


def runs_of(starts: Sequence[int]) -> list[Sequence[int]]:
    """Return ``starts`` in runs of at most ten, each a second after the last."""
    runs: list[list[int]] = []
    for start in starts:
        if runs and start == runs[-1][-1] + DNSMOS_SAMPLE_RATE and len(runs[-1]) < WINDOWS_PER_RUN:
            runs[-1].append(start)
        else:
            runs.append([start])
    return list(runs)


def _cut_windows(samples: Samples, starts: Sequence[int]) -> list[Samples]:
    return [samples[None, start : start + DNSMOS_WINDOW] for start in starts]
