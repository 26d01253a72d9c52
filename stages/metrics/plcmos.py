"""PLCMOS: how well lost packets were concealed, predicted without a reference."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PrivateAttr

from stages.audio.waveform import Samples
from stages.dsp.spectra import power_spectrogram
from stages.networks.dnsmos import find_speechmos_model
from stages.operators.metric import METRICS, Aspect, Better, Measured, Output
from stages.operators.metric_bases import NoReferenceMetric, heard_by_length
from stages.weights.onnx import open_parts

_SAMPLE_RATE = 16_000
SHA256 = "c0ad3fc64ef9682b4749c0e96636b41c73b4b30bd123b9348feea06a96895286"
_FRAME = 512
_HOP = 256
HEARD = ("onnx::Concat_335", "onnx::Concat_337")
"""What the network has heard, before it asks a rater."""
_PARTS = ((["degraded_audio"], HEARD), ([*HEARD, "rater_embed"], ["plcmos"]))
RATERS = 15
RATER_SEED = 23
"""The raters that the values of the reference code's README come from."""


@METRICS.register
class Plcmos(NoReferenceMetric):
    """PLCMOS v2 (Diener et al., Interspeech 2023), in opinion scores from 1 to 5.

    The network is asked as fifteen raters, whom a random vector each stands for; the score is their mean.
    The reference code draws new raters for each recording; here they are always the same fifteen, with
    which it gives the values of its README. They enter at its very end, so all hear the recording once.
    Long recordings are the mean of parts of at most 30 s.
    """

    kind: ClassVar[str] = "plcmos"
    version: ClassVar[int] = 2
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "inside the package speechmos"
    packages: ClassVar[tuple[str, ...]] = ("speechmos",)
    level_dependent: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True
    cost_s_per_s: ClassVar[float] = 0.01
    libraries: ClassVar[tuple[str, ...]] = ("onnx", "onnxruntime")
    package_files: ClassVar = {"PLCMOS v2": "speechmos/plcmos_models/plcmos_v2.onnx"}
    longest_s: ClassVar[float] = 30.0
    outputs: ClassVar = {
        "": Output(
            aspect=Aspect.PERCEPTUAL_QUALITY,
            better=Better.HIGHER,
            noise_floor=0.05,
            votes=False,
            note="made for packet loss and deaf to much else, so no vote by default",
        )
    }

    _ears: Any = PrivateAttr(default=None)
    _opinion: Any = PrivateAttr(default=None)
    _raters: Any = PrivateAttr(default=None)

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return _SAMPLE_RATE

    def load(self, device: str) -> None:
        """Open the network; raises ``MissingWeightsError`` without the package that holds it."""
        graph = find_speechmos_model("plcmos_models/plcmos_v2.onnx")
        shapes = dict.fromkeys(HEARD, ("recordings", "width"))
        self._ears, self._opinion = open_parts(graph, device, _PARTS, shapes, SHA256)
        raters = np.random.RandomState(RATER_SEED)  # the generator that they come from
        self._raters = raters.normal(size=(RATERS, 64)).astype(np.float32)

    def hear(self, samples: Samples) -> Measured:
        """Return the mean of the raters."""
        heard = self._ears.run(None, {"degraded_audio": log_power(samples)[None, None]})
        shown = dict(zip(HEARD, heard, strict=True))
        return {"": float(np.mean([self._ask_rater(shown, rater[None]) for rater in self._raters]))}

    def hear_together(self, blocks: Sequence[Samples]) -> Sequence[Measured]:
        """Return the same with recordings of one length in a batch, and all raters asked at once."""
        return heard_by_length(blocks, self._hear_alike)

    def _hear_alike(self, samples: NDArray[np.float32]) -> list[Measured]:
        images = np.stack([log_power(each)[None] for each in samples])
        heard = self._ears.run(None, {"degraded_audio": images})
        shown = {name: np.repeat(each, RATERS, axis=0) for name, each in zip(HEARD, heard, strict=True)}
        raters = np.tile(self._raters, (len(samples), 1))
        opinions = self._opinion.run(None, {**shown, "rater_embed": raters})[0].reshape(-1, RATERS)
        return [{"": float(mean)} for mean in opinions.mean(axis=1)]

    def _ask_rater(self, shown: dict[str, Any], rater: NDArray[np.float32]) -> float:
        return float(self._opinion.run(None, {**shown, "rater_embed": rater})[0].item())


def log_power(samples: Samples) -> NDArray[np.float32]:
    """Return ``(frames, 257)`` of a twentieth of the logarithm of power, in windows of 32 ms every 16 ms.

    The first window is half before the start, and zeros fill the last one. Where there is no power at all,
    it counts as 12 bel under the least there is.
    """
    frames = -(-(samples.size + _HOP) // _HOP)
    padded = np.zeros((frames - 1) * _HOP + _FRAME)
    padded[_HOP : _HOP + samples.size] = samples
    window = np.hamming(_FRAME + 1)[:-1]
    power = power_spectrogram(padded, window, _HOP)
    least = power[power > 0.0].min() * 10.0**-12
    return np.asarray(np.log(np.where(power > 0.0, power, least)) / 20.0, dtype=np.float32)
