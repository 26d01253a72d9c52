"""GE2E: speaker similarity by the encoder of Resemblyzer."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PrivateAttr

from stages.audio.level import from_db, rms, to_db
from stages.audio.waveform import Samples
from stages.dsp.spectra import band_powers, mel_filters, periodic_hann
from stages.metrics.common.speaker_similarity import (
    SPEAKER_SAMPLE_RATE,
    Embedding,
    SpeakerSimilarity,
    cosine_output,
)
from stages.operators.metric import METRICS
from stages.weights.files import Weights, Wheel
from stages.weights.wheels import weights_of_wheel

_PUBLISHED = weights_of_wheel(
    "ge2e-resemblyzer",
    Wheel(
        package="Resemblyzer",
        version="0.1.4",
        name="Resemblyzer-0.1.4-py3-none-any.whl",
        sha256="8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f",
        size_bytes=15_747_704,
    ),
    "Apache-2.0",
    {
        "resemblyzer/pretrained.pt": (
            17_090_379,
            "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
        )
    },
)
_MEL_FRAME = 400
_MEL_HOP = 160
MEL_BANDS_HEARD = 40
_LEAST_LEVEL_DB = -30.0
"""RMS in dBFS that quieter speech is brought to; louder speech stays as it is."""
_WINDOW_FRAMES = 160
_STEP_FRAMES = 77
"""1.3 windows a second."""
_LEAST_COVERAGE = 0.75
"""Of the last window that must be speech, unless it is the only one."""


@METRICS.register
class Ge2eSpeakerSimilarity(SpeakerSimilarity):
    """Cosine of GE2E embeddings (Wan et al., ICASSP 2018), by the encoder that Resemble AI published.

    The file is that of resemble-ai/Resemblyzer to the byte, which CorentinJ/Real-Time-Voice-Cloning has as
    well. Windows of 1.6 s, two of which overlap by half; a recording is the direction of their mean, the
    package's to 1e-6. The package first cuts out what WebRTC's detector takes for pauses. Here they stay:
    both sides of a comparison have the same ones, and speakers are told apart as well (an equal error rate of
    2.4 % against its 2.8 % on 80 recordings of 19 speakers). Noise moves it further than another room does:
    at 0 dB some clean speakers are nearer to others.
    """

    kind: ClassVar[str] = "ge2e_speaker_similarity"
    licence: ClassVar[str] = "Apache-2.0"
    weights: ClassVar[str] = "pretrained.pt inside the wheel Resemblyzer 0.1.4, Apache-2.0"
    unverified: ClassVar[str] = ""
    cost_s_per_s: ClassVar[float] = 0.02
    libraries: ClassVar[tuple[str, ...]] = ("torch",)
    outputs: ClassVar = {"": cosine_output(0.015, votes=True)}

    _network: Any = PrivateAttr(default=None)

    @property
    def published(self) -> Weights:
        """The checkpoint as Resemble AI publishes it."""
        return _PUBLISHED

    def load(self, device: str) -> None:
        """Build the encoder; raises ``MissingWeightsError`` if the file holds another network."""
        from stages.networks import ge2e, loading  # noqa: PLC0415

        place = self.require_place()
        state = ge2e.state_of_ge2e(loading.read_checkpoint(place), place)
        self._network = loading.with_state(ge2e.Ge2eNetwork(state, place), state, place, device)

    def embed(self, samples: Samples) -> Embedding:
        """Return 256 numbers, or as many as the network has: the mean of the windows."""
        from stages.networks.loading import run_network  # noqa: PLC0415

        mean: Embedding = run_network(self._network, mel_windows(samples)).mean(dim=0).cpu().numpy()
        return mean

    def embed_together(self, parts: Sequence[Samples]) -> Sequence[Embedding]:
        """Return the same with the windows of all parts in one batch."""
        from stages.networks.loading import run_network  # noqa: PLC0415

        if not parts:
            return []
        windows = [mel_windows(part) for part in parts]
        embeddings = run_network(self._network, np.concatenate(windows)).cpu().numpy()
        ends = np.cumsum([len(own) for own in windows])
        return [own.mean(axis=0) for own in np.split(embeddings, ends[:-1])]


def mel_windows(samples: Samples) -> NDArray[np.float32]:
    """Return ``(windows, 160, 40)`` of power in mel bands, as Resemblyzer cuts and librosa measures them."""
    starts = ge2e_window_starts(samples.size)
    missing = max(0, (starts[-1] + _WINDOW_FRAMES) * _MEL_HOP - samples.size)
    level_db = to_db(rms(samples))
    louder = from_db(max(0.0, _LEAST_LEVEL_DB - level_db))
    padded = np.pad(samples * np.float32(louder), (_MEL_FRAME // 2, missing + _MEL_FRAME // 2))
    filters = mel_filters(SPEAKER_SAMPLE_RATE, _MEL_FRAME, MEL_BANDS_HEARD, (0.0, SPEAKER_SAMPLE_RATE / 2))
    bands = band_powers(padded, periodic_hann(_MEL_FRAME), _MEL_HOP, filters).astype(np.float32)
    return np.stack([bands[start : start + _WINDOW_FRAMES] for start in starts])


def ge2e_window_starts(size: int) -> list[int]:
    """Return the frames at which windows start in ``size`` samples; the last may reach beyond the end."""
    frames = -(-(size + 1) // _MEL_HOP)
    starts = [*range(0, max(1, frames - _WINDOW_FRAMES + _STEP_FRAMES + 1), _STEP_FRAMES)]
    coverage = (size / _MEL_HOP - starts[-1]) / _WINDOW_FRAMES
    return starts[:-1] if coverage < _LEAST_COVERAGE and len(starts) > 1 else starts
