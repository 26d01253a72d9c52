"""NISQA: overall quality and four of its dimensions, predicted without a reference."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from pydantic import PrivateAttr
from scipy import fft

from stages.audio.waveform import Samples
from stages.dsp.spectra import frames_of, mel_filters, periodic_hann
from stages.operators.metric import METRICS, Aspect, Better, Measured, Output
from stages.operators.metric_bases import NoReferenceMetric, split_equally
from stages.weights.files import WeightFile, Weights
from stages.weights.has_weights import HasWeights

_SAMPLE_RATE = 48_000
_COMMIT = "fe84f0f252abec382b24367d5b22498a7ce34dbb"
_PUBLISHED = Weights(
    name="nisqa",
    source="https://github.com/gabrielmittag/NISQA",
    revision=_COMMIT,
    licence="CC-BY-NC-SA-4.0",
    files=(
        WeightFile(
            name="nisqa.tar",
            url=f"https://raw.githubusercontent.com/gabrielmittag/NISQA/{_COMMIT}/weights/nisqa.tar",
            sha256="7ec4cf937514dd3f8860b21e66fabd8ca87a168572675ef8d979c4c4ad2e805c",
            size_bytes=1_051_663,
        ),
    ),
)
_SHORTEST_S = 0.14
"""15 frames of 10 ms: one segment."""
FRAMES_PER_BLOCK = 64
"""Frames whose spectra are held at once: few enough to stay in a core's cache."""


def _opinion(note: str = "", *, votes: bool = False) -> Output:
    return Output(
        aspect=Aspect.PERCEPTUAL_QUALITY,
        better=Better.HIGHER,
        noise_floor=0.1,
        votes=votes,
        note=note,
    )


@METRICS.register
class Nisqa(HasWeights, NoReferenceMetric):
    """NISQA v2 (Mittag et al., Interspeech 2021), in opinion scores from about 1 to about 5.

    The network is given mel bands up to 20 kHz and so hears the rate of a recording, and even how it was
    resampled: the same 16 kHz file scores 1.45 as it is, 1.47 at 48 kHz by soxr and 1.60 by a filter that
    lets images through. So everything comes at 48 kHz, by the one resampler of the pipeline. It was made for
    1300 segments, 52 s; longer recordings are the mean of equal parts. The last layers have no bounds.
    """

    kind: ClassVar[str] = "nisqa"
    version: ClassVar[int] = 2
    weights: ClassVar[str] = "nisqa.tar of gabrielmittag/NISQA, CC-BY-NC-SA-4.0: not for commercial use"
    level_dependent: ClassVar[bool] = True
    cost_s_per_s: ClassVar[float] = 0.008
    libraries: ClassVar[tuple[str, ...]] = ("torch",)
    full_band: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True
    shortest_s: ClassVar[float] = _SHORTEST_S
    outputs: ClassVar = {
        "mos": _opinion(
            "overall; fell on every ladder of damage",
            votes=True,
        ),
        "noisiness": _opinion("high if there is little noise"),
        "coloration": _opinion("high if the timbre is natural"),
        "discontinuity": _opinion("high if nothing breaks off"),
        "loudness": _opinion("of copies at one level: what is left is how loud their spectrum seems"),
    }

    _network: Any = PrivateAttr(default=None)
    _settings: Any = PrivateAttr(default=None)

    @property
    def published(self) -> Weights:
        """``nisqa.tar`` as its authors published it."""
        return _PUBLISHED

    @property
    def sample_rate(self) -> int:
        """48 kHz, the rate of the speech that it was trained on."""
        return _SAMPLE_RATE

    def load(self, device: str) -> None:
        """Build the network that the checkpoint describes; raises ``MissingWeightsError`` without it."""
        from stages.networks import loading, nisqa  # noqa: PLC0415

        place = self.require_place()
        network, state, self._settings = nisqa.parts_of(loading.read_checkpoint(place), place)
        self._network = loading.with_state(network, state, place, device)

    def hear(self, samples: Samples) -> Measured:
        """Return overall quality, noisiness, coloration, discontinuity and loudness."""
        return self._named_mean([self._scores(part) for part in self._parts_of(samples)])

    def hear_together(self, blocks: Sequence[Samples]) -> Sequence[Measured]:
        """Return the same with the convolutions over all recordings at once."""
        from stages.networks.nisqa import score_parts  # noqa: PLC0415

        parts = [self._parts_of(block) for block in blocks]
        if not parts:
            return []
        scores = score_parts(self._network, [part for own in parts for part in own])
        ends = np.cumsum([len(own) for own in parts])
        return [
            self._named_mean([*scores[end - len(own) : end]]) for own, end in zip(parts, ends, strict=True)
        ]

    def _parts_of(self, samples: Samples) -> list[NDArray[np.float32]]:
        return split_equally(mel_segments(samples, self._settings), self._settings["ms_max_segments"])

    def _named_mean(self, scores: Sequence[NDArray[np.float64]]) -> Measured:
        """Return the mean of ``(parts, 5)`` scores in the order of the checkpoint."""
        overall, noisiness, discontinuity, coloration, loudness = np.mean(scores, axis=0).tolist()
        values = overall, noisiness, coloration, discontinuity, loudness
        return dict(zip(self.outputs, values, strict=True))

    def _scores(self, segments: NDArray[np.float32]) -> NDArray[np.float64]:
        from stages.networks.loading import run_network  # noqa: PLC0415

        return np.asarray(run_network(self._network, segments)[0].cpu(), dtype=np.float64)


def mel_segments(samples: Samples, settings: Mapping[str, Any]) -> NDArray[np.float32]:
    """Return ``(segments, bands, frames)`` of mel bands in dB, at most 80 dB under the loudest.

    What librosa's ``melspectrogram`` of magnitudes and ``amplitude_to_db`` give: windows of 20 ms every
    10 ms, the first one centred on the first sample, with reflected ends.
    """
    hop, length = (round(_SAMPLE_RATE * settings[f"ms_{part}_length"]) for part in ("hop", "win"))
    framed = frames_of(np.pad(samples, length // 2, mode="reflect"), length, hop)
    bands = _mel_bands(framed, settings)
    decibels = 20.0 * np.log10(np.maximum(bands, 1e-4))
    decibels = np.maximum(decibels, decibels.max() - 80.0)
    segments = sliding_window_view(decibels, settings["ms_seg_length"], axis=0)
    return np.ascontiguousarray(segments[:: settings["ms_seg_hop_length"]])


def _mel_bands(framed: Samples, settings: Mapping[str, Any]) -> NDArray[np.float32]:
    """Return ``(frames, bands)`` in single precision, as librosa does: half the time, and 2e-5 dB."""
    size = settings["ms_n_fft"]
    filters = mel_filters(_SAMPLE_RATE, size, settings["ms_n_mels"], (0.0, settings["ms_fmax"]))
    narrow = np.ascontiguousarray(filters.T, dtype=np.float32)
    window = periodic_hann(framed.shape[1]).astype(np.float32)
    blocks = []
    for first in range(0, len(framed), FRAMES_PER_BLOCK):
        spectrum = fft.rfft(framed[first : first + FRAMES_PER_BLOCK] * window, n=size, axis=1)
        blocks.append(np.sqrt(spectrum.real**2 + spectrum.imag**2) @ narrow)
    return np.concatenate(blocks)
