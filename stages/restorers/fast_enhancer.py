"""FastEnhancer: waveform to waveform in hops, in four sizes; its authors' graphs of other networks too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from schemas import Digest
from stages.operators.restorer import RESTORERS
from stages.restorers.common.onnx_graph import OnnxGraph
from stages.restorers.common.onnx_layouts import Streaming
from stages.restorers.common.onnx_spectra import StreamingSpectra
from stages.weights.files import Weights
from stages.weights.repositories import weights_of_commit

SPECTRA = StreamingSpectra(frame_samples=512, hop_samples=256, window="hann")
"""How all graphs of spectra in that repository are fed."""


def weights_in_history(name: str, file: str, size_bytes: int, sha256: Digest) -> Weights:
    """Return a graph of the FastEnhancer repository; later commits hold no graphs any more."""
    return weights_of_commit(
        name,
        "aask1357/fastenhancer",
        "2ef9bb384d01c849bbb941ae3ef6a6a86bd4b166",
        "MIT",
        {f"onnx/{file}": (size_bytes, sha256)},
    )


@dataclass(frozen=True, slots=True)
class _Size:
    size_bytes: int
    sha256: Digest
    frame_samples: int = 512
    hop_samples: int = 256
    delay_samples: int = 256


_SIZES: Mapping[str, _Size] = {
    "t": _Size(
        125_233, "766dbc5203d43b8e8589c2ec9cd9043071541eeec28ac5635cb927f134ac1bf0", frame_samples=256
    ),
    "b": _Size(412_921, "b4b6b892c25b94e96e85a868009276f39de73ab430fdec0982a264e8bf526b53"),
    "s": _Size(832_507, "71036375e0c2ba24eda2f87a1087bc4761945fc3e06a3a1d4a1c2178404f10ce"),
    "m": _Size(
        2_033_347,
        "d1101d4c2a5463e69141c3b6937b32a3942d734dc00c85161d9e3db985d942c4",
        hop_samples=160,
        delay_samples=352,
    ),
}


@RESTORERS.register
class FastEnhancer(OnnxGraph):
    """Ahn et al. (2025), trained on VoiceBank-DEMAND, against noise: 25 to 499 thousand weights."""

    kind: ClassVar[str] = "fast_enhancer"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "history of aask1357/fastenhancer on GitHub, 0.1 to 2 MB"
    cost_s_per_s: ClassVar[float] = 0.02

    loaded_by: ClassVar[frozenset[str]] = frozenset({"size"})

    size: Literal["t", "b", "s", "m"] = "b"

    @property
    def published(self) -> Weights:
        """The authors' streaming graph of this size."""
        size, name = _SIZES[self.size], f"fastenhancer_{self.size}"
        return weights_in_history(name, f"{name}.onnx", size.size_bytes, size.sha256)

    @property
    def layout(self) -> Streaming:
        """Hops of 16 ms; of 10 ms for size m."""
        size = _SIZES[self.size]
        return Streaming(
            frame_samples=size.frame_samples, hop_samples=size.hop_samples, delay_samples=size.delay_samples
        )
