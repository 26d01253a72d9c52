"""AnyEnhance-v1: masked generative modelling of codec tokens at 44.1 kHz, the baseline of CCF-AATC 2025."""

from typing import ClassVar

from stages.operators.restorer import RESTORERS
from stages.restorers.common.masked_generative import MaskedGenerative
from stages.weights.files import WeightFile, Weights
from stages.weights.repositories import make_hub_file

TAR = "epoch-83-step-200000-loss-4.4187.tar"
STORE = "https://aishell-jiaofu.oss-cn-hangzhou.aliyuncs.com/ccf2025/aatc_track1/baseline"


@RESTORERS.register
class AnyEnhanceV1(MaskedGenerative):
    """Fills in the tokens of the Descript codec in some steps, the surest first; it samples.

    The small model of the challenge (46 million parameters), not that of the paper (arXiv 2501.15417); check
    out github.com/viewfinder-annn/anyenhance-v1-ccf-aatc at 7737207. Hazards: neither checkout nor weights
    state a licence; windows of 3.02 s are restored one by one and cross-faded over 23 ms; the codec's loader
    opens a ``torch.package``, which is code, where the file is one, so pin ``sha256``.
    """

    kind: ClassVar[str] = "anyenhance_v1"
    licence: ClassVar[str] = "unknown"
    weights: ClassVar[str] = "the challenge's store, and huggingface.co/descript/descript-audio-codec"

    @property
    def published(self) -> Weights:
        """The model, in the archive that it comes in, and the codec."""
        codec = make_hub_file("descript/descript-audio-codec", "weights.pth", name="dac/weights.pth")
        return Weights(
            name="anyenhance_v1",
            source="https://github.com/viewfinder-annn/anyenhance-v1-ccf-aatc",
            revision="7737207",
            licence="unknown",
            files=(WeightFile(name=TAR, url=f"{STORE}/{TAR}"), codec),
        )
